"""Memory of earlier commands in one session: what was asked, and what held before it ("now put it back").

Not for: questions and answers within one command, or what was tried (both travel in PlanRequest).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.planner import PlanRequest
from skills.literals import Literal
from skills.symbolic_state import SymbolicState

_REMEMBERED = 4


@dataclass(frozen=True)
class EarlierCommand:
    """What was asked, and the facts when it was asked."""

    instruction: str
    facts: frozenset[Literal]


class Memory:
    """Kept by a planner from command to command."""

    def __init__(self) -> None:
        self._earlier: tuple[EarlierCommand, ...] = ()  # latest first
        self._latest: EarlierCommand | None = None

    def begin(self, request: PlanRequest) -> tuple[EarlierCommand, ...]:
        """The commands before this one, latest first. Replanning and answering a question are no new commands."""
        if self._latest is not None and not request.history and not request.answers:
            self._earlier = (self._latest, *self._earlier)[:_REMEMBERED]
            self._latest = None
        return self._earlier

    def planned(self, request: PlanRequest) -> None:
        """The command led to a plan; its first state is the one to come back to."""
        if self._latest is None:
            self._latest = EarlierCommand(request.instruction, request.scene.symbolic().facts)


def in_words(earlier: tuple[EarlierCommand, ...], now: SymbolicState) -> Iterator[str]:
    """A line for each command, with what held before it and does not now."""
    for command in earlier:
        gone = "; ".join(str(fact) for fact in sorted(command.facts - now.facts)) or "nothing that is not so now"
        yield f'- "{command.instruction}"; before it: {gone}'
