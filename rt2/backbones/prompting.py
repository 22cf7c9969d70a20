"""Sentences, states and pictures → the token ids and pictures of a prompt, in RT-2's format.

"Q: what action should the robot take to {sentence}? A:" (arXiv 2307.15818, section 3.2). A prompt's tokens, with the
images' placeholders written out, depend on the sentence and the picture sizes alone, so they are made once a skill.
These models have no input for proprioception: the state goes in as text, one integer 0..255 an entry.
Not for: answers, batches, or a model's forward pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from rt2.backbones.families import FAMILIES, Family, Views, family_of
from rt2.errors import CheckpointError, InputError, PromptError
from rt2.prompts import checked_sentence

STATE_BINS = 256
TOKEN_TYPES = ("token_type_ids", "mm_token_type_ids")  # what models ask to be told of each token
Picture = NDArray[np.uint8]  # (h, w, 3)


class StateRanges(BaseModel):
    """(S,) ends of the ranges in which the state's entries are cut into 256 bins."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    low: tuple[float, ...]
    high: tuple[float, ...]

    @model_validator(mode="after")
    def _is_a_range(self) -> StateRanges:
        if len(self.low) != len(self.high) or any(a >= b for a, b in zip(self.low, self.high, strict=False)):
            raise ValueError("low must be below high, entry by entry")
        return self

    @classmethod
    def covering(cls, states: NDArray[np.float32]) -> StateRanges:
        """Of (n, S) states from the first to the last percentile; an entry that never moves gets a little room."""
        low, high = np.percentile(states.astype(float), (1, 99), axis=0)
        room = np.where(high - low < 1e-6, 1e-3, 0.0)
        return cls(low=tuple((low - room).tolist()), high=tuple((high + room).tolist()))

    def bins(self, state: NDArray[np.float32]) -> list[int]:
        """(S,) bins 0..255 of a state; beyond a range is its end. Raises InputError for another size and for NaN."""
        values = np.asarray(state, dtype=float)
        if values.shape != (len(self.low),) or not np.isfinite(values).all():
            raise InputError(f"the state must be {len(self.low)} finite numbers; got {np.array2string(values)}")
        low, high = np.array(self.low), np.array(self.high)
        share = np.clip((values - low) / (high - low), 0.0, 1.0)
        found: list[int] = np.minimum((share * STATE_BINS).astype(int), STATE_BINS - 1).tolist()
        return found


@dataclass(frozen=True)
class TokenPrompt:
    """A prompt as token ids, images' placeholders written out.

    types: further numbers that the model wants for each token (token types), by the name of its input. state_at: where
    the state's tokens come in.
    """

    ids: tuple[int, ...]
    types: Mapping[str, tuple[int, ...]]
    state_at: int

    def with_inserted(self, ids: Sequence[int]) -> TokenPrompt:
        """The same prompt with the state's tokens in their place."""
        at, room = self.state_at, (0,) * len(ids)
        types = {name: (*t[:at], *room, *t[at:]) for name, t in self.types.items()}
        return TokenPrompt((*self.ids[:at], *ids, *self.ids[at:]), types, at + len(ids))


