"""Parts: what a run is made of, each behind a call that turns its exceptions into a PartError with a reason.

Not for: choosing and wiring them (forehand.assembly).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from executor.skill_executor import OnControlStep, SkillExecutor
from executor.stop import StopToken
from forehand.event_log import RunFolderError, said
from planner.planner import Planner, PlanOutcome, PlanRequest
from planner.recovery import RecoveryLadder
from robots.robot import Action, Robot
from robots.safety import hold
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState
from world_model.belief import Belief
from world_model.perception.percept import Perception
from world_model.results import SkillRun, Verdict
from world_model.scene import Scene
from world_model.success.detector import SuccessDetector

STILL_STEPS = 8  # a block let go of askew has toppled in half a second
# Where the hand goes from the home pose before a third attempt and those after it, in turn. A policy that sees only the
# present does from the same place what it did before; from elsewhere it sees what the hand hid. Each is a hand's width
# away, in another direction, within reach, in steps that are no longer than an action may be.
ASIDE_M = ((0.06, 0.10), (0.06, -0.12), (-0.04, 0.12), (0.0, -0.12))
ASIDE_STEPS = 3


class PartError(RuntimeError):
    """A part of the system raised; says which and what."""

    def __init__(self, part: str, cause: BaseException) -> None:
        super().__init__(f"{part}: {said(cause)}")
        self.part, self.cause = part, cause


@contextmanager
def guarded(part: str) -> Iterator[None]:
    """What raises in here is `part`'s doing. A log that cannot be written, and a stop, stay what they are."""
    try:
        yield
    except (RunFolderError, PartError):
        raise
    except Exception as error:
        raise PartError(part, error) from error


@dataclass(frozen=True)
class Parts:
    """truth: the simulator's true symbolic state, None where there is no simulator; for the record only.

    before_attempt: told (call, how-many-eth attempt at this call) before each, so that fault schedules keep step;
    after_attempt: told when it is over.
    """

    library: SkillLibrary
    robot: Robot
    executor: SkillExecutor
    belief: Belief
    perception: Perception
    detector: SuccessDetector
    planner: Planner
    ladder: RecoveryLadder
    truth: Callable[[], SymbolicState] | None = None
    before_attempt: Callable[[SkillCall, int], None] = lambda _call, _attempt: None
    after_attempt: Callable[[], None] = lambda: None

    def holds(self, literal: Literal) -> bool | None:
        """What is believed of a literal now."""
        return self.belief.scene.symbolic().holds(literal)

    def look(self) -> Scene:
        """Perceive afresh and revise the belief. Raises PartError."""
        with guarded("perception"):
            return self.belief.update(self.perception.perceive(self.belief.expected))

    def expect(self, call: SkillCall) -> None:
        """The call was carried out; its effects are likely, until a look says more. Raises PartError."""
        with guarded("belief"):
            self.belief.predict(call)

    def plan(self, request: PlanRequest) -> PlanOutcome:
        """Raises PartError."""
        with guarded("planner"):
            return self.planner.plan(request)

    def carry_out(
        self, call: SkillCall, attempt: int, stop: StopToken, on_control_step: OnControlStep | None
    ) -> SkillRun:
        """Raises PartError where not even the executor could make sense of it."""
        with guarded("executor"):
            self.before_attempt(call, attempt)
            self._allow_motion(stop)
            skill = self.library.skill(call.skill)
            try:
                return self.executor.run(skill, call, stop=stop, on_control_step=on_control_step)
            finally:
                self.after_attempt()

    def _allow_motion(self, stop: StopToken) -> None:
        """Ends a stop by the envelope, never a person's: whoever sets the token afterwards halts the robot again."""
        self.robot.resume()
        if stop.is_set:
            self.robot.stop(stop.reason)

    def step_back(self, stop: StopToken) -> bool:
        """Bring the hand, with what it is believed to hold, home, out of wherever it got stuck; whether it got there.
        Raises PartError."""
        with guarded("robot"):
            self._allow_motion(stop)
            return self.robot.home(open_hand=self.belief.scene.symbolic().held is None)

    def go_aside(self, stop: StopToken, times: int) -> None:
        """From home to the times-th of ASIDE_M, the grip kept; ends early after a stop. Raises PartError."""
        with guarded("robot"):
            grip = hold(self.robot.observe().proprioception).gripper
            x, y = ASIDE_M[(times - 1) % len(ASIDE_M)]
            for _ in range(ASIDE_STEPS):
                if not stop.is_set:
                    self.robot.apply(Action((x / ASIDE_STEPS, y / ASIDE_STEPS, 0.0), gripper=grip))

    def hold_still(self, stop: StopToken) -> None:
        """Let come to rest what may still be falling, before a look that decides. Raises PartError."""
        with guarded("robot"):
            self._allow_motion(stop)
            for _ in range(STILL_STEPS):
                self.robot.apply(hold(self.robot.observe().proprioception))

    def judge(self, call: SkillCall, before: Scene, after: Scene, attempt: int) -> Verdict:
        """Raises PartError."""
        with guarded("detector"):
            return self.detector.judge(call, before, after, attempt=attempt)
