"""One skill run that is recorded for training: someone drives, and the expert says at every step what it would do.

Not for: skill runs of the system itself (executor.skill_executor), which know no privileged state.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from executor.learning.drivers import POLICY, Driver, Question, Step, VLADriver, answers
from executor.learning.labels import CELL_NAMES, Fields, frame_fields
from executor.progress import ProgressWatch
from executor.vla_inputs import IMAGE_SIZES
from robots.robot import Action
from robots.safety import SafetyStop
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.literals import Literal
from skills.predicates import PREDICATES, Predicate
from skills.skill import Skill, SkillCall
from skills.trials import rise_first

OnFrame: TypeAlias = Callable[[Fields], None]

SETTLE_S = 2.0
POLICY_SHARE_OF_LIMIT = 0.6  # of a skill's time limit; a policy that needs longer is lost
PATIENCE_STEPS = 6  # so long may a policy stand still
LATE_STEPS = 3  # so often may a policy go on where the expert would end


class Ended(StrEnum):
    """How a driver's part of a skill run ended."""

    TERMINATED = "terminated"
    TOO_LATE = "not terminated in time"
    STUCK = "stuck"
    TIME_LIMIT = "time limit"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Part:
    """One driver's part of a skill run. succeeded: it terminated, and the call's success held once all had settled."""

    kind: int
    ended_by: Ended
    steps: int
    succeeded: bool


class SkillDrive:
    """A skill call in a world, recorded frame by frame. sentence: what the policy is told.

    goals: its success literals, over `predicates`. cell_names: as executor.learning.labels.cell_labels.
    """

    def __init__(
        self,
        world: TabletopWorld,
        skill: Skill,
        call: SkillCall,
        goals: tuple[Literal, ...],
        sentence: str,
        on_frame: OnFrame,
        *,
        predicates: tuple[Predicate, ...] = PREDICATES,
        cell_names: tuple[str, ...] = CELL_NAMES,
    ) -> None:
        self._world, self._skill, self._call, self._goals = world, skill, call, goals
        self._predicates, self._cell_names = predicates, cell_names
        self._sentence, self._on_frame = sentence, on_frame
        self._robot = TabletopRobot(world, cameras=(), image_size=IMAGE_SIZES)
        self._index = 0

    def run(self, driver: Driver | VLADriver, rescuer: Driver) -> tuple[Part, ...]:
        """All of `steps`, each question answered by itself."""
        steps = self.steps(driver, rescuer)
        try:
            question = next(steps)
            while True:
                question = steps.send(answers([question])[0])
        except StopIteration as end:
            parts: tuple[Part, ...] = end.value
            return parts

    def steps(self, driver: Driver | VLADriver, rescuer: Driver) -> Generator[Question, Action, tuple[Part, ...]]:
        """Let `driver` drive, and `rescuer` go on from wherever a policy fails; one part for each that drove.

        Waits at each question to a VLA for the answer, so that several runs can be answered together. What an expert
        raises is passed on.
        """
        self._rise_first()
        first = yield from self._part(driver)
        if first.succeeded or driver.kind != POLICY:
            return (first,)
        self._robot.resume()
        return (first, (yield from self._part(rescuer)))

    def _part(self, driver: Driver | VLADriver) -> Generator[Question, Action, Part]:
        steps = [0]
        try:
            ended = yield from self._drive(driver, steps)
        except SafetyStop:
            ended = Ended.STOPPED
        succeeded = ended is Ended.TERMINATED and self._holds()
        return Part(driver.kind, ended, steps[0], succeeded)

    def _drive(self, driver: Driver | VLADriver, steps: list[int]) -> Generator[Question, Action, Ended]:
        learned = driver.kind == POLICY
        limit = self._skill.time_limit_steps * (POLICY_SHARE_OF_LIMIT if learned else 1.0)
        progress, late = ProgressWatch(PATIENCE_STEPS).start(), 0
        while steps[0] < limit:
            step = self._look(driver.kind)
            if isinstance(driver, VLADriver):
                action = driver.resolution.settle((yield driver.ask(step)))
            else:
                action = driver.drive(step)
            steps[0] += 1
            self._robot.apply(action)
            if action.terminate:
                return Ended.TERMINATED
            late += step.expert.terminate
            if late > LATE_STEPS:
                return Ended.TOO_LATE
            if learned and progress.stuck(step.proprioception):
                return Ended.STUCK
        return Ended.TIME_LIMIT

    def _holds(self) -> bool:
        """Whether the call's success holds after things have settled."""
        self._world.settle(SETTLE_S)
        after = symbolic_of(self._world.physical_state(), self._predicates)
        return all(after.holds(goal) for goal in self._goals)

    def _rise_first(self) -> None:
        """As an executor does; where the last skill left the hand pressing too hard, the drive begins there."""
        try:
            rise_first(self._robot, self._skill.rise_first_m)
        except SafetyStop:
            self._robot.resume()

    def _look(self, kind: int) -> Step:
        """Sense, ask the expert, record."""
        proprioception = self._robot.observe().proprioception
        state = self._world.physical_state()
        expert = self._skill.expert(state, self._call.arguments)
        views = self._robot.rig.capture_segmented(IMAGE_SIZES)
        fields = frame_fields(
            views, self._world, state, proprioception, self._call, expert, self._sentence, self._cell_names
        )
        self._on_frame({**fields, "step": self._index, "driver": kind})
        self._index += 1
        return Step(views, proprioception, expert)
