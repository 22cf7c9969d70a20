"""Simulation: one PyBullet world, built from a SimulationState and read back into one.

Two simulations built from equal states and given equal actions stay equal bit for bit: a fresh Bullet world has no
contact caches, its broad phase is told to order pairs deterministically, and every motor is set again.
Not for: scenes (scene_spec), recording and restoring (world), what is true of it (sensing).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pybullet as p

from robots.physical_state import ObjectState
from robots.robot import CONTROL_RATE_HZ, Action, Quaternion, Vector3
from robots.tabletop import layout, objects, panda, sensing
from robots.tabletop.models import build_model, model_object, read_model
from robots.tabletop.state import STILL, ArmState, BodyState, ModelState, SimulationState, SlideState

SUBSTEPS = 16
SUBSTEP_S = 1.0 / (CONTROL_RATE_HZ * SUBSTEPS)
RAMP_SUBSTEPS = 11  # the arm's targets reach their end after 70 % of a control step; the rest is settling
SENSE_EVERY = 4  # substeps between looks at contacts and at the button
# The commanded pose may run ahead of the measured one by so much, else pressing against something winds it up.
LEASH_M = 0.01
LEASH_RAD = 0.1
DRAWER_FRICTION_N = 2.0
BUTTON_SPRING_N = 4.0

BUILDERS: Mapping[str, Callable[[int, str], int]] = {
    "block": objects.build_block,
    "bowl": objects.build_bowl,
    "pad": objects.build_pad,
    "distractor": objects.build_distractor,
}


@dataclass(frozen=True)
class Solver:
    """Settings of Bullet's contact solver. friction_erp: how much of its slip an anchored touch makes up a substep."""

    iterations: int
    friction_erp: float


WARM_SOLVER = Solver(iterations=30, friction_erp=0.2)  # fewer let a stack of five creep by millimetres a second
# For the first control step, which has no forces of a step before to begin with: a tower of five shifts by 0.15 mm at
# each rebuild, and by twice that with the warm one.
COLD_SOLVER = Solver(iterations=200, friction_erp=0.8)


