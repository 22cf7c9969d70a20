"""SimulationState: every number from which a simulation is rebuilt. The heart of exact snapshots.

Not for: geometry that literals are judged on (robots.physical_state) or scene files (scene_spec).
"""

from __future__ import annotations

from dataclasses import dataclass

from robots.robot import Quaternion, Vector3

STILL: Vector3 = (0.0, 0.0, 0.0)
UPRIGHT: Quaternion = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class BodyState:
    """One loose thing. kind: its colour, or for a distractor its kind. position_m: of its base frame."""

    name: str
    category: str  # block | bowl | pad | distractor
    kind: str
    position_m: Vector3
    orientation: Quaternion = UPRIGHT
    linear_velocity: Vector3 = STILL  # m/s
    angular_velocity: Vector3 = STILL  # rad/s


@dataclass(frozen=True)
class SlideState:
    """A prismatic joint: how far it is out or down (m), and how fast it moves (m/s)."""

    position_m: float = 0.0
    velocity_m_s: float = 0.0


@dataclass(frozen=True)
class ModelState:
    """A thing of a user's own: its URDF file, where its fixed base is, and its first movable joint (m or rad)."""

    name: str
    urdf: str
    position_m: Vector3
    orientation: Quaternion = UPRIGHT
    joint: SlideState = SlideState()


@dataclass(frozen=True)
class ArmState:
    """Nine joints (seven of the arm, two fingers), what the motors are told, and the commanded tool pose."""

    positions: tuple[float, ...]
    velocities: tuple[float, ...]
    targets_rad: tuple[float, ...]  # of the seven arm motors
    tool_position_m: Vector3  # commanded, not measured
    tool_rotation: tuple[float, ...]  # commanded, (3, 3) by rows
    closedness: float
    grip_force_n: float
    contact_force_n: float = 0.0


@dataclass(frozen=True)
class SimulationState:
    """All of it. drawer, button and lamp are None where the scene has none."""

    control_steps: int
    bodies: tuple[BodyState, ...]
    arm: ArmState
    models: tuple[ModelState, ...] = ()
    drawer: SlideState | None = None
    button: SlideState | None = None
    button_armed: bool = True
    lamp: bool | None = None
    held: str | None = None
    slipping: bool = False  # the fingers press with nothing until they hold nothing
