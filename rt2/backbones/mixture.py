"""Robot frames and questions about pictures → the rows of each training step.

Step, part of the step and process decide which rows come, nothing else does: a resumed run sees what it would have
seen. Not for: tensors (rt2.backbones.batches).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rt2.action_contract import ActionContract
from rt2.backbones.adapter import VLMBackbone, question_text
from rt2.backbones.batches import Row
from rt2.backbones.prompting import TokenPrompt
from rt2.errors import InputError
from rt2.training.examples import TextExample
from rt2.training.frames import Frames

SURVEYED_FRAMES = 1024


class FrameSource(Protocol):
    """rt2.training.frames.ShardReader, or whatever else holds frames of that layout."""

    def __len__(self) -> int: ...
    def take(self, indices: NDArray[np.int64]) -> Frames: ...


class Mixture:
    """Rows for `backbone` from frames and texts. text_share: expected share of texts, where there are both."""

    def __init__(
        self, backbone: VLMBackbone, frames: FrameSource, texts: Sequence[TextExample], text_share: float, seed: int
    ) -> None:
        self._backbone, self._frames, self._texts, self._seed = backbone, frames, texts, seed
        self._text_share = 0.0 if not texts else 1.0 if not len(frames) else text_share
        self._prompts: dict[bytes, TokenPrompt] = {}
        tokenizer = backbone.prompting.processor.tokenizer
        self._end = [tokenizer.eos_token_id]
        self._tokenizer = tokenizer

    def rows(self, size: int, *place: int) -> list[Row]:
        """`size` rows for a place in the run: (step, part of the step, process)."""
        random = np.random.default_rng((self._seed, *place))
        texts = int(random.binomial(size, self._text_share))
        chosen = [self._texts[k] for k in _draw(random, len(self._texts), texts)]
        robot = self._frames.take(_draw(random, len(self._frames), size - texts)) if size > texts else ()
        return [*(self._robot_row(frame) for frame in robot), *(self._text_row(text) for text in chosen)]

    def _robot_row(self, frame: Frames) -> Row:
        sentence = bytes(frame["sentence"])
        if sentence not in self._prompts:
            self._prompts[sentence] = self._backbone.encode(sentence.decode("utf-8"))
        images = {name: frame[f"image.{name}"] for name in self._backbone.contract.cameras}
        answer = self._backbone.actions.encode(frame["action"]).tolist()
        return self._backbone.row(images, frame["state"], self._prompts[sentence], answer)

    def _text_row(self, text: TextExample) -> Row:
        prompting = self._backbone.prompting
        pictures = prompting.pictures(list(text.images.values()))
        sizes = [(image.shape[1], image.shape[0]) for image in pictures]
        answer = self._tokenizer.encode(text.answer, add_special_tokens=False)
        return Row(prompting.prompt(question_text(text.prompt), sizes), pictures, (*answer, *self._end))


def _draw(random: np.random.Generator, population: int, size: int) -> NDArray[np.int64]:
    """(size,) indices, none twice as long as there are enough."""
    return random.choice(population, size, replace=size > population, shuffle=False) if size else np.zeros(0, np.int64)


def survey(frames: FrameSource, contract: ActionContract) -> tuple[NDArray[np.float32], list[str]]:
    """(n, S) states and the sentences of frames spread over all of them.

    Raises InputError where frames lack what the contract names.
    """
    count = min(len(frames), SURVEYED_FRAMES)
    if not count:
        return np.zeros((0, len(contract.state)), np.float32), []
    taken = frames.take(np.linspace(0, len(frames) - 1, count).astype(np.int64))
    fields = taken.dtype.names or ()
    lacking = [name for name in contract.cameras if f"image.{name}" not in fields]
    if lacking:
        raise InputError(f"the frames have no images of camera {', '.join(lacking)}; they hold: {', '.join(fields)}")
    if taken["state"].shape[1] != len(contract.state):
        raise InputError(f"the frames' state has {taken['state'].shape[1]} entries, the contract {len(contract.state)}")
    return taken["state"], [s.decode("utf-8") for s in np.unique(taken["sentence"]).tolist()]
