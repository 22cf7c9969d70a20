"""The JSON form of a scene.

Not for: what a scene means (world_model.scene).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from robots.physical_state import HandState
from skills.goal import LiteralText
from world_model.believed import BelievedLiteral, SceneObject


class LiteralRecord(BaseModel):
    """A BelievedLiteral whose literal is plain text."""

    model_config = ConfigDict(extra="forbid")

    literal: LiteralText
    confidence: float
    source: str

    @classmethod
    def of(cls, believed: BelievedLiteral) -> LiteralRecord:
        return cls(literal=believed.literal, confidence=believed.confidence, source=believed.source)

    def believed(self) -> BelievedLiteral:
        return BelievedLiteral(self.literal, self.confidence, self.source)


class SceneRecord(BaseModel):
    """See Scene for what the fields are."""

    model_config = ConfigDict(extra="forbid")

    objects: tuple[SceneObject, ...]
    literals: tuple[LiteralRecord, ...]
    unexplored: tuple[str, ...] = ()
    obscured: tuple[str, ...] = ()
    time_s: float = 0.0
    hand: HandState | None = None
    joints: dict[str, float] = {}
    switches: dict[str, bool] = {}
