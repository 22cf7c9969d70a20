"""Rt2Policy: what it asks the model, what it makes of the answer, and that everything unfit is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fake_vla import DONE, STILL, UP, FakeVLA, fake_contract

from executor.policies.rt2 import OLDEST_PICTURE_S, Rt2Policy
from executor.robot_contract import tabletop_contract
from executor.skill_executor import SkillExecutor
from executor.vla_inputs import IMAGE_SIZES, STATE
from robots.robot import Action, CameraImage, Observation, Proprioception, Robot, SentAction
from robots.tabletop.faults import LostFrames, between
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.variations import CameraJitter, Variation
from robots.tabletop.world import TabletopWorld
from rt2.errors import ContractMismatch, InputError, PromptError, VLAError
from skills.library import SkillLibrary
from skills.skill import SkillCall
from world_model.results import EndedBy

PICK = SkillLibrary().skill("pick")
CALL = SkillCall.parse("pick(red block)")
SENTENCE = "pick up the red block"
BODY = Proprioception((0.4, 0.0, 0.3), (0.0, 0.0, 0.0, 1.0), (0.0,) * 7, (0.0,) * 7, 0.08, 0.25, 0.0)
ROBOT = tabletop_contract(IMAGE_SIZES)


def picture(width: int, height: int, time_s: float = 0.0) -> CameraImage:
    return CameraImage(np.zeros((height, width, 3), np.uint8), np.eye(3), np.eye(4), time_s)


def seen(time_s: float = 0.0, body: Proprioception = BODY, **images: CameraImage) -> Observation:
    usual = {name: picture(*size) for name, size in IMAGE_SIZES.items()}
    return Observation(0, time_s, body, {**usual, **images})


class StillRobot:
    """Observes what a test makes it observe; remembers whether it was stopped."""

    def __init__(self, observe: Callable[[], Observation]) -> None:
        self.observe, self.stopped, self.sent = observe, "", 0

    def apply(self, action: Action) -> SentAction:
        self.sent += 1
        return SentAction(action, action)

    def stop(self, reason: str) -> None:
        self.stopped = reason

    def resume(self) -> None: ...

    def home(self, *, open_hand: bool = True) -> bool: ...


def test_the_model_is_asked_with_pictures_state_and_sentence_and_its_chunk_becomes_actions() -> None:
    asked = []
    vla = FakeVLA(lambda given: asked.append(given) or [UP, (0, 0.01, 0.02, 0.03, 0.1, 0.2, 0.3, 0.7), DONE])
    policy = Rt2Policy(vla, ROBOT)
    policy.begin(CALL, SENTENCE)
    chunk = policy.act(seen())
    assert (policy.name, policy.cameras) == ("rt2", ("front", "wrist"))
    assert {name: rgb.shape for name, rgb in asked[0].images.items()} == {"front": (96, 160, 3), "wrist": (64, 64, 3)}
    assert asked[0].state.shape == (len(STATE),)
    assert asked[0].prompt == SENTENCE
    assert [action.terminate for action in chunk] == [False, False, True]
    assert chunk[1].world_vector == pytest.approx((0.01, 0.02, 0.03))
    assert chunk[1].rotation_delta == pytest.approx((0.1, 0.2, 0.3))
    assert chunk[1].gripper == pytest.approx(0.7)


NAN_BODY = replace(BODY, tool_position_m=(0.4, float("nan"), 0.3))
FLOATS = CameraImage(np.zeros((96, 160, 3), np.float32), np.eye(3), np.eye(4), 0.0)  # type: ignore[arg-type]
UNFIT = {
    "size": (seen(front=picture(128, 96)), InputError, "128x96 pixels; the model takes 160x96"),
    "dtype": (seen(front=FLOATS), InputError, "float32 pixels; the model takes uint8"),
    "camera": (Observation(0, 0.0, BODY, {"front": picture(160, 96)}), InputError, "camera 'wrist'; have: front"),
    "state": (seen(body=NAN_BODY), InputError, "tool_y = nan"),
}


@pytest.mark.parametrize(("observation", "error", "words"), UNFIT.values(), ids=UNFIT)
def test_what_the_model_was_not_made_for_is_refused_and_the_robot_stopped(
    observation: Observation, error: type[Exception], words: str
) -> None:
    policy, robot = Rt2Policy(FakeVLA(), ROBOT), StillRobot(lambda: observation)
    policy.begin(CALL, SENTENCE)
    with pytest.raises(error, match=words):
        policy.act(observation)
    run = SkillExecutor(robot, policy).run(PICK, CALL)
    assert (run.ended_by, robot.sent) == (EndedBy.ERROR, 0)
    assert words in run.detail
    assert words in robot.stopped


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_model_that_gives_no_numbers_stops_the_robot(number: float) -> None:
    policy, robot = Rt2Policy(FakeVLA(lambda _given: [(0, 0, number, 0, 0, 0, 0, number)]), ROBOT), StillRobot(seen)
    run = SkillExecutor(robot, policy).run(PICK, CALL)
    assert (run.ended_by, robot.sent) == (EndedBy.ERROR, 0)
    assert "no numbers (y, gripper): its weights are damaged" in robot.stopped


def test_an_answer_of_another_shape_is_refused() -> None:
    policy = Rt2Policy(FakeVLA(lambda _given: [(0.0,) * 7]), ROBOT)
    policy.begin(CALL, SENTENCE)
    with pytest.raises(VLAError, match=r"\(1, 7\); expected \(chunk, 8\)"):
        policy.act(seen())


@pytest.mark.parametrize("sentence", ["", " \n", "pick " * 2000], ids=["empty", "blank", "10 kB"])
def test_a_sentence_that_says_nothing_or_too_much_is_refused_and_the_last_one_forgotten(sentence: str) -> None:
    policy = Rt2Policy(FakeVLA(), ROBOT)
    policy.begin(CALL, SENTENCE)
    with pytest.raises(PromptError):
        policy.begin(CALL, sentence)
    with pytest.raises(RuntimeError, match="begin"):
        policy.act(seen())


OTHER_ROBOTS = {
    "rate": (ROBOT.model_copy(update={"rate_hz": 50.0}), "10 Hz, the robot gives 50 Hz"),
    "gripper": (ROBOT.model_copy(update={"gripper": "1 open, 0 closed"}), "1 open, 0 closed"),
    "cameras": (ROBOT.model_copy(update={"cameras": {"front": ROBOT.cameras["front"]}}), "camera 'wrist'"),
    "sizes": (tabletop_contract({"front": (224, 224)}), "224×224"),
    "jitter": (
        tabletop_contract(IMAGE_SIZES, Variation(cameras={"front": CameraJitter(shift_m=(0.05, 0.0, 0.0))})),
        "0.05, 0, 0",
    ),
}


@pytest.mark.parametrize(("robot", "words"), OTHER_ROBOTS.values(), ids=OTHER_ROBOTS)
def test_a_checkpoint_made_for_another_robot_is_refused_with_both_sides(robot: object, words: str) -> None:
    with pytest.raises(ContractMismatch, match="the checkpoint wants") as refused:
        Rt2Policy(FakeVLA(), robot)  # type: ignore[arg-type]
    assert words in str(refused.value)


def test_actions_in_another_order_are_refused() -> None:
    dimensions = fake_contract().dimensions
    vla = FakeVLA(contract=fake_contract(dimensions=(*dimensions[1:], dimensions[0])))
    with pytest.raises(ContractMismatch, match=r"gives actions \(x, y.*the robot takes \(terminate, x"):
        Rt2Policy(vla, ROBOT)


def test_a_small_jitter_is_within_what_the_checkpoint_was_trained_for() -> None:
    jitter = CameraJitter(shift_m=(0.008, -0.008, 0.0), turn_rad=(0.0, 0.008, 0.0))
    Rt2Policy(FakeVLA(), tabletop_contract(IMAGE_SIZES, Variation(cameras={"front": jitter, "wrist": jitter})))


def test_it_holds_still_with_its_grip_for_pictures_that_are_too_old() -> None:
    vla = FakeVLA(lambda _given: [UP])
    policy = Rt2Policy(vla, ROBOT)
    policy.begin(CALL, SENTENCE)
    fresh = picture(160, 96, time_s=1.0), picture(64, 64, time_s=1.0)
    late = seen(1.0 + OLDEST_PICTURE_S + 0.05, front=fresh[0], wrist=fresh[1])
    assert policy.act(seen(1.0 + OLDEST_PICTURE_S, front=fresh[0], wrist=fresh[1]))[0].world_vector[2] > 0
    assert policy.act(late) == (Action(gripper=BODY.gripper_closedness),)
    assert len(vla.batches) == 1, "the model is not asked about what it cannot see"


def test_a_frozen_camera_ends_in_no_progress_and_not_in_blind_motion() -> None:
    with TabletopWorld(SceneSpec(objects=("red block",)), 0) as world:
        frozen = [lambda plant: LostFrames(plant, seed=1, when=between(2, 99), probability=1.0)]
        policy = Rt2Policy(FakeVLA(lambda _given: [UP]), ROBOT)
        robot: Robot = TabletopRobot(world, image_size=IMAGE_SIZES, faults=frozen)
        before = world.physical_state().hand.tool_position_m[2]
        run = SkillExecutor(robot, policy).run(PICK, CALL)
        risen = world.physical_state().hand.tool_position_m[2] - before
    assert run.ended_by is EndedBy.NO_PROGRESS
    assert 0.05 < risen < 0.12, "as far as the last good pictures, and the few that are still young enough, took it"


def test_a_model_that_says_done_at_once_ends_the_skill() -> None:
    robot = StillRobot(seen)
    run = SkillExecutor(robot, Rt2Policy(FakeVLA(lambda _given: [DONE, STILL]), ROBOT)).run(PICK, CALL)
    assert (run.ended_by, run.control_steps, robot.stopped) == (EndedBy.TERMINATED, 0, "")
