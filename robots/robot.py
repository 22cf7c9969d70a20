"""The Robot protocol and the records that cross it: what a robot senses and what it is told to do.

Not for: planning words (literals, skills) or privileged simulator state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]  # x, y, z, w

CONTROL_RATE_HZ = 10.0


@dataclass(frozen=True)
class Action:
    """One RT-2 action (arXiv 2307.15818, section 3.2), executed over one control step of 0.1 s.

    world_vector: displacement of the tool point in the robot's base frame, metres.
    rotation_delta: roll, pitch, yaw about the base frame's axes, radians.
    gripper: closedness wanted at the end of the step, 0 open to 1 closed (absolute, not a change).
    terminate: the policy says the skill is over; the other fields are then not executed.
    """

    world_vector: Vector3 = (0.0, 0.0, 0.0)
    rotation_delta: Vector3 = (0.0, 0.0, 0.0)
    gripper: float = 0.0
    terminate: bool = False


@dataclass(frozen=True)
class SentAction:
    """What `Robot.apply` really sent, and in words why it differs from what was asked (empty: it does not)."""

    requested: Action
    sent: Action
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class CameraImage:
    """One calibrated picture.

    rgb: (height, width, 3) uint8.
    intrinsics: (3, 3) pinhole matrix in pixels; pixel centres at integer + 0.5.
    camera_to_world: (4, 4) pose of the camera in the robot's base frame; camera axes x right, y down, z forward.
    time_s: when it was taken, on the clock of Observation.time_s; a frozen or late frame is older than its observation.
    """

    rgb: NDArray[np.uint8]
    intrinsics: NDArray[np.float64]
    camera_to_world: NDArray[np.float64]
    time_s: float


@dataclass(frozen=True)
class Proprioception:
    """What the robot feels of itself, in its base frame (x forward, y left, z up)."""

    tool_position_m: Vector3
    tool_orientation: Quaternion
    joint_positions_rad: tuple[float, ...]  # arm joints only
    joint_velocities_rad_s: tuple[float, ...]
    gripper_opening_m: float  # distance between the fingers, 0 closed to 0.08 open
    gripper_closedness: float  # the last commanded closedness, 0 to 1
    contact_force_n: float  # normal force on hand, fingers or what they grip from outside, mean over the last step


@dataclass(frozen=True)
class Observation:
    """What the sensors returned at one control step.

    step: control steps since the robot was connected; time_s: simulated or wall seconds at capture.
    images: by camera name ("front", "overhead", "wrist"); may be empty where nobody asked for pictures.
    """

    step: int
    time_s: float
    proprioception: Proprioception
    images: Mapping[str, CameraImage] = field(default_factory=dict)


class Robot(Protocol):
    """A body that senses and acts at CONTROL_RATE_HZ; every action passes its safety envelope."""

    def observe(self) -> Observation: ...

    def apply(self, action: Action) -> SentAction:
        """Execute one control step and return the action actually sent.

        Raises robots.safety.SafetyStop when the envelope had to stop the robot.
        """
        ...

    def stop(self, reason: str) -> None:
        """Halt within one control step and hold position; callable from a signal handler or another thread."""
        ...

    def resume(self) -> None:
        """Allow actions again after `stop` or a SafetyStop."""
        ...

    def home(self, *, open_hand: bool = True) -> bool:
        """Move to the home pose, through ordinary envelope-checked actions; open_hand=False keeps what is held. Whether
        it got there."""
        ...