class Simulation:
    """A Bullet world on an existing client connection; building resets that client.

    bodies: name → body id, all of them but the robot. blocks: body id → name of what can move.
    static_objects: what stays where it was put, as it is reported.
    """

    def __init__(self, client: int, state: SimulationState, *, full_visuals: bool = False) -> None:
        self.client = client
        self.bodies: dict[str, int] = {}
        self.blocks: dict[int, str] = {}
        self.static_objects: dict[str, ObjectState] = {"table": sensing.table_state()}
        self._built: dict[str, BodyState] = {}
        self._models: dict[str, tuple[ModelState, int | None]] = {}  # with the joint that moves
        p.resetSimulation(physicsClientId=client)
        p.setGravity(0, 0, -9.81, physicsClientId=client)
        p.setPhysicsEngineParameter(fixedTimeStep=SUBSTEP_S, deterministicOverlappingPairs=1, physicsClientId=client)
        self._set_solver(COLD_SOLVER)
        self._cold = True
        self.robot_body = panda.load(client, full_visuals=full_visuals)
        self.bodies["table"] = objects.build_table(client)
        objects.build_floor(client)
        self._build_fixtures(state)
        for model in state.models:
            self._add_model(model)
        for body in state.bodies:
            self.add(body)
        self.slipping = state.slipping
        self._set_arm(state.arm)
        self.control_steps = state.control_steps
        # the last preview, so that the step that follows it need not solve again
        self._previewed: tuple[int, Action, panda.Vector, panda.Pose] | None = None
        self.contact_force_n = state.arm.contact_force_n
        self.held = state.held  # a fresh world has no contacts yet to see it by

    def _build_fixtures(self, state: SimulationState) -> None:
        client = self.client
        self._button_armed, self.lamp = state.button_armed, state.lamp
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
            self.static_objects["lamp"] = sensing.lamp_state()
            objects.show_lamp(client, self.bodies["lamp"], state.lamp)

    def _set_arm(self, arm: ArmState) -> None:
        for joint, position, velocity in zip(panda.JOINTS, arm.positions, arm.velocities, strict=True):
            p.resetJointState(self.robot_body, joint, position, velocity, physicsClientId=self.client)
        self._targets = np.array(arm.targets_rad)
        self._tool = panda.Pose(np.array(arm.tool_position_m), np.array(arm.tool_rotation).reshape(3, 3))
        self.closedness = arm.closedness
        panda.drive_arm(self.client, self.robot_body, self._targets)
        self.set_grip_force(arm.grip_force_n)

    def advance(self, action: Action) -> None:
        """One control step of 0.1 s. A terminating action holds still."""
        start = self._targets
        end = panda.inverse(self._tool, start) if action.terminate else self._command(action)
        self.contact_force_n = 0.0
        for k in range(SUBSTEPS):
            if k < RAMP_SUBSTEPS:
                panda.drive_arm(self.client, self.robot_body, start + (end - start) * ((k + 1) / RAMP_SUBSTEPS))
            p.stepSimulation(physicsClientId=self.client)
            if k % SENSE_EVERY == SENSE_EVERY - 1:
                self._sense()
        self._targets = end
        self.control_steps += 1
        if self._cold:
            self._cold = False
            self._set_solver(WARM_SOLVER)
        self.held = sensing.held_block(self)
        if self.slipping and self.held is None:
            self.slipping = False
            self._drive_fingers()

    def _set_solver(self, solver: Solver) -> None:
        p.setPhysicsEngineParameter(
            numSolverIterations=solver.iterations, frictionERP=solver.friction_erp, physicsClientId=self.client
        )

    def preview(self, action: Action) -> tuple[panda.Vector, panda.Pose]:
        """Where `advance` would send the arm's joints for an action, and the tool pose they are to bring about."""
        if self._previewed is None or self._previewed[:2] != (self.control_steps, action):
            wanted = self._commanded(action)
            self._previewed = (self.control_steps, action, panda.inverse(wanted, self._targets), wanted)
        return self._previewed[2:]

    def _command(self, action: Action) -> panda.Vector:
        joints, self._tool = self.preview(action)
        self.closedness = float(np.clip(action.gripper, 0.0, 1.0))
        self._drive_fingers()
        return joints

    def _commanded(self, action: Action) -> panda.Pose:
        """The commanded tool pose moved by the action, from where it is or at most a leash from the measured pose."""
        measured = panda.tool_pose(self.joint_positions()[:7])
        lead = self._tool.position - measured.position
        turn = panda.rotation_error(self._tool.rotation, measured.rotation)
        position = measured.position + _shortened(lead, LEASH_M) + np.array(action.world_vector)
        rotation = panda.rotation_of(_shortened(turn, LEASH_RAD)) @ measured.rotation
        turned = p.getMatrixFromQuaternion(p.getQuaternionFromEuler(action.rotation_delta))
        return panda.Pose(position, np.array(turned).reshape(3, 3) @ rotation)

    def _sense(self) -> None:
        self._sense_button()
        # the mean over the step: peaks of a rigid contact in single substeps are the solver's, nothing one would feel
        self.contact_force_n += sensing.outside_force_n(self, self._tool.rotation[:, 1]) * SENSE_EVERY / SUBSTEPS

    def _sense_button(self) -> None:
        """Going down toggles the lamp once; coming up arms the button again."""
        if "button" not in self.bodies:
            return
        depth_m = self.slide("button").position_m
        if self._button_armed and depth_m >= layout.BUTTON_DOWN_M:
            self._button_armed = False
            if self.lamp is not None:
                self.set_lamp(not self.lamp)
        elif depth_m <= layout.BUTTON_RELEASED_M:
            self._button_armed = True

    def slide(self, name: str) -> SlideState:
        """How far the drawer is out, or the button down."""
        joint = p.getJointState(self.bodies[name], objects.SLIDING_LINK, physicsClientId=self.client)
        return SlideState(joint[0], joint[1])

    def joint_positions(self) -> list[float]:
        """The seven arm joints in radians, then the two fingers in metres."""
        states = p.getJointStates(self.robot_body, panda.JOINTS, physicsClientId=self.client)
        return [state[0] for state in states]

    def set_slide(self, name: str, slide: SlideState) -> None:
        p.resetJointState(
            self.bodies[name], objects.SLIDING_LINK, slide.position_m, slide.velocity_m_s, physicsClientId=self.client
        )

    def set_lamp(self, lit: bool) -> None:
        self.lamp = lit
        objects.show_lamp(self.client, self.bodies["lamp"], lit)

    def set_grip_force(self, newtons: float) -> None:
        self._grip_force_n = newtons
        self._drive_fingers()

    def let_slip(self) -> None:
        """The fingers press with nothing until they hold nothing."""
        self.slipping = True
        self._drive_fingers()

    def _drive_fingers(self) -> None:
        force_n = 0.0 if self.slipping else self._grip_force_n
        panda.drive_fingers(self.client, self.robot_body, self.closedness, force_n)

    def _add_model(self, state: ModelState) -> None:
        body, joint = build_model(self.client, state)
        self.bodies[state.name] = body
        self._models[state.name] = (state, joint)
        self.static_objects[state.name] = model_object(self.client, body, state)

    def models(self) -> tuple[ModelState, ...]:
        """The user's own things as they are now."""
        return tuple(
            read_model(self.client, self.bodies[name], joint, state) for name, (state, joint) in self._models.items()
        )

    def add(self, state: BodyState) -> None:
        """Build one more body."""
        body = BUILDERS[state.category](self.client, state.kind)
        self.bodies[state.name] = body
        self._built[state.name] = state
        if state.category == "block":
            self.blocks[body] = state.name
        self.place(state.name, state.position_m, state.orientation)
        if state.category == "block":
            p.resetBaseVelocity(body, state.linear_velocity, state.angular_velocity, physicsClientId=self.client)

    def place(self, name: str, position_m: Vector3, orientation: Quaternion) -> None:
        """Put a body there, at rest."""
        body = self.bodies[name]
        p.resetBasePositionAndOrientation(body, position_m, orientation, physicsClientId=self.client)
        if body in self.blocks:
            p.resetBaseVelocity(body, STILL, STILL, physicsClientId=self.client)
        else:
            self._built[name] = replace(self._built[name], position_m=position_m, orientation=orientation)
            self.static_objects[name] = sensing.static_state(self._built[name])

    def remove(self, name: str) -> None:
        """Take a body out of the world."""
        body = self.bodies.pop(name)
        self.blocks.pop(body, None)
        self.static_objects.pop(name, None)
        del self._built[name]
        p.removeBody(body, physicsClientId=self.client)
        if self.held == name:
            self.held = None

    def read_body(self, name: str) -> BodyState:
        """A loose body as it is now."""
        state, body = self._built[name], self.bodies[name]
        if body not in self.blocks:
            return state
        position, orientation = p.getBasePositionAndOrientation(body, physicsClientId=self.client)
        linear, angular = p.getBaseVelocity(body, physicsClientId=self.client)
        return BodyState(name, state.category, state.kind, position, orientation, linear, angular)

    def loose(self) -> tuple[BodyState, ...]:
        """All loose bodies as they are now."""
        return tuple(self.read_body(name) for name in self._built)

    def read(self) -> SimulationState:
        """Every number it would take to build this simulation again."""
        joints = p.getJointStates(self.robot_body, panda.JOINTS, physicsClientId=self.client)
        arm = ArmState(
            positions=tuple(s[0] for s in joints),
            velocities=tuple(s[1] for s in joints),
            targets_rad=tuple(self._targets.tolist()),
            tool_position_m=panda.vector3(self._tool.position),
            tool_rotation=tuple(self._tool.rotation.ravel().tolist()),
            closedness=self.closedness,
            grip_force_n=self._grip_force_n,
            contact_force_n=self.contact_force_n,
        )
        return SimulationState(
            control_steps=self.control_steps,
            bodies=self.loose(),
            arm=arm,
            models=self.models(),
            drawer=self.slide("drawer") if "drawer" in self.bodies else None,
            button=self.slide("button") if "button" in self.bodies else None,
            button_armed=self._button_armed,
            lamp=self.lamp,
            held=self.held,
            slipping=self.slipping,
        )


def _shortened(vector: panda.Vector, longest: float) -> panda.Vector:
    length = float(np.linalg.norm(vector))
    return vector if length <= longest else vector * (longest / length)
