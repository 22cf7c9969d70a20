"""One skill run that is recorded for training: someone drives, and the expert says at every step what it would do.

Not for: skill runs of the system itself (executor.skill_executor), which know no privileged state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from executor.learning.labels import action_numbers, auxiliary_numbers, target_of, view_labels
from executor.skill_executor import RISE_STEP_M
from executor.vla_inputs import IMAGE_SIZES, state_vector
from robots.robot import Action, Proprioception
from robots.safety import SafetyStop
from robots.tabletop.cameras import SegmentedImage
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.world import TabletopWorld
from skills.skill import Skill, SkillCall

Fields: TypeAlias = dict[str, Any]
OnFrame: TypeAlias = Callable[[Fields], None]


class Ended(StrEnum):
    """How a driver's part of a skill run ended."""

    TERMINATED = "terminated"
    TOO_EARLY = "terminated too early"
    TOO_LATE = "not terminated in time"
    TIME_LIMIT = "time limit"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Step:
    """What a driver may look at: the pictures and the robot's own feeling, and what the expert would do now."""

    views: dict[str, SegmentedImage]
    proprioception: Proprioception
    expert: Action


class Driver(Protocol):
    """Chooses what is really done in a skill run. `kind` is a frame's `driver`: 0 expert, 1 noisy expert, 2 policy."""

    @property
    def kind(self) -> int: ...

    def drive(self, step: Step) -> Action: ...


@dataclass(frozen=True)
class NoisyExpert:
    """The expert, a share of whose steps miss: by millimetres, by a turn, or with the fingers.

    The figures of the noise are those with which a prototype learned (25 %, 12 mm, 0.12 rad).
    """

    rng: np.random.Generator
    share: float = 0.25
    shift_m: float = 0.012
    turn_rad: float = 0.12
    slip_share: float = 0.01  # of steps with an opening of chance
    kind: int = 1

    def drive(self, step: Step) -> Action:
        action = step.expert
        if action.terminate or self.rng.random() >= self.share:
            return action
        x, y, z = self.rng.normal(action.world_vector, self.shift_m)
        roll, pitch, yaw = action.rotation_delta
        yaw += self.rng.normal(0.0, self.turn_rad)
        slips = self.rng.random() < self.slip_share / self.share
        grip = float(self.rng.random()) if slips else action.gripper
        return replace(action, world_vector=(x, y, z), rotation_delta=(roll, pitch, float(yaw)), gripper=grip)


@dataclass(frozen=True)
class SkillDrive:
    """A skill call in a world, recorded frame by frame.

    sentence: what the policy is told. limit_steps: control steps after which the run ends unfinished.
    """

    world: TabletopWorld
    skill: Skill
    call: SkillCall
    sentence: str
    on_frame: OnFrame

    def run(self, driver: Driver) -> tuple[Ended, int]:
        """Drive until the expert says that it is done; how it ended and in how many control steps."""
        robot = TabletopRobot(self.world, cameras=(), image_size=IMAGE_SIZES)
        steps = 0
        try:
            self._rise_first(robot)
            while steps < self.skill.time_limit_steps:
                step = self._look(robot, driver.kind, steps)
                if step.expert.terminate:
                    robot.apply(step.expert)
                    return Ended.TERMINATED, steps + 1
                robot.apply(driver.drive(step))
                steps += 1
        except SafetyStop:
            return Ended.STOPPED, steps
        return Ended.TIME_LIMIT, steps

    def _rise_first(self, robot: TabletopRobot) -> None:
        for _ in range(math.ceil(self.skill.rise_first_m / RISE_STEP_M)):
            grip = robot.observe().proprioception.gripper_closedness
            robot.apply(Action((0.0, 0.0, min(self.skill.rise_first_m, RISE_STEP_M)), gripper=grip))

    def _look(self, robot: TabletopRobot, kind: int, index: int) -> Step:
        """Sense, ask the expert, record."""
        proprioception = robot.observe().proprioception
        state = self.world.physical_state()
        expert = self.skill.expert(state, self.call.arguments)
        views = robot.rig.capture_segmented(IMAGE_SIZES)
        target = target_of(self.call, state)
        self.on_frame(
            {
                **view_labels(views, self.world, target),
                "state": state_vector(proprioception),
                "action": action_numbers(expert),
                "auxiliary": auxiliary_numbers(state, self.call, target),
                "sentence": self.sentence.encode(),
                "skill": self.skill.name.encode(),
                "step": index,
                "driver": kind,
            }
        )
        return Step(views, proprioception, expert)


class FrameBuffer:
    """Frames gathered until there are enough for a shard."""

    def __init__(self, dtype: np.dtype[Any], size: int) -> None:
        self._frames: NDArray[Any] = np.zeros(size, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def full(self) -> bool:
        return self._count == len(self._frames)

    def add(self, fields: Fields, episode: int) -> None:
        """Put one more frame in. Raises IndexError when full."""
        if self.full:
            raise IndexError(f"a buffer of {len(self._frames)} frames is full")
        frame = self._frames[self._count]
        for name, value in fields.items():
            frame[name] = value
        frame["episode"] = episode
        self._count += 1

    def take(self) -> NDArray[Any]:
        """All frames so far, copied; the buffer is empty afterwards."""
        frames = self._frames[: self._count].copy()
        self._count = 0
        return frames
