"""Goal: what must hold at the end. One record for suites, `--goal`, the grammar and language-model answers.

Not for: how to get there (skills.skill_graph).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from skills.literals import Literal, LiteralSyntaxError
from skills.symbolic_state import SymbolicState


def _read_literal(value: Any) -> Literal:
    return value if isinstance(value, Literal) else Literal.parse(value)


LiteralText = Annotated[
    Literal, BeforeValidator(_read_literal), PlainSerializer(str), WithJsonSchema({"type": "string"})
]
"""A Literal that is a plain string in JSON and YAML."""


class GoalBranch(BaseModel):
    """A part of a goal that depends on the state at the start: if `condition` holds, `then`, else `otherwise`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    condition: LiteralText
    then: tuple[LiteralText, ...] = ()
    otherwise: tuple[LiteralText, ...] = ()


class Goal(BaseModel):
    """Final literals or alternative sets of them, ordered pairs, and branches on the starting state.

    order: (first, second) pairs: `first` becomes true before `second` does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    literals: tuple[LiteralText, ...] = ()
    alternatives: tuple[tuple[LiteralText, ...], ...] = ()
    order: tuple[tuple[LiteralText, LiteralText], ...] = ()
    branches: tuple[GoalBranch, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Goal:
        """Read `--goal`: literals joined by `;`, `&`, `and` or commas. Raises LiteralSyntaxError, also for none."""
        parts = [part for part in _split(text) if part.strip()]
        if not parts:
            raise LiteralSyntaxError("an empty goal; expected literals like 'in(red block, red bowl), lit(lamp)'")
        return cls(literals=tuple(Literal.parse(part) for part in parts))

    def end_states(self, start: SymbolicState) -> tuple[tuple[Literal, ...], ...]:
        """The sets of literals of which one must hold at the end, given the state at the start."""
        extra: list[Literal] = []
        for branch in self.branches:
            extra.extend(branch.then if start.holds(branch.condition) else branch.otherwise)
        sets = [s for s in (self.literals, *self.alternatives) if s] or [()]
        return tuple((*s, *extra) for s in sets)

    def unmet(self, state: SymbolicState, start: SymbolicState) -> tuple[Literal, ...]:
        """What does not (surely) hold in `state` of the end state nearest to it; empty when the end is reached."""
        gaps = [tuple(lit for lit in s if state.holds(lit) is not True) for s in self.end_states(start)]
        return min(gaps, key=len)

    def reached(self, history: Sequence[SymbolicState]) -> bool:
        """True when the last state satisfies the goal and the history its order. history[0] is the start."""
        if self.unmet(history[-1], history[0]):
            return False
        return all(_became_true_first(first, second, history) for first, second in self.order)


def _split(text: str) -> list[str]:
    """At separators outside of parentheses."""
    parts, depth, begun = [], 0, 0
    for match in _SEPARATOR.finditer(text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if match[0] not in "()" and depth <= 0:
            parts.append(text[begun : match.start()])
            begun = match.end()
    return [*parts, text[begun:]]


_SEPARATOR = re.compile(r"[();&,]|\band\b")


def _became_true_first(first: Literal, second: Literal, history: Sequence[SymbolicState]) -> bool:
    """Compares the last time each became true: what was undone and redone counts when it was redone."""

    def last_onset(literal: Literal) -> int | None:
        onsets = [
            i for i, s in enumerate(history) if s.holds(literal) and (i == 0 or not history[i - 1].holds(literal))
        ]
        return onsets[-1] if onsets else None

    when_first, when_second = last_onset(first), last_onset(second)
    if when_first is None:
        return False
    return when_second is None or when_first < when_second or when_first == 0
