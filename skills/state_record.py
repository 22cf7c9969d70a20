"""StateRecord: a SymbolicState as JSON, for snapshots.

Not for: beliefs with confidences and geometry (world_model.scene writes its own).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from skills.goal import LiteralText
from skills.symbolic_state import SymbolicState


class StateRecord(BaseModel):
    """Objects by category, facts as text, names of hidden objects; sorted, so that equal states are written alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    objects: dict[str, str]
    facts: tuple[LiteralText, ...]
    hidden: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: SymbolicState) -> StateRecord:
        return cls(objects=dict(state.objects), facts=tuple(sorted(state.facts)), hidden=tuple(sorted(state.hidden)))

    def state(self) -> SymbolicState:
        return SymbolicState(self.objects, frozenset(self.facts), frozenset(self.hidden))
