"""Dialogue: what earlier commands spoke of and where things were before them ("now put it back").

Not for: questions and answers within one command (they travel in PlanRequest.answers).
"""

from __future__ import annotations

from planner.grammar.context import Mention
from planner.grammar.understanding import Understood
from planner.planner import PlanRequest
from skills.symbolic_state import SymbolicState

_REMEMBERED = 20


class Dialogue:
    """Memory of one conversation, kept by a planner from command to command."""

    def __init__(self) -> None:
        self.earlier: tuple[SymbolicState, ...] = ()
        self._mentions: tuple[Mention, ...] = ()
        self._latest: tuple[str, SymbolicState] | None = None

    def begin(self, request: PlanRequest) -> None:
        """A command arrives; the state before the one understood last becomes the past."""
        if self._latest is not None and not request.history and not request.answers:
            self.earlier = (self._latest[1], *self.earlier)[:_REMEMBERED]
            self._latest = None
        self._arrived = (request.instruction, request.scene.symbolic())

    def end(self, understood: Understood) -> None:
        """The command was understood."""
        self._mentions = understood.mentions[:_REMEMBERED]
        self._latest = self._arrived

    def mentions(self, focus: tuple[str, ...]) -> tuple[Mention, ...]:
        """What "it" and "them" may mean: the sets spoken of where they agree with the focus, else the focus."""
        remembered = tuple(dict.fromkeys(n for m in self._mentions for n in m.names))
        if focus and remembered[: len(focus)] == focus[: len(remembered)]:
            return tuple(Mention(m.names) for m in self._mentions)
        return tuple(Mention((name,)) for name in focus)
