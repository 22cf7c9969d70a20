"""Interventions: what someone or something other than the robot does to the world, as records that a snapshot keeps.

Not for: when they happen (faults, fault_schedule) or how a bystander would tell them (disturbances).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

Point2 = tuple[float, float]


class InterventionError(ValueError):
    """An intervention that cannot happen in this world; the message names what could."""


@dataclass(frozen=True)
class MoveObject:
    """Someone puts an object down at (x, y) metres, upright, on whatever is there; what is on or in it comes along."""

    name: str
    position_m: Point2


@dataclass(frozen=True)
class RemoveObject:
    """Someone takes an object away for good."""

    name: str


@dataclass(frozen=True)
class SetDrawer:
    """Someone pulls or pushes the drawer to this opening in metres, as far as what is heaped in it allows."""

    opening_m: float


@dataclass(frozen=True)
class SetLamp:
    """The lamp goes on or off without the button."""

    on: bool


@dataclass(frozen=True)
class AddDistractor:
    """Someone puts a thing down that no task is about; with no place or name given, a seeded choice of each."""

    position_m: Point2 | None = None
    name: str | None = None  # "grey can"


@dataclass(frozen=True)
class SetGripForce:
    """From now on each finger presses with at most this force in newtons."""

    newtons: float


@dataclass(frozen=True)
class DropHeld:
    """What the fingers hold slips: they press with nothing until it is out of the hand."""


Intervention: TypeAlias = MoveObject | RemoveObject | SetDrawer | SetLamp | AddDistractor | SetGripForce | DropHeld

_KINDS: Mapping[Any, TypeAdapter[Intervention]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (MoveObject, RemoveObject, SetDrawer, SetLamp, AddDistractor, SetGripForce, DropHeld)
}


def to_json(intervention: Intervention) -> dict[str, Any]:
    """A JSON-ready record; `kind` names the class."""
    return {"kind": type(intervention).__name__, **asdict(intervention)}


def from_json(record: Any) -> Intervention:
    """Reads what `to_json` wrote. Raises InterventionError."""
    kind = record.get("kind") if isinstance(record, dict) else None
    if kind not in _KINDS:
        raise InterventionError(f"no intervention {kind!r}; have: {', '.join(_KINDS)}")
    try:
        return _KINDS[kind].validate_python({key: value for key, value in record.items() if key != "kind"})
    except ValidationError as error:
        first = error.errors()[0]
        raise InterventionError(f"{kind}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
