"""Dialogue: what earlier commands spoke of and where things were before them ("now put it back").

Not for: questions and answers within one command (they travel in PlanRequest.answers).
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from planner.grammar.context import Mention
from planner.grammar.understanding import Understood
from planner.planner import PlanRequest
from skills.state_record import StateRecord
from skills.symbolic_state import SymbolicState

_REMEMBERED = 20


class Dialogue:
    """Memory of one conversation, kept by a planner from command to command."""

    def __init__(self) -> None:
        self._arrived: tuple[str, SymbolicState] | None = None
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

    def snapshot(self) -> Any:
        """JSON-ready."""
        latest = None if self._latest is None else (self._latest[0], StateRecord.of(self._latest[1]))
        earlier = tuple(StateRecord.of(state) for state in self.earlier)
        return _Memory(earlier=earlier, mentions=self._mentions, latest=latest).model_dump(mode="json")

    def restore(self, data: Any) -> None:
        """Go on from what `snapshot` returned. Raises pydantic.ValidationError."""
        memory = _Memory.model_validate(data)
        self.earlier = tuple(record.state() for record in memory.earlier)
        self._mentions = memory.mentions
        self._latest = None if memory.latest is None else (memory.latest[0], memory.latest[1].state())

    def mentions(self, focus: tuple[str, ...]) -> tuple[Mention, ...]:
        """What "it" and "them" may mean: the sets spoken of where they agree with the focus, else the focus."""
        remembered = tuple(dict.fromkeys(n for m in self._mentions for n in m.names))
        if remembered and remembered[: len(focus)] == focus[: len(remembered)]:
            return tuple(Mention(m.names) for m in self._mentions)
        return tuple(Mention((name,)) for name in focus)


class _Memory(BaseModel):
    model_config = ConfigDict(extra="forbid")

    earlier: tuple[StateRecord, ...]
    mentions: tuple[Mention, ...]
    latest: tuple[str, StateRecord] | None
