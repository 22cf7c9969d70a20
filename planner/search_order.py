"""Watching order during a search: of each pair, did the first become true before the second?

Keeps for every pair which of the two last became true later, exactly as skills.goal.Goal.reached compares them,
packed into one integer beside the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from planner.search_conditions import Condition
from planner.search_problem import Problem
from skills.literals import Literal

_WIDTH = 3


class Progress(IntEnum):
    """Where one pair stands. "First" and "second" speak of when each last became true."""

    NEITHER = 0
    ONLY_SECOND = 1
    FIRST_FROM_START = 2  # the first has been true since the start, the second never yet
    FIRST_FROM_START_THEN_SECOND = 3
    ONLY_FIRST = 4
    IN_ORDER = 5
    WRONG_WAY = 6

    @property
    def in_order(self) -> bool:
        return self in _GOOD


_GOOD = frozenset(
    (Progress.FIRST_FROM_START, Progress.FIRST_FROM_START_THEN_SECOND, Progress.ONLY_FIRST, Progress.IN_ORDER)
)
_SECOND_SEEN = frozenset(
    (Progress.ONLY_SECOND, Progress.FIRST_FROM_START_THEN_SECOND, Progress.IN_ORDER, Progress.WRONG_WAY)
)


@dataclass(frozen=True)
class _Pair:
    first: Condition
    second: Condition


class OrderWatch:
    """The pairs of one goal. A state of the watch is an integer; 0 pairs cost nothing.

    sometime: literals that must become true at some time after the start or hold at the start (no second).
    """

    def __init__(
        self,
        problem: Problem,
        order: Sequence[tuple[Literal, Literal]] = (),
        sometime: Sequence[Literal] = (),
    ) -> None:
        self.problem = problem
        nothing = Condition(never=True)
        self.pairs = [_Pair(problem.condition((a,)), problem.condition((b,))) for a, b in order]
        self.pairs += [_Pair(problem.condition((literal,)), nothing) for literal in sometime]
        self._wants: dict[int, Condition] = {}

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Conditions whose changes are watched."""
        return tuple(c for pair in self.pairs for c in (pair.first, pair.second) if not c.never)

    def start(self, bits: int) -> int:
        return _pack([self._at_start(pair, bits) for pair in self.pairs])

    def _at_start(self, pair: _Pair, bits: int) -> Progress:
        first, second = self.problem.holds(pair.first, bits), self.problem.holds(pair.second, bits)
        if first:
            return Progress.FIRST_FROM_START_THEN_SECOND if second else Progress.FIRST_FROM_START
        return Progress.ONLY_SECOND if second else Progress.NEITHER

    def advance(self, watch: int, before: int, after: int) -> int:
        """The watch after one step from `before` to `after`."""
        if not self.pairs:
            return 0
        return _pack(
            [self._next(Progress(watch >> _WIDTH * i & 7), pair, before, after) for i, pair in enumerate(self.pairs)]
        )

    def _next(self, progress: Progress, pair: _Pair, before: int, after: int) -> Progress:
        first = self.problem.holds(pair.first, after) and not self.problem.holds(pair.first, before)
        second = self.problem.holds(pair.second, after) and not self.problem.holds(pair.second, before)
        if first:
            return Progress.WRONG_WAY if second or progress in _SECOND_SEEN else Progress.ONLY_FIRST
        if not second:
            return progress
        match progress:
            case Progress.NEITHER | Progress.ONLY_SECOND:
                return Progress.ONLY_SECOND
            case Progress.FIRST_FROM_START | Progress.FIRST_FROM_START_THEN_SECOND:
                return Progress.FIRST_FROM_START_THEN_SECOND
            case _:
                return Progress.IN_ORDER

    def satisfied(self, watch: int) -> bool:
        return all(Progress(watch >> _WIDTH * i & 7).in_order for i in range(len(self.pairs)))

    def wants(self, node: tuple[int, int]) -> Condition | None:
        """What must yet become true for the pairs: the first where it never was; the second where it came too soon."""
        watch = node[1]
        if not self.pairs or self.satisfied(watch):
            return None
        if watch not in self._wants:
            wanted = Condition()
            for i, pair in enumerate(self.pairs):
                progress = Progress(watch >> _WIDTH * i & 7)
                if not progress.in_order:
                    part = pair.second if progress is Progress.WRONG_WAY else pair.first
                    wanted.true |= part.true
                    wanted.false |= part.false
                    wanted.any_of += part.any_of
                    wanted.checks += part.checks
            self._wants[watch] = wanted
        return self._wants[watch]


def _pack(values: Sequence[Progress]) -> int:
    return sum(value << _WIDTH * i for i, value in enumerate(values))
