"""SkillExecutor: how a skill run ends, and that nothing a policy or robot does wrong escapes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from executor.policies.expert import ExpertPolicy
from executor.progress import ProgressWatch
from executor.skill_executor import MOST_OPEN_LOOP_STEPS, ControlStep, SkillExecutor
from executor.stop import StopToken
from robots.physical_state import HandState, PhysicalState
from robots.robot import Action, Observation, Proprioception, SentAction
from robots.safety import SafetyStop, StopCause
from robots.safety_limits import EnvelopeLimits
from skills.library import SkillLibrary
from skills.skill import SkillCall, SkillCallError
from world_model.results import EndedBy

LIBRARY = SkillLibrary()
PICK = LIBRARY.skill("pick")
CALL = SkillCall.parse("pick(red block)")
FORWARD = Action(world_vector=(0.01, 0.0, 0.0))
STILL = Action()
DONE = Action(terminate=True)

BODY = Proprioception((0.4, 0.0, 0.3), (0.0, 0.0, 0.0, 1.0), (0.0,) * 7, (0.0,) * 7, 0.08, 0.0, 0.0)


class FakeRobot:
    """Moves its tool exactly as told; closes its fingers by 1 cm a step towards the closedness wanted."""

    def __init__(self) -> None:
        self.body = BODY
        self.steps = 0
        self.stopped_because: list[str] = []
        self.on_apply: Callable[[Action], tuple[str, ...]] = lambda _action: ()

    def observe(self) -> Observation:
        return Observation(self.steps, self.steps / 10, self.body)

    def apply(self, action: Action) -> SentAction:
        reasons = self.on_apply(action)
        self.steps += 1
        x, y, z = (a + b for a, b in zip(self.body.tool_position_m, action.world_vector, strict=True))
        wanted_m = 0.08 * (1 - action.gripper)
        opening_m = self.body.gripper_opening_m + max(-0.01, min(0.01, wanted_m - self.body.gripper_opening_m))
        self.body = replace(
            self.body, tool_position_m=(x, y, z), gripper_opening_m=opening_m, gripper_closedness=action.gripper
        )
        return SentAction(action, action, reasons)

    def stop(self, reason: str) -> None:
        self.stopped_because.append(reason)

    def resume(self) -> None:
        """It never refuses."""

    def home(self, *, open_hand: bool = True) -> bool:  # noqa: ARG002
        self.body = BODY
        return True


class ScriptedPolicy:
    """Plays chunks of actions one after the other, the last one for ever."""

    name = "scripted"
    cameras: tuple[str, ...] = ()

    def __init__(self, *chunks: Sequence[Action]) -> None:
        self.chunks = list(chunks)
        self.begun: list[tuple[SkillCall, str]] = []
        self.asked = 0

    def begin(self, call: SkillCall, sentence: str) -> None:
        self.begun.append((call, sentence))

    def act(self, observation: Observation) -> Sequence[Action]:  # noqa: ARG002
        self.asked += 1
        return self.chunks.pop(0) if len(self.chunks) > 1 else self.chunks[0]


def test_ends_when_the_policy_terminates() -> None:
    robot, policy = FakeRobot(), ScriptedPolicy([FORWARD], [FORWARD], [DONE])
    run = SkillExecutor(robot, policy).run(PICK, CALL)
    assert (run.call, run.ended_by, run.control_steps, run.robot_time_s) == (CALL, EndedBy.TERMINATED, 2, 0.2)
    assert policy.begun == [(CALL, "pick up the red block")]
    assert robot.stopped_because == []


def test_a_chunk_is_executed_one_action_per_control_step() -> None:
    robot, policy = FakeRobot(), ScriptedPolicy([FORWARD] * 3, [FORWARD, DONE, FORWARD])
    run = SkillExecutor(robot, policy).run(PICK, CALL)
    assert (run.control_steps, policy.asked, robot.steps) == (4, 2, 4)


def test_a_long_chunk_is_cut_and_the_policy_looks_again() -> None:
    robot, policy = FakeRobot(), ScriptedPolicy([FORWARD] * 50, [FORWARD, DONE])
    run = SkillExecutor(robot, policy).run(PICK, CALL)
    assert (run.control_steps, policy.asked) == (MOST_OPEN_LOOP_STEPS + 1, 2)
    assert EnvelopeLimits().max_unobserved_steps > MOST_OPEN_LOOP_STEPS, "the envelope's watchdog is the second guard"


def test_a_run_that_is_broken_off_leaves_the_robot_stopped() -> None:
    robot = FakeRobot()

    class Interrupted(ScriptedPolicy):
        def act(self, observation: Observation) -> Sequence[Action]:  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SkillExecutor(robot, Interrupted([FORWARD])).run(PICK, CALL)
    assert robot.stopped_because == [f"{CALL} was broken off"]
    robot.stopped_because.clear()
    attempt = SkillExecutor(robot, ScriptedPolicy([FORWARD])).attempt(PICK, CALL)
    next(attempt)
    attempt.close()
    assert robot.stopped_because == [f"{CALL} was broken off"]


def test_the_time_limit_leaves_room_to_say_done() -> None:
    limit = PICK.time_limit_steps
    late = SkillExecutor(FakeRobot(), ScriptedPolicy([FORWARD])).run(PICK, CALL)
    in_time = SkillExecutor(FakeRobot(), ScriptedPolicy(*[[FORWARD]] * limit, [DONE])).run(PICK, CALL)
    assert (late.ended_by, late.control_steps) == (EndedBy.TIME_LIMIT, limit)
    assert (in_time.ended_by, in_time.control_steps) == (EndedBy.TERMINATED, limit)


def test_standing_still_is_noticed() -> None:
    run = SkillExecutor(FakeRobot(), ScriptedPolicy([STILL]), ProgressWatch(10)).run(PICK, CALL)
    assert (run.ended_by, run.control_steps) == (EndedBy.NO_PROGRESS, 10)
    assert "10 steps" in run.detail


def test_closing_fingers_are_progress() -> None:
    close = replace(STILL, gripper=1.0)
    run = SkillExecutor(FakeRobot(), ScriptedPolicy([close] * 9, [DONE]), ProgressWatch(6)).run(PICK, CALL)
    assert run.ended_by is EndedBy.TERMINATED


def test_a_push_that_builds_up_force_is_progress_and_a_steady_one_is_not() -> None:
    robot = FakeRobot()

    def press(_action: Action) -> tuple[str, ...]:
        robot.body = replace(robot.body, contact_force_n=min(40.0, robot.body.contact_force_n + 2.0))
        return ()

    robot.on_apply = press
    run = SkillExecutor(robot, ScriptedPolicy([STILL]), ProgressWatch(8)).run(PICK, CALL)
    assert (run.ended_by, run.control_steps) == (EndedBy.NO_PROGRESS, 20 + 8)


def test_stops_before_the_next_control_step() -> None:
    robot, stop = FakeRobot(), StopToken()
    steps: list[int] = []

    def ask_to_stop(step: ControlStep) -> None:
        steps.append(step.index)
        if step.index == 4:
            stop.set("Ctrl-C")

    run = SkillExecutor(robot, ScriptedPolicy([FORWARD] * 60)).run(PICK, CALL, stop=stop, on_control_step=ask_to_stop)
    assert (run.ended_by, run.detail, run.control_steps) == (EndedBy.STOPPED, "Ctrl-C", 5)
    assert steps == [0, 1, 2, 3, 4]
    assert robot.stopped_because == ["Ctrl-C"]


def test_a_stop_while_the_policy_thinks_sends_nothing_more() -> None:
    robot, stop = FakeRobot(), StopToken()

    class SlowPolicy(ScriptedPolicy):
        def act(self, observation: Observation) -> Sequence[Action]:
            stop.set("a person stopped it")
            return super().act(observation)

    run = SkillExecutor(robot, SlowPolicy([FORWARD])).run(PICK, CALL, stop=stop)
    assert (run.ended_by, robot.steps) == (EndedBy.STOPPED, 0)


def test_the_first_reason_to_stop_is_kept() -> None:
    stop = StopToken()
    assert not stop.is_set
    stop.set("first")
    stop.set("second")
    assert (stop.is_set, stop.reason) == (True, "first")


@pytest.mark.parametrize("chunk", [[], ()])
def test_an_empty_chunk_is_the_policys_error(chunk: Sequence[Action]) -> None:
    run = SkillExecutor(FakeRobot(), ScriptedPolicy(chunk)).run(PICK, CALL)
    assert run.ended_by is EndedBy.ERROR
    assert run.detail.startswith("policy:")
    assert "empty chunk" in run.detail


def test_an_exception_in_policy_or_robot_ends_the_run_with_its_reason_and_halts_the_robot() -> None:
    class Raising(ScriptedPolicy):
        def act(self, observation: Observation) -> Sequence[Action]:  # noqa: ARG002
            raise ZeroDivisionError("no weights")

    robot = FakeRobot()
    run = SkillExecutor(robot, Raising()).run(PICK, CALL)
    assert (run.ended_by, run.detail) == (EndedBy.ERROR, "policy: ZeroDivisionError: no weights")
    assert robot.stopped_because == [run.detail]

    def unplugged(_action: Action) -> tuple[str, ...]:
        raise OSError("bus gone")

    robot = FakeRobot()
    robot.on_apply = unplugged
    run = SkillExecutor(robot, ScriptedPolicy([FORWARD])).run(PICK, CALL)
    assert (run.ended_by, run.detail) == (EndedBy.ERROR, "robot: OSError: bus gone")


def test_a_robot_that_cannot_even_stop_is_told() -> None:
    class Deaf(FakeRobot):
        def stop(self, reason: str) -> None:
            raise OSError(f"cannot: {reason}")

    run = SkillExecutor(Deaf(), ScriptedPolicy([STILL]), ProgressWatch(3)).run(PICK, CALL)
    assert run.ended_by is EndedBy.NO_PROGRESS
    assert "could not be stopped" in run.detail


def test_a_safety_stop_is_a_stop_and_what_was_clipped_is_told_once_per_kind() -> None:
    robot = FakeRobot()

    def envelope(_action: Action) -> tuple[str, ...]:
        if robot.steps == 3:
            raise SafetyStop("contact force 300 N over 250 N", StopCause.CONTACT)
        return ("kept inside the workspace box", f"joint 1 near its limit: {robot.steps}% of the step")

    robot.on_apply = envelope
    run = SkillExecutor(robot, ScriptedPolicy([FORWARD])).run(PICK, CALL)
    assert (run.ended_by, run.control_steps) == (EndedBy.STOPPED, 3)
    assert run.detail == "safety envelope: contact force 300 N over 250 N"
    assert run.envelope == ("kept inside the workspace box", "joint 1 near its limit: 0% of the step")


def test_the_expert_policy_asks_the_skills_own_expert_with_the_true_state() -> None:
    seen: list[tuple[PhysicalState, tuple[str, ...]]] = []

    def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
        seen.append((state, arguments))
        return DONE

    library = SkillLibrary((replace(PICK, expert=expert),))
    state = PhysicalState(0.0, {}, HandState((0.4, 0.0, 0.3), (0.0, 0.0, 0.0, 1.0), 0.08))
    policy = ExpertPolicy(library, lambda: state)
    run = SkillExecutor(FakeRobot(), policy).run(library.skill("pick"), CALL)
    assert run.ended_by is EndedBy.TERMINATED
    assert seen == [(state, ("red block",))]


def test_the_expert_policy_refuses_unknown_skills_and_acting_before_begin() -> None:
    policy = ExpertPolicy(LIBRARY, lambda: pytest.fail("not to be asked"))
    with pytest.raises(SkillCallError, match="have: close"):
        policy.begin(SkillCall("grab", ()), "grab it")
    with pytest.raises(RuntimeError, match="begin"):
        policy.act(Observation(0, 0.0, BODY))
