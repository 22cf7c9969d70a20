"""Models: things of a user's own in a scene, from URDF files; what a skill of one's own may need to work on.

A model's base is fixed to the table. Its first movable joint is reported in PhysicalState.joints under the model's
name, and rests where it is left, by the friction the URDF gives it.
Not for: the things the tabletop itself knows (objects).
"""

from __future__ import annotations

import math
from pathlib import Path

import pybullet as p
from pydantic import BaseModel, ConfigDict, Field

from robots.physical_state import ObjectState
from robots.tabletop import footprints
from robots.tabletop.names import COLOURS_OF, FIXTURES, TABLE, SceneError, tidy
from robots.tabletop.state import ModelState, SlideState

DEFAULT_FRICTION = 0.5  # newtons, or newton metres of a hinge: where a URDF gives its joint none
MOVABLE_JOINTS = (p.JOINT_REVOLUTE, p.JOINT_PRISMATIC)


class ModelSpec(BaseModel):
    """Where a model's URDF file is, and where its base frame stands on the table: (x, y) metres, yaw in degrees."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    urdf: Path
    position: tuple[float, float]
    yaw_deg: float = Field(default=0.0, ge=-360.0, le=360.0)

    def within(self, folder: Path) -> ModelSpec:
        """The same with its URDF's path taken from that folder, unless it is absolute."""
        return self.model_copy(update={"urdf": (folder / self.urdf).resolve()})


def check_model(name: str, spec: ModelSpec, objects: tuple[str, ...]) -> None:
    """Raises SceneError for a name the tabletop keeps for itself, a place in the way, or a file that is not there."""
    if name != tidy(name) or not name or category_of(name) in (*COLOURS_OF, *FIXTURES, TABLE):
        raise SceneError(
            f"a model cannot be called '{name}': names are lower case and end in a category of their own, as in "
            f"'steel lever'; the tabletop keeps {', '.join((*COLOURS_OF, *FIXTURES, TABLE))}"
        )
    footprints.check_place(name, "model", spec.position, objects)
    if not spec.urdf.is_file():
        raise SceneError(f"'{name}': no URDF file at {spec.urdf}")


def category_of(name: str) -> str:
    return name.rpartition(" ")[2]


def initial_model(name: str, spec: ModelSpec) -> ModelState:
    """Its joint at zero."""
    half = math.radians(spec.yaw_deg) / 2
    turn = (0.0, 0.0, math.sin(half), math.cos(half))
    return ModelState(name, str(spec.urdf.resolve()), (*spec.position, 0.0), turn)


def build_model(client: int, state: ModelState) -> tuple[int, int | None]:
    """The body and its first movable joint, if any, in that state. Raises SceneError where Bullet cannot load it."""
    try:
        body: int = p.loadURDF(
            state.urdf, state.position_m, state.orientation, useFixedBase=True, physicsClientId=client
        )
    except p.error as error:
        raise SceneError(f"'{state.name}': {state.urdf} is no URDF that Bullet can load: {error}") from error
    joint = _first_movable(client, body)
    if joint is not None:
        slide = state.joint
        p.resetJointState(body, joint, slide.position_m, slide.velocity_m_s, physicsClientId=client)
        friction = p.getJointInfo(body, joint, physicsClientId=client)[7] or DEFAULT_FRICTION
        p.setJointMotorControl2(
            body, joint, p.VELOCITY_CONTROL, targetVelocity=0, force=friction, physicsClientId=client
        )
    return body, joint


def read_model(client: int, body: int, joint: int | None, state: ModelState) -> ModelState:
    """The same model as it is now."""
    if joint is None:
        return state
    position, velocity, *_ = p.getJointState(body, joint, physicsClientId=client)
    return ModelState(state.name, state.urdf, state.position_m, state.orientation, SlideState(position, velocity))


def model_object(client: int, body: int, state: ModelState) -> ObjectState:
    """As it is reported: centre and extents of the box around all its links, as they were when it was built."""
    boxes = [
        p.getAABB(body, link, physicsClientId=client)
        for link in range(-1, p.getNumJoints(body, physicsClientId=client))
    ]
    low = [min(box[0][k] for box in boxes) for k in range(3)]
    high = [max(box[1][k] for box in boxes) for k in range(3)]
    x, y, z = ((a + b) / 2 for a, b in zip(low, high, strict=True))
    dx, dy, dz = (b - a for a, b in zip(low, high, strict=True))
    return ObjectState(state.name, category_of(state.name), (x, y, z), state.orientation, (dx, dy, dz))


def _first_movable(client: int, body: int) -> int | None:
    joints = range(p.getNumJoints(body, physicsClientId=client))
    kinds = {joint: p.getJointInfo(body, joint, physicsClientId=client)[2] for joint in joints}
    return next((joint for joint, kind in kinds.items() if kind in MOVABLE_JOINTS), None)
