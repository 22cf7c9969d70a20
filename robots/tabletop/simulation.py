"""Simulation: one PyBullet world, built from a SimulationState and read back into one.

Two simulations built from equal states and given equal actions stay equal bit for bit: a fresh Bullet world has no
contact caches, its broad phase is told to order pairs deterministically, and every motor is set again.
Not for: scenes (scene_spec), recording and restoring (world).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pybullet as p

from robots.physical_state import HandState, ObjectState, PhysicalState
from robots.robot import CONTROL_RATE_HZ, Action, Proprioception, Vector3
from robots.tabletop import layout, objects, panda
from robots.tabletop.state import ArmState, BodyState, SimulationState, SlideState

SUBSTEPS = 16
SUBSTEP_S = 1.0 / (CONTROL_RATE_HZ * SUBSTEPS)
SOLVER_ITERATIONS = 20
RAMP_SUBSTEPS = 11  # the arm's targets reach their end after 70 % of a control step; the rest is settling
SENSE_EVERY = 4  # substeps between looks at contacts and at the button
# The commanded pose may run ahead of the measured one by so much, else pressing against something winds it up.
LEASH_M = 0.01
LEASH_RAD = 0.1
DRAWER_FRICTION_N = 2.0
BUTTON_SPRING_N = 4.0
TOUCH_M = 0.001
SUPPORT_NORMAL_Z = 0.5
GRIP_NORMAL = 0.7  # a finger's contact this much along the closing axis is a grip, not a blow

BUILDERS: Mapping[str, Callable[[int, str], int]] = {
    "block": objects.build_block,
    "bowl": objects.build_bowl,
    "pad": objects.build_pad,
}
BODY_SIZES_M: Mapping[str, Vector3] = {
    "block": (layout.BLOCK_SIZE_M,) * 3,
    "bowl": (2 * layout.BOWL_OUTER_RADIUS_M, 2 * layout.BOWL_OUTER_RADIUS_M, layout.BOWL_HEIGHT_M),
    "pad": (layout.PAD_SIZE_M, layout.PAD_SIZE_M, layout.PAD_THICKNESS_M),
}
MOVABLE = ("block",)


class Simulation:
    """A Bullet world on an existing client connection; building resets that client."""

    def __init__(self, client: int, state: SimulationState, *, full_visuals: bool = False) -> None:
        self.client = client
        self.bodies: dict[str, int] = {}
        self._loose: dict[str, BodyState] = {}
        self._grippable: set[int] = set()
        p.resetSimulation(physicsClientId=client)
        p.setGravity(0, 0, -9.81, physicsClientId=client)
        p.setPhysicsEngineParameter(
            fixedTimeStep=SUBSTEP_S, numSolverIterations=SOLVER_ITERATIONS, deterministicOverlappingPairs=1,
            physicsClientId=client,
        )  # fmt: skip
        self.robot_body = panda.load(client, full_visuals=full_visuals)
        self.bodies["table"] = objects.build_table(client)
        self._build_fixtures(state)
        for body in state.bodies:
            self._build_body(body)
        self._set_arm(state.arm)
        self._control_steps = state.control_steps
        self._contact_force_n = state.arm.contact_force_n
        self._held = state.held  # a fresh world has no contacts yet to see it by

    def _build_fixtures(self, state: SimulationState) -> None:
        client = self.client
        self._button_armed, self._lamp = state.button_armed, state.lamp
        if state.drawer is not None:
            body = self.bodies["drawer"] = objects.build_cabinet(client)
            self.set_slide("drawer", state.drawer)
            p.setJointMotorControl2(
                body, objects.SLIDING_LINK, p.VELOCITY_CONTROL, targetVelocity=0, force=DRAWER_FRICTION_N,
                physicsClientId=client,
            )  # fmt: skip
        if state.button is not None:
            body = self.bodies["button"] = objects.build_button(client)
            self.set_slide("button", state.button)
            p.setJointMotorControl2(
                body, objects.SLIDING_LINK, p.POSITION_CONTROL, targetPosition=0, force=BUTTON_SPRING_N,
                physicsClientId=client,
            )  # fmt: skip
        if state.lamp is not None:
            self.bodies["lamp"] = objects.build_lamp(client)
            objects.show_lamp(client, self.bodies["lamp"], state.lamp)

    def _build_body(self, state: BodyState) -> None:
        body = BUILDERS[state.category](self.client, state.kind)
        self.bodies[state.name] = body
        self._loose[state.name] = state
        if state.category in MOVABLE:
            self._grippable.add(body)
        p.resetBasePositionAndOrientation(body, state.position_m, state.orientation, physicsClientId=self.client)
        if state.category in MOVABLE:
            p.resetBaseVelocity(body, state.linear_velocity, state.angular_velocity, physicsClientId=self.client)

    def _set_arm(self, arm: ArmState) -> None:
        joints = (*panda.ARM_JOINTS, *panda.FINGER_JOINTS)
        for joint, position, velocity in zip(joints, arm.positions, arm.velocities, strict=True):
            p.resetJointState(self.robot_body, joint, position, velocity, physicsClientId=self.client)
        self._targets = np.array(arm.targets_rad)
        self._tool = panda.Pose(np.array(arm.tool_position_m), np.array(arm.tool_rotation).reshape(3, 3))
        self._closedness, self.grip_force_n = arm.closedness, arm.grip_force_n
        panda.drive_arm(self.client, self.robot_body, self._targets)
        panda.drive_fingers(self.client, self.robot_body, self._closedness, self.grip_force_n)

    def set_slide(self, name: str, slide: SlideState) -> None:
        p.resetJointState(
            self.bodies[name], objects.SLIDING_LINK, slide.position_m, slide.velocity_m_s, physicsClientId=self.client
        )

    def advance(self, action: Action) -> None:
        """One control step of 0.1 s. A terminating action holds still."""
        if not action.terminate:
            self._command(action)
        start, end = self._targets, panda.inverse(self._tool, self._targets)
        self._contact_force_n = 0.0
        for k in range(SUBSTEPS):
            if k < RAMP_SUBSTEPS:
                panda.drive_arm(self.client, self.robot_body, start + (end - start) * ((k + 1) / RAMP_SUBSTEPS))
            p.stepSimulation(physicsClientId=self.client)
            if k % SENSE_EVERY == SENSE_EVERY - 1:
                self._sense()
        self._targets = end
        self._control_steps += 1
        self._held = self._find_held()

    def _command(self, action: Action) -> None:
        """Move the commanded tool pose by the action, from where it is or at most a leash from the measured pose."""
        measured, _ = panda.forward(self._arm_positions()[:7])
        lead = self._tool.position - measured.position
        turn = panda.rotation_error(self._tool.rotation, measured.rotation)
        position = measured.position + _shortened(lead, LEASH_M) + np.array(action.world_vector)
        rotation = panda.rotation_of(_shortened(turn, LEASH_RAD)) @ measured.rotation
        turned = p.getMatrixFromQuaternion(p.getQuaternionFromEuler(action.rotation_delta))
        self._tool = panda.Pose(position, np.array(turned).reshape(3, 3) @ rotation)
        self._closedness = float(np.clip(action.gripper, 0.0, 1.0))
        panda.drive_fingers(self.client, self.robot_body, self._closedness, self.grip_force_n)

    def _sense(self) -> None:
        self._sense_button()
        self._contact_force_n = max(self._contact_force_n, self._outside_force())

    def _outside_force(self) -> float:
        """Largest normal force between the robot, or what it grips, and anything else, newtons. Gripping is no such."""
        contacts = p.getContactPoints(bodyA=self.robot_body, physicsClientId=self.client)
        if not contacts:
            return 0.0
        left, right = ({c[2] for c in contacts if c[3] == link} for link in panda.FINGER_LINKS)
        closing = self._tool.rotation[:, 1]
        forces = [0.0]
        for contact in contacts:
            between_fingers = contact[2] in left and contact[2] in right
            if not (between_fingers and abs(float(closing @ contact[7])) > GRIP_NORMAL):
                forces.append(contact[9])
        for body in left & right & self._grippable:
            touching = p.getContactPoints(bodyA=body, physicsClientId=self.client)
            forces += [contact[9] for contact in touching if contact[2] != self.robot_body]
        return max(forces)

    def _sense_button(self) -> None:
        if "button" not in self.bodies:
            return
        depth = self._slide("button").position_m
        if self._button_armed and depth >= layout.BUTTON_DOWN_M:
            self._button_armed = False
            if self._lamp is not None:
                self.set_lamp(not self._lamp)
        elif depth <= layout.BUTTON_RELEASED_M:
            self._button_armed = True

    def set_lamp(self, lit: bool) -> None:
        self._lamp = lit
        objects.show_lamp(self.client, self.bodies["lamp"], lit)

    def _slide(self, name: str) -> SlideState:
        position, velocity, *_ = p.getJointState(self.bodies[name], objects.SLIDING_LINK, physicsClientId=self.client)
        return SlideState(position, velocity)

    def _arm_positions(self) -> panda.Vector:
        joints = (*panda.ARM_JOINTS, *panda.FINGER_JOINTS)
        return np.array([s[0] for s in p.getJointStates(self.robot_body, joints, physicsClientId=self.client)])

    def _find_held(self) -> str | None:
        """The block that both fingers touch and nothing bears from below."""
        touched = [
            {
                c[2]
                for c in p.getContactPoints(bodyA=self.robot_body, linkIndexA=link, physicsClientId=self.client)
                if c[8] < TOUCH_M
            }
            for link in panda.FINGER_LINKS
        ]
        both = touched[0] & touched[1]
        for name, state in self._loose.items():
            if state.category in MOVABLE and self.bodies[name] in both and not self._supported(self.bodies[name]):
                return name
        return None

    def _supported(self, body: int) -> bool:
        contacts = p.getContactPoints(bodyA=body, physicsClientId=self.client)
        return any(c[2] != self.robot_body and c[8] < TOUCH_M and c[7][2] > SUPPORT_NORMAL_Z for c in contacts)

    def physical_state(self) -> PhysicalState:
        """Everything, as it truly is."""
        found = {name: self._object_state(name) for name in self._loose}
        joints: dict[str, float] = {}
        for name in ("drawer", "button"):
            if name in self.bodies:
                joints[name] = self._slide(name).position_m
        found.update(_fixture_states(joints, "lamp" in self.bodies))
        positions = self._arm_positions()
        tool, _ = panda.forward(positions[:7])
        hand = HandState(
            panda.vector3(tool.position), panda.quaternion_of(tool.rotation), float(positions[7] + positions[8]),
            self._held,
        )  # fmt: skip
        switches = {} if self._lamp is None else {"lamp": self._lamp}
        return PhysicalState(self._control_steps / CONTROL_RATE_HZ, found, hand, joints, switches)

    def _object_state(self, name: str) -> ObjectState:
        loose = self._loose[name]
        position, orientation = loose.position_m, loose.orientation
        if loose.category in MOVABLE:
            position, orientation = p.getBasePositionAndOrientation(self.bodies[name], physicsClientId=self.client)
        if loose.category == "bowl":
            position = (position[0], position[1], position[2] + layout.BOWL_HEIGHT_M / 2)
        return ObjectState(name, loose.category, position, orientation, BODY_SIZES_M[loose.category])

    def proprioception(self) -> Proprioception:
        joints = (*panda.ARM_JOINTS, *panda.FINGER_JOINTS)
        states = p.getJointStates(self.robot_body, joints, physicsClientId=self.client)
        tool, _ = panda.forward(np.array([s[0] for s in states[:7]]))
        return Proprioception(
            tool_position_m=panda.vector3(tool.position),
            tool_orientation=panda.quaternion_of(tool.rotation),
            joint_positions_rad=tuple(s[0] for s in states[:7]),
            joint_velocities_rad_s=tuple(s[1] for s in states[:7]),
            gripper_opening_m=states[7][0] + states[8][0],
            gripper_closedness=self._closedness,
            contact_force_n=self._contact_force_n,
        )

    def read(self) -> SimulationState:
        """Every number it would take to build this simulation again."""
        joints = (*panda.ARM_JOINTS, *panda.FINGER_JOINTS)
        states = p.getJointStates(self.robot_body, joints, physicsClientId=self.client)
        arm = ArmState(
            positions=tuple(s[0] for s in states),
            velocities=tuple(s[1] for s in states),
            targets_rad=tuple(self._targets.tolist()),
            tool_position_m=panda.vector3(self._tool.position),
            tool_rotation=tuple(self._tool.rotation.ravel().tolist()),
            closedness=self._closedness,
            grip_force_n=self.grip_force_n,
            contact_force_n=self._contact_force_n,
        )
        return SimulationState(
            control_steps=self._control_steps,
            bodies=tuple(self._read_body(state) for state in self._loose.values()),
            arm=arm,
            drawer=self._slide("drawer") if "drawer" in self.bodies else None,
            button=self._slide("button") if "button" in self.bodies else None,
            button_armed=self._button_armed,
            lamp=self._lamp,
            held=self._held,
        )

    def _read_body(self, state: BodyState) -> BodyState:
        if state.category not in MOVABLE:
            return state
        body = self.bodies[state.name]
        position, orientation = p.getBasePositionAndOrientation(body, physicsClientId=self.client)
        linear, angular = p.getBaseVelocity(body, physicsClientId=self.client)
        return BodyState(state.name, state.category, state.kind, position, orientation, linear, angular)


def _shortened(vector: panda.Vector, longest: float) -> panda.Vector:
    length = float(np.linalg.norm(vector))
    return vector if length <= longest else vector * (longest / length)


def _fixture_states(joints: Mapping[str, float], lamp: bool) -> dict[str, ObjectState]:
    """Table, drawer, button and lamp; the drawer's place is that of its box, which slides."""
    area = layout.TABLE
    found = {
        "table": ObjectState(
            "table", "table",
            ((area.x_min + area.x_max) / 2, (area.y_min + area.y_max) / 2, -layout.TABLE_THICKNESS_M / 2),
            size_m=(area.x_max - area.x_min, area.y_max - area.y_min, layout.TABLE_THICKNESS_M),
        )
    }  # fmt: skip
    if "drawer" in joints:
        wall, height = layout.DRAWER_WALL_THICKNESS_M, layout.DRAWER_WALL_HEIGHT_M
        centre = (layout.CABINET_X_M, layout.drawer_centre_y(joints["drawer"]), layout.DRAWER_FLOOR_Z_M + height / 2)
        size = (layout.DRAWER_INTERIOR_X_M + 2 * wall, layout.DRAWER_INTERIOR_Y_M + 2 * wall, height)
        found["drawer"] = ObjectState("drawer", "drawer", centre, size_m=size)
    if "button" in joints:
        top = layout.BUTTON_BASE_HEIGHT_M + layout.BUTTON_CAP_HEIGHT_M - joints["button"]
        width = 2 * layout.BUTTON_BASE_RADIUS_M
        found["button"] = ObjectState(
            "button", "button", (*layout.BUTTON_POSITION, top / 2), size_m=(width, width, top)
        )
    if lamp:
        width = 2 * layout.LAMP_BASE_RADIUS_M
        found["lamp"] = ObjectState(
            "lamp", "lamp", (*layout.LAMP_POSITION, layout.LAMP_HEIGHT_M / 2),
            size_m=(width, width, layout.LAMP_HEIGHT_M),
        )  # fmt: skip
    return found
