"""TabletopRobot: the simulated Panda behind the Robot protocol, with its envelope, cameras and, if asked, faults.

Not for: privileged state; what needs that takes the world itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from robots.robot import Action, Observation, Proprioception, SentAction, Vector3
from robots.safety import Envelope, Prediction, SafetyStop, hold
from robots.tabletop import panda
from robots.tabletop.cameras import DEFAULT_SIZE, CameraRig, ImageSizes
from robots.tabletop.layout import SAFE_HEIGHT_M
from robots.tabletop.plant import Plant, PlantWrapper, WorldPlant
from robots.tabletop.world import TabletopWorld

HOME_TOLERANCE_M = 0.01
HOME_TOLERANCE_RAD = 0.05
HOME_STEPS = 60
HOME_STEP_M, HOME_STEP_RAD = 0.05, 0.25
OPENING_STEPS = 4
OPEN_HAND_M = 0.075
STILL_RAD_S = 1e-3


class TabletopRobot:
    """A Panda in a TabletopWorld.

    cameras: what `observe` pictures; it costs what these cost, and none cost nothing.
    image_size: width and height in pixels, or one number for both; or these by camera name.
    envelope: limits other than the standard ones; there always is one.
    faults: wrappers around the plant, the first nearest to the world.
    """

    def __init__(
        self,
        world: TabletopWorld,
        *,
        cameras: Iterable[str] = ("front", "wrist"),
        image_size: ImageSizes = DEFAULT_SIZE,
        envelope: Envelope | None = None,
        faults: Iterable[PlantWrapper] = (),
    ) -> None:
        self.cameras = tuple(cameras)
        self.rig = CameraRig(world, image_size)
        for name in self.cameras:
            self.rig.calibration(name)  # an unknown name fails now, not in the middle of a run
        plant: Plant = WorldPlant(world, self.rig)
        for wrap in faults:
            plant = wrap(plant)
        self._plant = plant
        self._envelope = envelope or Envelope()
        self._envelope.predict = self._predict
        self._step = 0
        self._world = world

    def observe(self) -> Observation:
        return self.observe_with(self.cameras)

    def observe_with(self, cameras: Iterable[str]) -> Observation:
        """An observation with pictures from these cameras instead of the usual ones."""
        images = self._plant.images(cameras)
        observation = Observation(self._step, self._world.time_s, self._plant.proprioception(), images)
        self._envelope.observed(observation)
        return observation

    def apply(self, action: Action) -> SentAction:
        """Execute one control step of 0.1 s and return the action actually sent.

        Raises SafetyStop while stopped. The first refused step brings the arm to rest where it is.
        """
        proprioception = self._plant.proprioception()
        try:
            sent = self._envelope.check(action, proprioception, step=self._step, time_s=self._world.time_s)
        except SafetyStop:
            if max(abs(v) for v in proprioception.joint_velocities_rad_s) > STILL_RAD_S:
                self._advance(hold(proprioception))
            raise
        self._advance(sent.sent)
        return sent

    def stop(self, reason: str) -> None:
        """Refuse every action from the next control step on; callable from a signal handler or another thread."""
        self._envelope.stop(reason)

    def resume(self) -> None:
        """Allow actions again after a stop."""
        self._envelope.resume()

    @property
    def stopped(self) -> str | None:
        """Why the robot is stopped; None while it may move."""
        return self._envelope.stopped

    def home(self, *, open_hand: bool = True) -> bool:
        """Open the hand, rise, and go to the home pose; False where something blocks it. Raises SafetyStop.

        Rising comes first: from between stacks the way home is up.
        """
        goal, _ = panda.forward(np.array(panda.HOME_JOINTS_RAD))
        for _ in range(OPENING_STEPS if open_hand else 0):
            if self.observe_with(()).proprioception.gripper_opening_m < OPEN_HAND_M:
                self.apply(Action())
        for _ in range(HOME_STEPS):
            proprioception = self.observe_with(()).proprioception
            here, _ = panda.forward(np.array(proprioception.joint_positions_rad))
            action = _towards(here, goal)
            if action is None:
                return True
            self.apply(action if open_hand else replace(action, gripper=proprioception.gripper_closedness))
        return False

    def begin_attempt(self, key: str, attempt: int) -> None:
        """Tell the fault layers that the attempt-th try (from 1) of what `key` names starts now."""
        self._plant.begin_attempt(key, attempt)

    def end_attempt(self) -> None:
        """Tell the fault layers that the attempt is over."""
        self._plant.end_attempt()

    def state(self) -> dict[str, Any]:
        """JSON-ready memory of everything above the world: step count, envelope, faults."""
        return {"step": self._step, "envelope": self._envelope.state(), "faults": self._plant.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned, on a robot built with the same faults over the restored world."""
        self._envelope.load_state(state["envelope"])
        self._plant.load_state(state["faults"])
        self._step = int(state["step"])

    def _predict(self, _proprioception: Proprioception, action: Action) -> Prediction:
        """The arm's own inverse kinematics, from what it was told before: pressed or out of reach, it is elsewhere."""
        joints, wanted = self._world.preview(action)
        pose, _ = panda.forward(joints)
        return Prediction(
            joints.tolist(),
            panda.vector3(pose.position),
            float(np.linalg.norm(wanted.position - pose.position)),
            float(np.linalg.norm(panda.rotation_error(wanted.rotation, pose.rotation))),
        )

    def _advance(self, action: Action) -> None:
        self._plant.step(action)
        self._step += 1


def _towards(here: panda.Pose, goal: panda.Pose) -> Action | None:
    """The next step home: up, then across while turning; None when there."""
    way = goal.position - here.position
    turn = panda.rotation_error(goal.rotation, here.rotation)
    if np.linalg.norm(way) < HOME_TOLERANCE_M and np.linalg.norm(turn) < HOME_TOLERANCE_RAD:
        return None
    if here.position[2] < min(SAFE_HEIGHT_M, goal.position[2]) - HOME_TOLERANCE_M:
        way, turn = np.array([0.0, 0.0, HOME_STEP_M]), np.zeros(3)
    return Action(_at_most(way, HOME_STEP_M), _at_most(turn, HOME_STEP_RAD))


def _at_most(vector: panda.Vector, longest: float) -> Vector3:
    length = float(np.linalg.norm(vector))
    return panda.vector3(vector if length <= longest else vector * (longest / length))
