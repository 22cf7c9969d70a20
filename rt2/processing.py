"""SmallProcessor: prompts, pictures, state and actions → the tensors that the network reads, and back.

Not for: the network (rt2.modeling), or transformers' own classes (rt2.auto).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerFast

from rt2.configuration import FROZEN_WEIGHTS
from rt2.errors import InputError, PromptError
from rt2.minilm import load_minilm
from rt2.prompts import KINDS, PromptKind
from rt2.vocabulary import action_token, kind_token, location_token, token_id

PROCESSOR_FILE = "processor_config.json"
SETTINGS = ("cameras", "language", "most_prompt_tokens")
TRANSFORMERS_OWN = ("processor_class", "auto_map")  # in the same file
LANGUAGES = ("learned", *FROZEN_WEIGHTS)


class SmallProcessor:
    """Holds the tokenizer and the pictures' sizes.

    cameras: name → [width, height]; most_prompt_tokens: longer prompts are cut; language: the tower that prompts are
    for, as RT2Config names it: token ids for "learned", what the frozen encoder hears for "minilm".

    Raises ValueError for settings that are none.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        cameras: Mapping[str, Sequence[int]],
        most_prompt_tokens: int = 48,
        language: str = "learned",
    ) -> None:
        if not isinstance(most_prompt_tokens, int) or most_prompt_tokens < 1:
            raise ValueError(f"most_prompt_tokens must be a whole number from 1 on, not {most_prompt_tokens!r}")
        self.cameras = {name: [int(side) for side in size] for name, size in sorted(cameras.items())}
        self.most_prompt_tokens = most_prompt_tokens
        if language not in LANGUAGES:
            raise ValueError(f"no language tower '{language}'; have: {', '.join(LANGUAGES)}")
        self.language = language
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path) -> SmallProcessor:
        """Raises OSError for files that are missing, ValueError, TypeError, AttributeError for broken ones."""
        said = json.loads((folder / PROCESSOR_FILE).read_text(encoding="utf-8"))
        settings = {name: value for name, value in said.items() if name not in TRANSFORMERS_OWN}
        unknown = sorted(settings.keys() - set(SETTINGS))
        if unknown:
            raise ValueError(f"{PROCESSOR_FILE}: no setting '{unknown[0]}'; have: {', '.join(SETTINGS)}")
        return cls(PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True), **settings)

    def save(self, folder: Path) -> None:
        """As transformers' processors are saved."""
        self.tokenizer.save_pretrained(folder)
        settings = {name: getattr(self, name) for name in SETTINGS} | {"processor_class": "RT2Processor"}
        (folder / PROCESSOR_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def __call__(
        self,
        sentences: str | Sequence[str],
        pictures: Mapping[str, NDArray[np.uint8]] | None = None,
        state: NDArray[np.float32] | None = None,
        kind: PromptKind = "act",
    ) -> dict[str, Any]:
        """Prompts of one kind with (b, h, w, 3) pictures by camera and (b, S) state.

        Returns `prompt` and `mask` (b, t), and where given `pictures` and `state`.
        Raises InputError for pictures of another size, dtype or camera.
        """
        prompt, mask = self.prompts([sentences] if isinstance(sentences, str) else sentences, kind)
        inputs: dict[str, Any] = {"prompt": prompt, "mask": mask}
        if pictures is not None:
            inputs["pictures"] = self.pictures(pictures)
        if state is not None:
            inputs["state"] = torch.as_tensor(np.asarray(state, np.float32))
        return inputs

    def prompts(self, sentences: Sequence[str], kind: PromptKind = "act") -> tuple[Tensor, Tensor]:
        """(b, t) token ids or (b, t, features), padded, and their mask (b, t)."""
        return stacked(self.prompt_rows([(sentence, kind) for sentence in sentences]))

    def whole_prompt(self, sentence: str, kind: PromptKind = "act") -> tuple[Tensor, Tensor]:
        """As `prompts` of one. Raises PromptError where only the beginning would be heard, or a word cannot be read."""
        odd = [word for word in sentence.split() if not self._is_readable(word)]
        if odd:
            raise PromptError(f"the model cannot read '{odd[0]}'; it was taught English words")
        (row,) = self._rows([(sentence, kind)])
        if self.language == "learned" and len(row) < 2:
            raise PromptError(f"the model hears nothing in {sentence!r}; it was taught English words")
        if len(row) > self.most_prompt_tokens:
            raise PromptError(
                f"a sentence of {len(row)} tokens, of which the model hears {self.most_prompt_tokens} "
                f"(a word that it never saw is spelled, a token a letter): '{sentence}'"
            )
        return stacked([row])

    def _is_readable(self, word: str) -> bool:
        """Whether the tower has pieces for it, and it is no token of the model's own."""
        if self.language != "learned":
            return True  # the frozen encoder has read the web, and has tokens of its own
        ids: list[int] = self.tokenizer(word, add_special_tokens=False)["input_ids"]
        return not self.tokenizer.added_tokens_decoder.keys() & set(ids)

    def prompt_rows(self, prompts: Sequence[tuple[str, PromptKind]]) -> list[Tensor]:
        """Each prompt's (t,) token ids, or (t, features) in half precision with its kind marked in the last columns;
        cut where they are too many.

        Raises CheckpointError where the frozen encoder is not to be had.
        """
        return [row[: self.most_prompt_tokens] for row in self._rows(prompts)]

    def _rows(self, prompts: Sequence[tuple[str, PromptKind]]) -> list[Tensor]:
        if self.language == "learned":
            return [torch.tensor(self._ids(sentence, kind)) for sentence, kind in prompts]
        marks = torch.eye(len(KINDS))[[KINDS.index(kind) for _, kind in prompts]]
        rows = zip(load_minilm().hear([sentence for sentence, _ in prompts]), marks, strict=True)
        return [torch.cat((words, mark.expand(len(words), -1)), dim=1).half() for words, mark in rows]

    def _ids(self, sentence: str, kind: PromptKind) -> list[int]:
        """The kind's token and the sentence's."""
        ids: list[int] = self.tokenizer(sentence, add_special_tokens=False)["input_ids"]
        return [token_id(self.tokenizer, kind_token(kind)), *ids]

    def pictures(self, pictures: Mapping[str, NDArray[np.uint8]]) -> dict[str, Tensor]:
        """Camera → (b, h, w, 3) uint8 tensor. Raises InputError naming what is wrong with which camera."""
        checked = {}
        for name, (width, height) in self.cameras.items():
            if name not in pictures:
                raise InputError(f"no picture of camera '{name}'; have: {', '.join(sorted(pictures)) or 'none'}")
            batch = pictures[name]
            if batch.dtype != np.uint8:
                raise InputError(f"camera '{name}': pixels must be uint8, not {batch.dtype}")
            if batch.ndim != 4 or batch.shape[1:] != (height, width, 3):
                seen = "×".join(map(str, batch.shape))
                raise InputError(f"camera '{name}': expected n×{height}×{width}×3 (rows, columns, rgb), got {seen}")
            checked[name] = torch.from_numpy(np.ascontiguousarray(batch))
        return checked

    @property
    def action_start(self) -> int:
        return token_id(self.tokenizer, action_token(0))

    @property
    def location_start(self) -> int:
        return token_id(self.tokenizer, location_token(0))


def stacked(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(b, t) ids or (b, t, features) filled up with zeros ([PAD] is 0), and (b, t) True where they are not. At least
    one row."""
    batch = pad_sequence(list(rows), batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    mask = torch.arange(batch.shape[1]) < lengths[:, None]
    return batch.float() if batch.is_floating_point() else batch, mask


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    """(b, t) ids filled up with `pad`, and (b, t) True where they are not."""
    longest = max(map(len, rows), default=0)
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for k, row in enumerate(rows):
        ids[k, : len(row)] = torch.tensor(row, dtype=torch.long)
        mask[k, : len(row)] = True
    return ids, mask
