"""Names as language models write them → names as the scene has them.

Capitals, underscores, quotes, "the" and "block=" are form, not content; a name that is still not in the scene stays
as it is, so that the check that follows can say so.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from skills.literals import Literal
from skills.skill import SkillCall

_FORM = re.compile(r"^\s*(?P<head>[A-Za-z_][\w-]*)\s*\((?P<inside>.*)\)\s*[.;,]?\s*$", re.DOTALL)
_NEGATION = re.compile(r"^\s*(?:not\b|¬|!|~)\s*", re.IGNORECASE)


def read_call(text: str, known: Collection[str]) -> SkillCall:
    """A skill call. Raises SkillCallError where it has no form of one."""
    return SkillCall.parse(_tidy_form(text, known))


def read_literal(text: str, known: Collection[str]) -> Literal:
    """A literal, also as `not(on(a, b))`. Raises LiteralSyntaxError where it has no form of one."""
    negated = _NEGATION.match(text)
    if negated is None:
        return Literal.parse(_tidy_form(text, known))
    rest = text[negated.end() :].strip()
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[1:-1]
    return Literal.parse(f"not {_tidy_form(rest, known)}")


def names_in(text: str, known: Collection[str]) -> tuple[str, ...]:
    """The arguments of a call or literal as it is written, in their tidy form; none where it has no form of one."""
    match = _FORM.match(_NEGATION.sub("", text).strip("`\"' "))
    return tuple(_tidy_name(part, known) for part in match["inside"].split(",")) if match else ()


def _tidy_form(text: str, known: Collection[str]) -> str:
    text = text.strip().strip("`\"'").strip()
    match = _FORM.match(text)
    if match is None:
        return text
    arguments = [_tidy_name(part, known) for part in match["inside"].split(",")] if match["inside"].strip() else []
    return f"{match['head'].lower()}({', '.join(arguments)})"


def _tidy_name(word: str, known: Collection[str]) -> str:
    plain = " ".join(word.rpartition("=")[2].split()).strip("`\"'").strip()
    if plain in known:
        return plain
    spaced = re.sub(r"[_-]+", " ", plain.lower()).strip()
    for candidate in (plain.lower(), spaced, spaced.removeprefix("the ")):
        if candidate in known:
            return candidate
    return spaced.removeprefix("the ")