class Prompting:
    """Writes prompts for one model. states: ranges of the state as text; None leaves the state out."""

    def __init__(
        self, processor: Any, config: Any, *, views: Views | None = None, states: StateRanges | None = None
    ) -> None:
        self.processor, self.states = processor, states
        self.family: Family = family_of(config.model_type)
        self.views: Views = views or self.family.views
        self._tokenizer = processor.tokenizer
        padding = self._tokenizer.pad_token_id
        self.pad_id = int(self._tokenizer.eos_token_id if padding is None else padding)
        if getattr(config, "image_token_id", None) is None:
            raise CheckpointError(
                f"a model of type '{config.model_type}' marks no place for pictures in its prompt; "
                f"tested families: {', '.join(FAMILIES)}"
            )
        self._image_id = int(config.image_token_id)
        self._image_token = str(self._tokenizer.convert_ids_to_tokens(self._image_id))
        self._numbers = [self._encode(f" {n}") for n in range(STATE_BINS)]
        self._state_begin, self._state_end = self._encode("state:"), self._encode("\n")

    def action_prompt(self, sentence: str, sizes: Sequence[tuple[int, int]]) -> TokenPrompt:
        """RT-2's question about `sentence` behind pictures of these (width, height).

        Raises PromptError for a sentence that is empty or over-long, or holds a token that the model keeps for itself.
        """
        said = checked_sentence(sentence)
        added = self._tokenizer.added_tokens_decoder
        own = [added[token].content for token in self._encode(said) if token in added and added[token].special]
        if own or self._image_token in said:
            raise PromptError(f"'{(*own, self._image_token)[0]}' is no word but a token of the model's own")
        return self.prompt(action_question(said), self.picture_sizes(sizes))

    def prompt(self, text: str, sizes: Sequence[tuple[int, int]]) -> TokenPrompt:
        """Any text behind pictures of these (width, height), in the model's own format."""
        text, special = self._formatted(text, len(sizes))
        blanks = [np.zeros((height, width, 3), np.uint8) for width, height in sizes]
        if blanks:
            made = self.processor(text=[text], images=[blanks], add_special_tokens=special)
        else:
            made = self._tokenizer([text], add_special_tokens=special)
        ids = [int(i) for i in made["input_ids"][0]]
        wanted = [name for name in TOKEN_TYPES if name in self.processor.model_input_names]
        types = {name: tuple(map(int, made[name][0])) if name in made else (0,) * len(ids) for name in wanted}
        return TokenPrompt(tuple(ids), types, self._after_images(ids))

    def state_ids(self, state: NDArray[np.float32]) -> list[int]:
        """Tokens of the (S,) state as text: "state: 12 200 …"; empty where the state is left out."""
        if self.states is None:
            return []
        numbers = [i for n in self.states.bins(state) for i in self._numbers[n]]
        return [*self._state_begin, *numbers, *self._state_end]

    def reserved_ids(self) -> set[int]:
        """Tokens that the state's text is made of."""
        if self.states is None:
            return set()
        return {i for ids in (*self._numbers, self._state_begin, self._state_end) for i in ids}

    def pictures(self, images: Sequence[Picture]) -> tuple[Picture, ...]:
        """The views as the pictures that go into the prompt: as they are, or side by side in one."""
        return tuple(images) if self.views == "separate" or len(images) < 2 else (tile(images),)

    def picture_sizes(self, sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """(width, height) of what `pictures` gives for views of these sizes."""
        if self.views == "separate" or len(sizes) < 2:
            return list(sizes)
        return [(sum(w for w, _ in sizes), max(h for _, h in sizes))]

    def _formatted(self, text: str, images: int) -> tuple[str, bool]:
        """Text with placeholders, and whether the tokenizer has yet to add its special tokens."""
        if not (self.family.chat and self.processor.chat_template):
            return self._image_token * images + text, True
        content = [*({"type": "image"} for _ in range(images)), {"type": "text", "text": text}]
        turn = [{"role": "user", "content": content}]
        written: str = self.processor.apply_chat_template(turn, add_generation_prompt=True)
        begin = self._tokenizer.bos_token
        return written, not (begin and written.startswith(begin))

    def _after_images(self, ids: Sequence[int]) -> int:
        if self._image_id not in ids:
            return 0
        place = len(ids) - list(reversed(ids)).index(self._image_id)
        special = set(self._tokenizer.all_special_ids)
        while place < len(ids) and ids[place] in special:
            place += 1
        return place

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids


def action_question(sentence: str) -> str:
    """RT-2's question for an action."""
    return f"Q: what action should the robot take to {sentence}? A:"


def tile(images: Sequence[Picture]) -> Picture:
    """Pictures side by side from the left, black below the lower ones."""
    height = max(len(image) for image in images)
    padded = [np.pad(image, ((0, height - len(image)), (0, 0), (0, 0))) for image in images]
    return np.concatenate(padded, axis=1)
