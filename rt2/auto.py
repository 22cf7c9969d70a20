"""rt2-small behind transformers' Auto classes: `import rt2.auto`, and AutoConfig, AutoModel and AutoProcessor know it.

Forehand itself loads checkpoints through rt2.vla, which is quicker: these classes import much of transformers.
Not for: what they wrap (rt2.modeling, rt2.processing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForImageTextToText,
    AutoProcessor,
    BatchFeature,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
)
from transformers.utils.generic import ModelOutput

from rt2.configuration import RT2Config
from rt2.errors import InputError
from rt2.modeling import RT2Network
from rt2.processing import SmallProcessor
from rt2.prompts import PromptKind


@dataclass
class ActionLogits(ModelOutput):
    """logits (b, 8, bins) of the action tokens, each told nothing of the others."""

    logits: Tensor | None = None


class RT2ForConditionalGeneration(PreTrainedModel):  # type: ignore[no-untyped-call]
    """RT2Network as transformers has models; called with what RT2Processor makes."""

    config_class = RT2Config
    config: RT2Config
    main_input_name = "pictures"
    base_model_prefix = "network"

    def __init__(self, config: RT2Config) -> None:
        super().__init__(config)
        self.network = RT2Network(config)
        self.post_init()  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> nn.Module:
        """Of words, places and action bins alike."""
        return self.network.embed

    def _init_weights(self, module: nn.Module) -> None:
        """Every layer has initialised itself."""

    def forward(self, prompt: Tensor, mask: Tensor, pictures: dict[str, Tensor], state: Tensor) -> ActionLogits:
        """What RT2Processor makes of sentences, pictures and state → the action tokens in one pass."""
        return ActionLogits(self.network(prompt, mask, pictures, state))


class RT2Processor(SmallProcessor, ProcessorMixin):
    """SmallProcessor as transformers has processors, which reads off a signature what a processor's file may set."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        cameras: Mapping[str, Sequence[int]],
        most_prompt_tokens: int = 48,
        language: str = "learned",
        **kwargs: Any,
    ) -> None:
        SmallProcessor.__init__(self, tokenizer, cameras, most_prompt_tokens, language)
        ProcessorMixin.__init__(self, tokenizer, **kwargs)  # type: ignore[no-untyped-call]

    def __call__(  # type: ignore[override]  # the names that transformers' processors give their arguments
        self,
        text: str | Sequence[str],
        images: Mapping[str, ArrayLike] | None = None,
        state: ArrayLike | None = None,
        kind: PromptKind = "act",
        return_tensors: Literal["pt"] = "pt",
    ) -> BatchFeature:
        """As SmallProcessor, also for one sentence with one picture (h, w, 3) a camera and one state (S,).

        Raises InputError as it does, for batches of different sizes, and for tensors of another library.
        """
        if return_tensors != "pt":
            raise InputError(f"return_tensors={return_tensors!r}: this processor makes torch's tensors, 'pt'")
        sentences = [text] if isinstance(text, str) else list(text)
        pictures = None if images is None else {name: _batch(picture, 4) for name, picture in images.items()}
        felt = None if state is None else _batch(state, 2)
        given = {"sentences": len(sentences), **{f"pictures of '{n}'": len(p) for n, p in (pictures or {}).items()}}
        given |= {} if felt is None else {"states": len(felt)}
        if len(set(given.values())) > 1:
            raise InputError("as many of each: " + ", ".join(f"{count} {what}" for what, count in given.items()))
        return BatchFeature(SmallProcessor.__call__(self, sentences, pictures, felt, kind))


def _batch(one_or_more: ArrayLike, dimensions: int) -> NDArray[Any]:
    """As an array of so many dimensions, the first of which is the batch's."""
    array = np.array(one_or_more)  # a copy: torch wants memory that can be written
    return array[None] if array.ndim == dimensions - 1 else array


AutoConfig.register(RT2Config.model_type, RT2Config)
AutoModel.register(RT2Config, RT2ForConditionalGeneration)
AutoModelForImageTextToText.register(RT2Config, RT2ForConditionalGeneration)
AutoProcessor.register(RT2Config, RT2Processor)  # type: ignore[no-untyped-call]
