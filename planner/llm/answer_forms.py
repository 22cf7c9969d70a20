"""Other shapes in which models write the same answer → the one that was asked for.

Wrapped in another object, with keys by other names, a goal as one string or as a record, calls as name and arguments.
Form only: nothing is guessed, left out or made up.
Not for: the form asked for (planner.llm.answer).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_STEPS_KEYS = ("graph", "plan", "actions", "calls")
_GOAL_KEYS = ("goals", "goal_literals", "literals")
_GOAL_PARTS = ("alternatives", "order", "branches")
_KIND_KEYS = ("answer", "kind", "type")
_KIND_ALIASES = {"clarify": "question", "ask": "question", "graph": "plan", "refuse": "impossible"}
_CALL_KEYS = ("call", "action", "skill", "name", "function")
_ARGUMENT_KEYS = ("arguments", "args", "parameters", "params")
KNOWN_KEYS = frozenset(
    (*_STEPS_KEYS, *_GOAL_KEYS, *_KIND_KEYS, "reasoning", "goal", "order", "steps", "question", "choices", "reason")
)
"""Keys by which an answer is told from other objects in a text."""
_BETWEEN_LITERALS = re.compile(r"\s*(?:;|&|\n|\band\b|(?<=\)),)\s*")


def tidy_answer(value: Mapping[str, Any]) -> dict[str, Any]:
    """An object as a model wrote it, with the keys that were asked for where it has their content."""
    data = _unwrap({str(key).lower(): item for key, item in value.items() if item is not None})
    kind = _kind(data)
    _rename(data, "steps", _STEPS_KEYS)
    _rename(data, "goal", _GOAL_KEYS)
    if isinstance(data.get("steps"), dict):
        data["steps"] = data["steps"].get("steps", ())
    if isinstance(data.get("goal"), dict):
        goal = {str(key).lower(): item for key, item in data["goal"].items()}
        data = {**{part: goal[part] for part in _GOAL_PARTS if part in goal}, **data, "goal": goal.get("literals", ())}
    if isinstance(data.get("goal"), str):
        data["goal"] = [part for part in _BETWEEN_LITERALS.split(data["goal"].strip()) if part]
    return {**data, "answer": kind} if kind is not None else data


def call_text(data: Mapping[str, Any]) -> Any:
    """{"skill": "pick", "arguments": ["red block"]} and the like → "pick(red block)"."""
    call = next((data[key] for key in _CALL_KEYS if data.get(key)), None)
    if not isinstance(call, str) or "(" in call:
        return call
    arguments = next((data[key] for key in _ARGUMENT_KEYS if data.get(key)), ())
    if isinstance(arguments, Mapping):
        arguments = list(arguments.values())
    if not isinstance(arguments, list | tuple):
        arguments = [arguments]
    return f"{call}({', '.join(map(str, arguments))})"


def _unwrap(data: dict[str, Any]) -> dict[str, Any]:
    """{"plan": {…}} and {"answer": {…}} hold the answer itself."""
    for _ in range(3):
        inner = [value for value in data.values() if isinstance(value, dict) and {"steps", "goal"} & value.keys()]
        if len(inner) != 1 or "steps" in data or "goal" in data:
            break
        rest = {key: value for key, value in data.items() if value is not inner[0]}
        data = {**rest, **{str(key).lower(): item for key, item in inner[0].items() if item is not None}}
    return data


def _rename(data: dict[str, Any], name: str, others: tuple[str, ...]) -> None:
    for other in others:
        if name not in data and isinstance(data.get(other), dict | list):
            data[name] = data.pop(other)


def _kind(data: Mapping[str, Any]) -> Any:
    """The kind named, else the one that the filled keys speak for; None where none does."""
    named = next((data[key] for key in _KIND_KEYS if isinstance(data.get(key), str) and data[key].strip()), None)
    if named is not None:
        word = named.strip().lower()
        return _KIND_ALIASES.get(word, word)
    if any(data.get(key) for key in ("steps", *_STEPS_KEYS)):
        return "plan"
    if data.get("question"):
        return "question"
    if data.get("reason"):
        return "impossible"
    return "plan" if "goal" in data or "steps" in data else None
