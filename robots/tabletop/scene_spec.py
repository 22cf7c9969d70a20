"""SceneSpec: what stands where, as scene files say it; named scenes; random scenes.

Not for: choosing free positions (placement) or building bodies (objects).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SceneError(ValueError):
    """A scene that cannot be built; the message names what is wrong and what would be valid."""


class SceneSpec(BaseModel):
    """objects by name; relations as literals that hold at the start; positions (x, y) in metres, optional."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    objects: tuple[str, ...]
    relations: tuple[str, ...] = ()
    positions: dict[str, tuple[float, float]] = {}
