"""Finding the JSON object in what a language model wrote: fences, chatter, thoughts and small slips around it.

Not for: what the object should hold (planner.llm.answer).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

TEXT_LIMIT = 64_000
"""Characters; a plan of 60 steps takes about 6,000."""

_THOUGHT_END = re.compile(r"</(?:think|thinking|thought|thoughts|reasoning|analysis|reflection)\s*>", re.IGNORECASE)
_FENCE = re.compile(r"```[a-zA-Z0-9_-]*\s*\n?(.*?)```", re.DOTALL)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_MOST_STARTS = 200


class NoJsonError(ValueError):
    """A text without a usable JSON object; the message says in words what is the matter, fit for the model."""


def find_object(text: str, known_keys: frozenset[str]) -> dict[str, Any]:
    """The JSON object in `text` that has most of `known_keys`; of equals, the last. Raises NoJsonError."""
    if len(text) > TEXT_LIMIT:
        raise NoJsonError(f"the reply has {len(text)} characters; answer with one short JSON object")
    spoken = _THOUGHT_END.split(text)[-1]
    spoken = spoken if "{" in spoken else text
    best: dict[str, Any] | None = None
    for candidate in _objects(spoken):
        if best is None or len(known_keys & candidate.keys()) >= len(known_keys & best.keys()):
            best = candidate
    if best is not None:
        return best
    if not spoken.strip():
        raise NoJsonError("the reply is empty; answer with one JSON object")
    if "{" in spoken:
        raise NoJsonError("the JSON is cut off or broken; answer with one complete JSON object, shorter if need be")
    raise NoJsonError("there is no JSON object in the reply; answer with one JSON object and nothing else")


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Every object that can be read from it: whole fences, the span from first to last brace, and one by one."""
    spans = [match[1] for match in _FENCE.finditer(text)]
    first, last = text.find("{"), text.rfind("}")
    if 0 <= first < last:
        spans.append(text[first : last + 1])
    for span in spans:
        value = _read_leniently(span.strip())
        if isinstance(value, dict):
            yield value
    decoder = json.JSONDecoder()
    position = first
    for _ in range(_MOST_STARTS):
        if position < 0:
            return
        try:
            value, end = decoder.raw_decode(text, position)
            yield value
        except (ValueError, RecursionError):
            end = position + 1
        position = text.find("{", end)


def _read_leniently(text: str) -> Any:
    """JSON, JSON with commas too many, or a Python literal; None where it is none of them."""
    for read in (json.loads, lambda t: json.loads(_TRAILING_COMMA.sub(r"\1", t)), ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return None
