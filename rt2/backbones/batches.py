"""Rows of prompt, pictures and answer → the tensors of one forward pass.

Only an answer's tokens are labels: a model that learns to write prompts or pictures' placeholders wastes itself.
Not for: choosing which rows to learn from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from rt2.backbones.prompting import Picture, Prompting, TokenPrompt

NO_LABEL = -100  # what the models' cross-entropy leaves out


@dataclass(frozen=True)
class Row:
    """One prompt with its pictures; answer: ids to learn, empty where the model is to answer."""

    prompt: TokenPrompt
    pictures: tuple[Picture, ...]
    answer: tuple[int, ...] = field(default=())


def batch_tensors(prompting: Prompting, rows: Sequence[Row], side: Literal["left", "right"]) -> dict[str, torch.Tensor]:
    """Model inputs of n rows, padded on `side`: left for answering, right for learning, which adds labels (n, length).

    Token inputs are (n, length); what the pictures become depends on the family.
    """
    length = max(len(row.prompt.ids) + len(row.answer) for row in rows)

    def padded(numbers: Sequence[int], fill: int) -> list[int]:
        room = [fill] * (length - len(numbers))
        return [*room, *numbers] if side == "left" else [*numbers, *room]

    columns: dict[str, list[list[int]]] = {
        "input_ids": [padded((*row.prompt.ids, *row.answer), prompting.pad_id) for row in rows],
        "attention_mask": [padded([1] * (len(row.prompt.ids) + len(row.answer)), 0) for row in rows],
    }
    for name in rows[0].prompt.types:
        kind = prompting.family.answer_type
        columns[name] = [padded((*row.prompt.types[name], *[kind] * len(row.answer)), 0) for row in rows]
    if any(row.answer for row in rows):
        columns["labels"] = [padded((*[NO_LABEL] * len(row.prompt.ids), *row.answer), NO_LABEL) for row in rows]
    tensors = {name: torch.tensor(numbers) for name, numbers in columns.items()}
    return {**tensors, **_picture_tensors(prompting, rows)}


def _picture_tensors(prompting: Prompting, rows: Sequence[Row]) -> Mapping[str, torch.Tensor]:
    nested = [list(row.pictures) for row in rows if row.pictures]
    if not nested:
        return {}
    made: Mapping[str, Any] = prompting.processor.image_processor(images=nested, return_tensors="pt")
    return {name: value for name, value in made.items() if isinstance(value, torch.Tensor)}


def on_model(tensors: Mapping[str, torch.Tensor], model: Any) -> dict[str, torch.Tensor]:
    """The tensors on the model's device, pictures in the precision of its weights."""
    return {
        name: value.to(model.device, model.dtype if value.is_floating_point() else value.dtype)
        for name, value in tensors.items()
    }
