"""SkillExecutor: carries out one skill call in a closed loop: observe → policy → envelope → robot.

Not for: which skill is next (executor.graph_runner) or whether it succeeded (world_model.success).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from executor.policy import Policy
from executor.progress import ProgressWatch
from executor.stop import StopToken
from robots.robot import Action, Observation, Robot, SentAction
from robots.safety import SafetyStop
from skills.motion import rises_m
from skills.skill import Skill, SkillCall
from world_model.results import EndedBy, SkillRun

MOST_OPEN_LOOP_STEPS = 15  # so much of a chunk is done at most before the policy looks again


@dataclass(frozen=True)
class ControlStep:
    """One turn of the control loop: what was sensed, and what was sent because of it."""

    call: SkillCall
    index: int  # 0 for the first of this skill run
    observation: Observation
    sent: SentAction


OnControlStep: TypeAlias = Callable[[ControlStep], None]
Attempt: TypeAlias = Generator[Observation, Sequence[Action], SkillRun]
"""A skill run that gives an observation whenever it is out of actions, is sent a chunk or thrown the policy's error."""


@dataclass(frozen=True)
class SkillExecutor:
    """Drives a robot by a policy until it terminates, time is out, it is told to stop or nothing moves any more.

    Actions come in chunks and are executed one per control step, at most MOST_OPEN_LOOP_STEPS of each before the policy
    is asked again; a chunk's rest is dropped when the skill ends.
    Never raises for what a policy or robot does wrong: that is a run ended by ERROR, with the reason.
    """

    robot: Robot
    policy: Policy
    progress: ProgressWatch = field(default_factory=ProgressWatch)

    def run(
        self,
        skill: Skill,
        call: SkillCall,
        *,
        stop: StopToken | None = None,
        on_control_step: OnControlStep | None = None,
    ) -> SkillRun:
        """Execute `call`. The robot has halted when this returns early; after `stop` within one control step."""
        attempt = self.attempt(skill, call, stop=stop, on_control_step=on_control_step)
        try:
            observation = next(attempt)
            while True:
                try:
                    chunk = self.policy.act(observation)
                except Exception as error:
                    observation = attempt.throw(error)
                else:
                    observation = attempt.send(chunk)
        except StopIteration as end:
            ended: SkillRun = end.value
            return ended
        finally:
            attempt.close()

    def attempt(
        self,
        skill: Skill,
        call: SkillCall,
        *,
        sentence: str | None = None,
        stop: StopToken | None = None,
        on_control_step: OnControlStep | None = None,
    ) -> Attempt:
        """As `run`, for a caller that asks the policy itself: several runs can take turns at one model.

        sentence: what the policy is told; the skill's own sentence where it is None.
        """
        drive = _Drive(self, skill, call, sentence, stop or StopToken(), on_control_step)
        try:
            ended_by, detail = yield from drive.steps()
        except BaseException:  # Ctrl-C in the middle, or nobody asks on
            _halted(self.robot, f"{call} was broken off")
            raise
        if ended_by is not EndedBy.TERMINATED:
            detail = _halted(self.robot, detail or ended_by.value)
        return SkillRun(call, ended_by, drive.steps_done, drive.robot_time_s, detail, tuple(drive.envelope.values()))


class _Drive:
    """The moving parts of one skill run."""

    def __init__(
        self,
        executor: SkillExecutor,
        skill: Skill,
        call: SkillCall,
        sentence: str | None,
        stop: StopToken,
        on_control_step: OnControlStep | None,
    ) -> None:
        self._executor, self._skill, self._call, self._sentence = executor, skill, call, sentence
        self._stop, self._on_control_step = stop, on_control_step
        self._window = executor.progress.start()
        self._chunk: deque[Action] = deque()
        self._times_s: list[float] = []
        self.steps_done = 0
        self.envelope: dict[str, str] = {}  # kind of reason → its first wording: why actions were not sent as asked

    @property
    def robot_time_s(self) -> float:
        return self._times_s[-1] - self._times_s[0] if self._times_s else 0.0

    def steps(self) -> Generator[Observation, Sequence[Action], tuple[EndedBy, str]]:
        """How the skill run ended and why in words."""
        part = "policy"
        try:
            said = self._skill.sentence(self._call.arguments) if self._sentence is None else self._sentence
            self._executor.policy.begin(self._call, said)
            part = "robot"
            limit = self._rise_first() + self._skill.time_limit_steps
            while True:
                part = "robot"
                observation = self._observe()
                if self._stop.is_set:
                    return EndedBy.STOPPED, self._stop.reason
                if self._window.stuck(observation.proprioception):
                    return EndedBy.NO_PROGRESS, f"nothing moved for {self._executor.progress.patience_steps} steps"
                part = "policy"
                if not self._chunk:
                    self._chunk.extend(islice(self._some((yield observation)), MOST_OPEN_LOOP_STEPS))
                action = self._chunk.popleft()
                if action.terminate:
                    return EndedBy.TERMINATED, ""
                if self.steps_done >= limit:
                    return EndedBy.TIME_LIMIT, f"not done after {self.steps_done} control steps"
                if self._stop.is_set:  # asked for while the policy was thinking
                    return EndedBy.STOPPED, self._stop.reason
                part = "robot"
                self._send(action, observation)
        except SafetyStop as error:
            return EndedBy.STOPPED, f"safety envelope: {error}"
        except Exception as error:
            return EndedBy.ERROR, f"{part}: {type(error).__name__}: {error}"

    def _rise_first(self) -> int:
        """Straight up by the skill's `rise_first_m`, the grip kept; how many control steps that took."""
        for by_m in rises_m(self._skill.rise_first_m):
            if self._stop.is_set:
                break
            observation = self._observe()
            grip = observation.proprioception.gripper_closedness
            self._send(Action((0.0, 0.0, by_m), gripper=grip), observation)
        return self.steps_done

    def _observe(self) -> Observation:
        observation = self._executor.robot.observe()
        self._times_s = [*self._times_s[:1], observation.time_s]
        return observation

    def _some(self, chunk: Sequence[Action]) -> Sequence[Action]:
        if not len(chunk):
            raise ValueError(f"policy '{self._executor.policy.name}' returned an empty chunk of actions")
        return chunk

    def _send(self, action: Action, observation: Observation) -> None:
        sent = self._executor.robot.apply(action)
        self.steps_done += 1
        for reason in sent.reasons:
            self.envelope.setdefault(reason.partition(":")[0], reason)
        if self._on_control_step is not None:
            self._on_control_step(ControlStep(self._call, self.steps_done - 1, observation, sent))


def _halted(robot: Robot, detail: str) -> str:
    """Stops the robot; what goes wrong in that is added to the detail rather than hiding it."""
    try:
        robot.stop(detail)
    except Exception as error:
        return f"{detail}; and the robot could not be stopped: {error}"
    return detail
