"""WorldSnapshot: all that is needed to go on from here, exactly, also in another process; plain JSON.

The numbers of the last checkpoint and the record of every action and intervention since: restoring builds the
simulation from the numbers and replays the record. Floats survive JSON because they are written by repr.
Not for: rebuilding (simulation) or the state above the world (robot, faults, beliefs keep their own).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from robots.robot import Action
from robots.tabletop import interventions, names
from robots.tabletop.interventions import Intervention, InterventionError
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.state import SimulationState
from robots.tabletop.variations import Variation

FORMAT = 1  # what a snapshot says of itself; another number means another meaning of its fields


class SnapshotError(ValueError):
    """A snapshot that cannot be restored; the message says where it is broken."""


def _read_entry(value: Any) -> Any:
    if isinstance(value, dict) and value.get("kind") == "Action":
        return TypeAdapter(Action).validate_python({k: v for k, v in value.items() if k != "kind"})
    return interventions.from_json(value) if isinstance(value, dict) else value


def _write_entry(entry: Action | Intervention) -> dict[str, Any]:
    return {"kind": "Action", **asdict(entry)} if isinstance(entry, Action) else interventions.to_json(entry)


Entry: TypeAlias = Annotated[
    Action | Intervention, BeforeValidator(_read_entry), PlainSerializer(_write_entry, return_type=dict[str, Any])
]
"""One thing that happened: an action sent or an intervention."""


class WorldSnapshot(BaseModel):
    """Where a world is and how it got there since its last checkpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: Literal[1] = 1
    spec: SceneSpec
    seed: int
    variation: Variation | None = None
    checkpoint: SimulationState
    record: tuple[Entry, ...] = ()

    @field_validator("checkpoint")
    @classmethod
    def _is_whole(cls, state: SimulationState) -> SimulationState:
        arm = state.arm
        lengths = (len(arm.positions), len(arm.velocities), len(arm.targets_rad), len(arm.tool_rotation))
        if lengths != (9, 9, 7, 9):
            raise ValueError(f"an arm with {lengths} joints, velocities, targets and rotation; expected (9, 9, 7, 9)")
        for body in state.bodies:
            thing = names.read_thing(body.name)
            if (body.category, body.kind) not in ((thing.category, thing.colour), (thing.category, thing.name)):
                raise ValueError(f"'{body.name}' is kept as a {body.kind} {body.category}")
        return state

    def to_json(self) -> str:
        """One line of JSON."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str | bytes) -> WorldSnapshot:
        """Reads what `to_json` wrote. Raises SnapshotError."""
        try:
            return cls.model_validate_json(text)
        except (ValidationError, InterventionError) as error:
            raise SnapshotError(_in_words(error)) from error


def _in_words(error: ValidationError | InterventionError) -> str:
    if isinstance(error, InterventionError):
        return f"not a snapshot of the tabletop: {error}"
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "it"
    if first["loc"] == ("format",):
        return f"a snapshot of format {first['input']!r}; this version reads format {FORMAT}"
    return f"not a snapshot of the tabletop: {where}: {first['msg'].removeprefix('Value error, ')}"
