"""What is true of a running simulation, read from Bullet: grasp, contact force, physical state, proprioception.

Not for: what a camera sees (cameras) or what the robot may know (proprioception is all that is its own).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pybullet as p

from robots.physical_state import HandState, ObjectState, PhysicalState
from robots.robot import CONTROL_RATE_HZ, Proprioception, Vector3
from robots.tabletop import layout, panda
from robots.tabletop.state import BodyState

if TYPE_CHECKING:
    from robots.tabletop.simulation import Simulation

TOUCH_M = 0.001  # two bodies at most this far apart touch
SUPPORT_NORMAL_Z = 0.5  # a contact from below, steep enough to bear
GRIP_NORMAL = 0.7  # a finger's contact this much along the closing axis is a grip, not a blow

BODY_SIZES_M: Mapping[str, Vector3] = {
    "block": (layout.BLOCK_SIZE_M,) * 3,
    "bowl": (2 * layout.BOWL_OUTER_RADIUS_M, 2 * layout.BOWL_OUTER_RADIUS_M, layout.BOWL_HEIGHT_M),
    "pad": (layout.PAD_SIZE_M, layout.PAD_SIZE_M, layout.PAD_THICKNESS_M),
}


def held_block(simulation: Simulation) -> str | None:
    """The block that both fingers touch and nothing bears from below."""
    left, right = (
        {
            contact[2]
            for contact in p.getContactPoints(
                bodyA=simulation.robot_body, linkIndexA=link, physicsClientId=simulation.client
            )
            if contact[8] < TOUCH_M
        }
        for link in panda.FINGER_LINKS
    )
    for body in left & right:
        name = simulation.blocks.get(body)
        if name is not None and not _is_supported(simulation, body):
            return name
    return None


def _is_supported(simulation: Simulation, body: int) -> bool:
    contacts = p.getContactPoints(bodyA=body, physicsClientId=simulation.client)
    return any(c[2] != simulation.robot_body and c[8] < TOUCH_M and c[7][2] > SUPPORT_NORMAL_Z for c in contacts)


def outside_force_n(simulation: Simulation, closing_axis: panda.Vector) -> float:
    """Largest normal force between the robot, or a block it grips, and anything else. The grip itself is no such."""
    contacts = p.getContactPoints(bodyA=simulation.robot_body, physicsClientId=simulation.client)
    if not contacts:
        return 0.0
    left, right = ({c[2] for c in contacts if c[3] == link} for link in panda.FINGER_LINKS)
    forces = [0.0]
    for contact in contacts:
        between_fingers = contact[2] in left and contact[2] in right
        if not (between_fingers and abs(float(closing_axis @ contact[7])) > GRIP_NORMAL):
            forces.append(contact[9])
    for body in left & right & simulation.blocks.keys():
        touching = p.getContactPoints(bodyA=body, physicsClientId=simulation.client)
        forces += [contact[9] for contact in touching if contact[2] != simulation.robot_body]
    return max(forces)


def physical_state(simulation: Simulation) -> PhysicalState:
    """Everything, as it truly is."""
    found = dict(simulation.static_objects)
    for body, name in simulation.blocks.items():
        position, orientation = p.getBasePositionAndOrientation(body, physicsClientId=simulation.client)
        found[name] = ObjectState(name, "block", position, orientation, BODY_SIZES_M["block"])
    sliding = [name for name in ("drawer", "button") if name in simulation.bodies]
    joints: dict[str, float] = {name: simulation.slide(name).position_m for name in sliding}
    joints.update({model.name: model.joint.position_m for model in simulation.models()})
    if "drawer" in joints:
        found["drawer"] = drawer_state(joints["drawer"])
    if "button" in joints:
        found["button"] = button_state(joints["button"])
    positions = simulation.joint_positions()
    tool = panda.tool_pose(positions[:7])
    hand = HandState(
        panda.vector3(tool.position),
        panda.quaternion_of(tool.rotation),
        positions[7] + positions[8],
        simulation.held,
    )
    switches = {} if simulation.lamp is None else {"lamp": simulation.lamp}
    return PhysicalState(simulation.control_steps / CONTROL_RATE_HZ, found, hand, joints, switches)


def proprioception(simulation: Simulation) -> Proprioception:
    states = p.getJointStates(simulation.robot_body, panda.JOINTS, physicsClientId=simulation.client)
    tool = panda.tool_pose([s[0] for s in states[:7]])
    return Proprioception(
        tool_position_m=panda.vector3(tool.position),
        tool_orientation=panda.quaternion_of(tool.rotation),
        joint_positions_rad=tuple(s[0] for s in states[:7]),
        joint_velocities_rad_s=tuple(s[1] for s in states[:7]),
        gripper_opening_m=states[7][0] + states[8][0],
        gripper_closedness=simulation.closedness,
        contact_force_n=simulation.contact_force_n,
    )


def static_state(body: BodyState) -> ObjectState:
    """A bowl, pad or distractor; their body frames are on the underside, except a pad's."""
    x, y, z = body.position_m
    size = BODY_SIZES_M.get(body.category) or layout.DISTRACTOR_SIZES_M[body.kind.rpartition(" ")[2]]
    centre = (x, y, z) if body.category == "pad" else (x, y, z + size[2] / 2)
    return ObjectState(body.name, body.category, centre, body.orientation, size)


def drawer_state(opening_m: float) -> ObjectState:
    """The box that slides, without its handle."""
    wall, height = layout.DRAWER_WALL_THICKNESS_M, layout.DRAWER_WALL_HEIGHT_M
    centre = (layout.CABINET_X_M, layout.drawer_centre_y(opening_m), layout.DRAWER_FLOOR_Z_M + height / 2)
    size = (layout.DRAWER_INTERIOR_X_M + 2 * wall, layout.DRAWER_INTERIOR_Y_M + 2 * wall, height)
    return ObjectState("drawer", "drawer", centre, size_m=size)


def button_state(depth_m: float) -> ObjectState:
    """From the table to the top of its cap."""
    top = layout.BUTTON_BASE_HEIGHT_M + layout.BUTTON_CAP_HEIGHT_M - depth_m
    width = 2 * layout.BUTTON_BASE_RADIUS_M
    return ObjectState("button", "button", (*layout.BUTTON_POSITION, top / 2), size_m=(width, width, top))


def lamp_state() -> ObjectState:
    width, height = 2 * layout.LAMP_BASE_RADIUS_M, layout.LAMP_HEIGHT_M
    return ObjectState("lamp", "lamp", (*layout.LAMP_POSITION, height / 2), size_m=(width, width, height))


def table_state() -> ObjectState:
    area, thickness = layout.TABLE, layout.TABLE_THICKNESS_M
    centre = ((area.x_min + area.x_max) / 2, (area.y_min + area.y_max) / 2, -thickness / 2)
    return ObjectState("table", "table", centre, size_m=(area.x_max - area.x_min, area.y_max - area.y_min, thickness))
