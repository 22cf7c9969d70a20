"""Wrappers: shorter chunks, and a nudge where nothing moves; alone and asked in batches alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_vla import DONE, STILL, UP, FakeVLA

from executor.policies.rt2 import Rt2Policy
from executor.policies.wrappers import AntiFreeze, Chunked, Resolute
from executor.robot_contract import tabletop_contract
from executor.vla_inputs import IMAGE_SIZES
from robots.robot import Action, CameraImage, Observation, Proprioception
from robots.safety import hold
from skills.skill import SkillCall

CALL = SkillCall.parse("pick(red block)")
BODY = Proprioception((0.4, 0.0, 0.3), (0.0, 0.0, 0.0, 1.0), (0.0,) * 7, (0.0,) * 7, 0.08, 0.0, 0.0)
PICTURES = {
    name: CameraImage(np.zeros((height, width, 3), np.uint8), np.eye(3), np.eye(4), 0.0)
    for name, (width, height) in IMAGE_SIZES.items()
}
GRIP = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.9)


def seen(body: Proprioception = BODY) -> Observation:
    return Observation(0, 0.0, body, PICTURES)


def rt2(*rows: tuple[float, ...]) -> Rt2Policy:
    return Rt2Policy(FakeVLA(lambda _given: rows), tabletop_contract(IMAGE_SIZES))


@pytest.mark.parametrize(("most", "executed"), [(1, 1), (2, 2), (9, 3)])
def test_chunked_keeps_the_first_actions_in_order(most: int, executed: int) -> None:
    policy = Chunked(rt2(UP, STILL, DONE), most)
    policy.begin(CALL, "pick up the red block")
    chunk = policy.act(seen())
    assert [a.terminate for a in chunk] == [False, False, True][:executed]
    assert chunk[0].world_vector[2] == pytest.approx(0.02)
    assert (policy.name, policy.cameras) == ("rt2", ("front", "wrist"))


def test_chunked_refuses_to_execute_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Chunked(rt2(UP), 0)


def decisions(policy: AntiFreeze, bodies: list[Proprioception]) -> list[Action]:
    return [policy.act(seen(body))[0] for body in bodies]


def test_antifreeze_nudges_up_and_aside_in_new_directions_after_its_patience_only() -> None:
    policy = AntiFreeze(rt2(GRIP), patience_steps=3, nudge_m=0.015)
    policy.begin(CALL, "pick up the red block")
    moved = [action.world_vector for action in decisions(policy, [BODY] * 9)]
    nudged = [k for k, vector in enumerate(moved) if any(vector)]
    assert nudged == [3, 7], "patience, a nudge, and patience again"
    for k in nudged:
        assert moved[k][2] == pytest.approx(0.015)
        assert np.hypot(*moved[k][:2]) == pytest.approx(0.015)
    assert moved[nudged[0]] != moved[nudged[1]]


def test_antifreeze_leaves_the_grip_alone_and_forgets_at_the_next_skill() -> None:
    policy = AntiFreeze(rt2(GRIP), patience_steps=2)
    policy.begin(CALL, "pick up the red block")
    *_, nudge = decisions(policy, [BODY] * 3)
    assert nudge.gripper == pytest.approx(0.9)
    assert nudge.rotation_delta == (0.0, 0.0, 0.0)
    decisions(policy, [BODY] * 2)
    policy.begin(CALL, "pick up the red block")
    assert not any(any(a.world_vector) for a in decisions(policy, [BODY] * 2))


def test_antifreeze_lets_a_moving_hand_and_a_done_policy_be() -> None:
    moving = [replace(BODY, tool_position_m=(0.4, 0.0, 0.3 + 0.01 * k)) for k in range(12)]
    policy = AntiFreeze(rt2(GRIP), patience_steps=3)
    policy.begin(CALL, "pick up the red block")
    assert not any(any(a.world_vector) for a in decisions(policy, moving))
    done = AntiFreeze(rt2(DONE), patience_steps=3)
    done.begin(CALL, "pick up the red block")
    assert all(a.terminate for a in decisions(done, [BODY] * 8))


def test_wrappers_compose() -> None:
    policy = Chunked(AntiFreeze(rt2(GRIP, UP, UP), patience_steps=2), 2)
    policy.begin(CALL, "pick up the red block")
    chunks = [policy.act(seen()) for _ in range(3)]
    assert [len(chunk) for chunk in chunks] == [2, 2, 1], "a nudge is a chunk of its own"


def turning(*turns_rad: float) -> Resolute:
    """A policy that wants these turns one after the other, on its way down."""
    wanted = iter(turns_rad)
    vla = FakeVLA(lambda _given: ((0.0, 0.0, 0.0, -0.02, 0.0, 0.0, next(wanted), 0.0),))
    return Resolute(Rt2Policy(vla, tabletop_contract(IMAGE_SIZES)))


def turns_and_heights(policy: Resolute, count: int) -> list[tuple[float, float]]:
    policy.begin(CALL, "pick up the red block")
    actions = [policy.act(seen())[0] for _ in range(count)]
    return [(round(a.rotation_delta[2], 2), round(a.world_vector[2], 2)) for a in actions]


def test_a_hand_that_turns_to_and_fro_goes_on_one_way_and_not_down() -> None:
    down, level = -0.02, 0.0
    assert turns_and_heights(turning(*(0.2, -0.2) * 6), 12) == [
        (0.2, down), (-0.2, down), (0.2, down), *[(0.2, level)] * 7, (0.2, down), (-0.2, down)
    ]  # fmt: skip


@pytest.mark.parametrize("turns", [(0.2, 0.2, 0.2, 0.2), (0.2, -0.05, 0.05, -0.05), (0.2, -0.2, 0.0, -0.2, -0.2)])
def test_turns_that_get_somewhere_are_left_alone(turns: tuple[float, ...]) -> None:
    assert [turn for turn, _ in turns_and_heights(turning(*turns), len(turns))] == list(turns)


def test_a_new_call_forgets_the_dithering_of_the_last() -> None:
    policy = turning(0.2, -0.2, 0.2, -0.2)
    turns_and_heights(policy, 2)
    assert [turn for turn, _ in turns_and_heights(policy, 2)] == [0.2, -0.2]


def test_nobody_moves_the_robot_while_its_pictures_are_too_old() -> None:
    late = Observation(20, 2.0, BODY, PICTURES)
    resolute = turning(0.2, -0.2, 0.2)
    turns_and_heights(resolute, 3)
    nudging = AntiFreeze(rt2(GRIP), patience_steps=2)
    nudging.begin(CALL, "pick up the red block")
    for policy in (resolute, nudging):
        assert [policy.act(late) for _ in range(6)] == [(hold(BODY),)] * 6
