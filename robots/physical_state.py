"""PhysicalState: where everything is, in metres. The geometry that literals are evaluated on.

The simulator yields it whole (privileged: scripted experts, labels, tests); perception yields the part it saw.
Not for: symbols (see skills.literals) or beliefs (see world_model.scene).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from robots.robot import Quaternion, Vector3


@dataclass(frozen=True)
class ObjectState:
    """One named thing. position_m is the centre of its body, size_m its full extents along its own axes."""

    name: str  # "red block", "drawer", "button"
    category: str  # block | bowl | pad | drawer | button | lamp | table | distractor | a user's own
    position_m: Vector3
    orientation: Quaternion = (0.0, 0.0, 0.0, 1.0)
    size_m: Vector3 = (0.04, 0.04, 0.04)


@dataclass(frozen=True)
class HandState:
    """The gripper: tool point between the finger tips, and what both fingers touch and carry."""

    tool_position_m: Vector3
    tool_orientation: Quaternion
    opening_m: float
    held: str | None = None  # touched by both fingers and off its support


@dataclass(frozen=True)
class PhysicalState:
    """Everything whose place is known at one moment.

    joints: opening of sliding and pressing things, metres ("drawer": 0 closed to 0.16 open or so; "button": depth).
    switches: things that are on or off ("lamp").
    """

    time_s: float
    objects: Mapping[str, ObjectState]
    hand: HandState
    joints: Mapping[str, float] = field(default_factory=dict)
    switches: Mapping[str, bool] = field(default_factory=dict)
