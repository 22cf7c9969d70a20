"""RT2Config: the sizes of rt2-small, in Hugging Face's conventions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import PretrainedConfig

# language tower → sha256 of the frozen weights that it hears through, where there are any
FROZEN_WEIGHTS: Mapping[str, str] = {"minilm": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}


ARCHITECTURE = "RT2ForConditionalGeneration"  # rt2.auto's, by which transformers knows the network
CELL = 8  # pixels a side of the square that one feature of a picture stands for


class RT2Config(PretrainedConfig):  # type: ignore[no-untyped-call]
    """What is needed to build the network.

    cameras: name → [width, height] in pixels, multiples of 8; kept in alphabetical order. state, auxiliary: names of
    what is read and told beside the pictures and the action. language: "learned" (from nothing) or "minilm" (frozen,
    its features projected). language_features: width of what a frozen encoder hears; language_sha256: of its weights,
    None for "learned".
    stem_kernels: camera → how many patches a side its first layer reads together; 1 where none is given, 3 where it
    must be seen how things are turned.
    action_start, location_start: ids of the first of the 256 action and location tokens.
    cell_names: of what a cell of a picture may show, for the grounding loss. tells_kind: whether an action's kind is
    decided before its tokens.

    Raises ValueError for pictures that cannot be cut into cells, and for a width that the heads cannot share.
    """

    model_type = "forehand_rt2"

    def __init__(
        self,
        *,
        cameras: dict[str, list[int]] | None = None,
        state: list[str] | None = None,
        auxiliary: list[str] | None = None,
        language: str = "learned",
        vocab_size: int = 1024,
        action_start: int = 0,
        location_start: int = 0,
        bins: int = 256,
        cell_names: list[str] | None = None,
        width: int = 128,
        layers: int = 3,
        heads: int = 4,
        text_width: int = 128,
        language_features: int = 384,
        language_sha256: str | None = None,
        fine_channels: int = 32,
        coarse_channels: int = 80,
        slots: int = 8,
        stem_kernels: dict[str, int] | None = None,
        tells_kind: bool = True,
        points: bool = True,
        most_prompt_tokens: int = 48,
        most_answer_tokens: int = 96,
        **kwargs: Any,
    ) -> None:
        # The order decides which weights see which camera, and JSON files of transformers are sorted.
        self.cameras = dict(sorted((cameras or {"front": [160, 96], "wrist": [64, 64]}).items()))
        for name, size in self.cameras.items():
            if not name.isidentifier() or len(size) != 2 or any(side < CELL or side % CELL for side in size):
                raise ValueError(
                    f"camera '{name}' of {list(size)}: a camera needs a name of letters, digits and _, and a picture's "
                    f"width and height must be multiples of {CELL}"
                )
        if min(width, layers, heads, text_width, fine_channels, coarse_channels, slots) < 1 or width % heads:
            raise ValueError(
                f"sizes must be whole numbers from 1 on, and width a multiple of heads; width is {width}, heads {heads}"
            )
        self.state = state or []
        self.auxiliary = auxiliary or []
        self.language = language
        self.vocab_size = vocab_size
        self.action_start = action_start
        self.location_start = location_start
        self.bins = bins
        self.cell_names = cell_names or []
        self.width = width
        self.layers = layers
        self.heads = heads
        self.text_width = text_width
        self.language_features = language_features
        self.language_sha256 = language_sha256 or FROZEN_WEIGHTS.get(language)
        self.fine_channels = fine_channels
        self.coarse_channels = coarse_channels
        self.slots = slots
        self.stem_kernels = stem_kernels or {}
        self.tells_kind = tells_kind
        self.points = points
        self.most_prompt_tokens = most_prompt_tokens
        self.most_answer_tokens = most_answer_tokens
        super().__init__(**{"architectures": [ARCHITECTURE], **kwargs})
