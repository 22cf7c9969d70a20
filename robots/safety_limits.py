"""EnvelopeLimits: the numbers of the safety envelope, with their reasons.

Not for: applying them (robots.safety).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from robots.robot import Vector3


class EnvelopeError(ValueError):
    """Limits that would not limit: not finite, not positive, or a box without inside."""


@dataclass(frozen=True)
class EnvelopeLimits:
    """What a control step may do at most. Positions are of the tool point in the robot's base frame.

    Steps and changes are Euclidean lengths per control step of 0.1 s; 0.08 m a step is 0.8 m/s, under half of what the
    Panda's maker allows. Targets keep `workspace_margin_m` from the box's walls, so that a controller's overshoot stays
    inside. Joint ranges and speeds are the Panda's published ones (Franka Control Interface documentation, "Robot and
    interface specifications"); empty for a robot without joints.
    """

    workspace_low_m: Vector3 = (0.15, -0.60, -0.01)
    workspace_high_m: Vector3 = (0.85, 0.60, 0.70)
    workspace_margin_m: float = 0.015
    max_step_m: float = 0.08
    max_step_rad: float = 0.35
    max_change_m: float = 0.12
    max_change_rad: float = 0.50
    joint_low_rad: tuple[float, ...] = (-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973)
    joint_high_rad: tuple[float, ...] = (2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973)
    joint_margin_rad: float = 0.03
    joint_speed_rad_s: tuple[float, ...] = (2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61)
    max_miss_m: float = 0.01  # an arm that cannot follow is near the end of its reach, where it leaps between postures
    max_miss_rad: float = 0.05
    contact_limit_n: float = 80.0  # beyond it the arm backs out of the contact
    contact_retreat_m: float = 0.01
    contact_stop_n: float = 250.0  # beyond it the robot stops
    max_unobserved_steps: int = 16
    max_observation_age_s: float = 2.0

    def __post_init__(self) -> None:
        margin = 2 * self.workspace_margin_m
        pairs = zip(self.workspace_low_m, self.workspace_high_m, strict=True)
        if not all(math.isfinite(low) and math.isfinite(high) and low + margin < high for low, high in pairs):
            raise EnvelopeError(f"workspace box without inside: {self.workspace_low_m} to {self.workspace_high_m}")
        if not len(self.joint_low_rad) == len(self.joint_high_rad) == len(self.joint_speed_rad_s):
            raise EnvelopeError("joint_low_rad, joint_high_rad and joint_speed_rad_s differ in length")
        for name in ("joint_low_rad", "joint_high_rad", "joint_speed_rad_s"):
            if not all(math.isfinite(value) for value in getattr(self, name)):
                raise EnvelopeError(f"{name} must be finite numbers, not {getattr(self, name)}")
        for name in ("workspace_margin_m", "joint_margin_rad"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise EnvelopeError(f"{name} must be a finite number, zero or more, not {getattr(self, name)!r}")
        for name in (
            "max_step_m",
            "max_step_rad",
            "max_change_m",
            "max_change_rad",
            "max_miss_m",
            "max_miss_rad",
            "contact_limit_n",
            "contact_retreat_m",
            "contact_stop_n",
            "max_unobserved_steps",
            "max_observation_age_s",
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise EnvelopeError(f"{name} must be a positive finite number, not {value!r}")
