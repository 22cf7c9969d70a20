"""Answer: what a language model is asked for, and reading it from what models really write.

The schema that is sent is flat, so that small local models can fill it; reading is forgiving about form
(planner.llm.answer_forms) and never about content.
Not for: whether the answer fits the scene (planner.llm.checking).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from planner.llm.answer_forms import KNOWN_KEYS, call_text, tidy_answer
from planner.llm.json_text import NoJsonError, find_object

MOST_STEPS = 80


class AnswerError(ValueError):
    """A reply that cannot be read as an Answer; the message is in words, fit for the model."""


class AnswerKind(StrEnum):
    PLAN = "plan"
    QUESTION = "question"
    IMPOSSIBLE = "impossible"


_PERMISSIVE = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, coerce_numbers_to_str=True)


class AnswerStep(BaseModel):
    """One skill call. after: None means after the step before it in the list; only_if: done only where it holds."""

    model_config = _PERMISSIVE

    id: str | None = None
    do: str
    after: tuple[str, ...] | None = None
    only_if: str | None = Field(default=None, alias="if")

    @model_validator(mode="before")
    @classmethod
    def _from_other_forms(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"do": value}
        if not isinstance(value, dict):
            return value
        data = {str(key).lower(): item for key, item in value.items()}
        data.setdefault("do", call_text(data))
        data["after"] = next((data[k] for k in ("after", "depends_on", "requires") if data.get(k) is not None), None)
        return {key: item for key, item in data.items() if item != ""}

    @field_validator("after", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str | int) else value


class Precedence(BaseModel):
    """`first` becomes true before `then` does."""

    model_config = _PERMISSIVE

    first: str
    then: str

    @model_validator(mode="before")
    @classmethod
    def _from_pair(cls, value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) == 2:
            return {"first": value[0], "then": value[1]}
        return value


class Condition(BaseModel):
    """A part of the goal that depends on how things stand at the start."""

    model_config = _PERMISSIVE

    condition: str = Field(alias="if")
    then: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = Field(default=(), alias="else")


class Answer(BaseModel):
    """A goal and steps, a question, or why it is impossible. Literals and calls are still plain strings."""

    model_config = _PERMISSIVE

    reasoning: str = ""
    answer: AnswerKind
    goal: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    branches: tuple[Condition, ...] = ()
    order: tuple[Precedence, ...] = ()
    steps: tuple[AnswerStep, ...] = Field(default=(), max_length=MOST_STEPS)
    question: str = ""
    choices: tuple[str, ...] = ()
    reason: str = ""


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    names = list(properties)
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


_TEXT: Mapping[str, Any] = {"type": "string"}
_STEP: Mapping[str, Mapping[str, Any]] = {
    "id": _TEXT,
    "do": {"type": "string", "description": "a skill call such as pick(red block)"},
    "after": {"anyOf": [_list(_TEXT), {"type": "null"}]},
    "if": {"anyOf": [_TEXT, {"type": "null"}]},
}
SCHEMA: Mapping[str, Any] = _object(
    reasoning=_TEXT,
    answer={"type": "string", "enum": [kind.value for kind in AnswerKind]},
    goal=_list({"type": "string", "description": "a literal such as in(red block, blue bowl)"}),
    order=_list(_object(first=_TEXT, then=_TEXT)),
    branches=_list(_object(**{"if": _TEXT, "then": _list(_TEXT), "else": _list(_TEXT)})),
    steps=_list(_object(**_STEP)),
    question=_TEXT,
    choices=_list(_TEXT),
    reason=_TEXT,
)
"""What is sent as JSON schema: every key required and none besides, as strict servers want it."""


def read_answer(text: str) -> Answer:
    """The answer in a model's reply. Raises AnswerError that says what was expected."""
    try:
        data = find_object(text, KNOWN_KEYS)
    except NoJsonError as error:
        raise AnswerError(str(error)) from error
    have = ", ".join(list(data)[:8]) or "none"
    data = tidy_answer(data)
    if not Answer.model_fields.keys() & data.keys():
        raise AnswerError(f"the JSON has other keys than asked for ({have}); expected: {', '.join(SCHEMA['required'])}")
    try:
        return Answer.model_validate(data)
    except ValidationError as error:
        raise AnswerError(_in_words(error)) from error


def _in_words(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False)[:4]:
        place = ".".join(str(part) for part in item["loc"]) or "the object"
        parts.append(f"{place}: {item['msg']}, got {json.dumps(item['input'], default=str)[:80]}")
    return "the JSON does not have the form asked for: " + "; ".join(parts)
