"""Resolution: what it does about a hand that moves to and fro, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.resolution import Resolution
from robots.robot import Action, Vector3

ASIDE, BACK = (0.0, 0.04, -0.01), (0.0, -0.04, -0.01)


def moved(wanted: Sequence[Vector3]) -> list[Vector3]:
    resolution = Resolution()
    return [resolution.settle(Action(way)).world_vector for way in wanted]


def turned(wanted: Sequence[float], way: Vector3 = (0.0, 0.0, -0.01)) -> list[Action]:
    resolution = Resolution()
    return [resolution.settle(Action(way, (0.0, 0.0, yaw))) for yaw in wanted]


def test_steps_to_and_fro_are_halved_and_halved_again_then_it_goes_on_one_way_and_not_down() -> None:
    done = moved([ASIDE, BACK] * 6)
    assert [round(abs(y) / 0.04, 2) for _, y, _ in done] == [1, 1, 1, 0.5, 0.5, 0.25, 1, 1, 1, 1, 1, 1]
    assert [y > 0 for _, y, _ in done] == [True, False] * 3 + [True] * 5 + [False]
    assert all(z == 0 for *_, z in done[7:11]), "what it goes on with is not down"


def test_twice_there_and_twice_back_is_to_and_fro_too() -> None:
    done = moved([ASIDE, ASIDE, BACK, BACK] * 4)
    assert done[:6] == [ASIDE, ASIDE, BACK, BACK, ASIDE, ASIDE]
    assert all(abs(y) <= 0.02 for _, y, _ in done[6:12])


def test_after_a_while_one_way_the_policy_has_its_say_again() -> None:
    assert moved([ASIDE, BACK] * 5 + [ASIDE] * 3)[11:] == [ASIDE] * 2


@pytest.mark.parametrize("wanted", [[0.2, -0.2] * 6, [0.2, 0.2, -0.2, -0.2] * 3])
def test_turns_to_and_fro_become_a_quarter_turn_one_way_and_not_down(wanted: list[float]) -> None:
    done = turned(wanted)
    yaws = [action.rotation_delta[2] for action in done]
    first = next(k for k, (yaw, said) in enumerate(zip(yaws, wanted, strict=True)) if yaw != said)
    kept = [yaw for yaw in yaws[first - 1 :] if yaw]
    assert len({yaw > 0 for yaw in kept[:5]}) == 1
    assert done[first].world_vector[2] == 0


def test_a_turn_one_way_ends_where_the_policy_wants_no_more() -> None:
    wanted = [0.2, -0.2, 0.2, -0.2, 0.01, -0.2, 0.2]
    assert [action.rotation_delta[2] for action in turned(wanted)] == [0.2, -0.2, 0.2, 0.2, 0.01, -0.2, 0.2]


@pytest.mark.parametrize(
    "wanted",
    [
        [ASIDE] * 6,
        [ASIDE, BACK, BACK, ASIDE, ASIDE],  # turns back are corrections
        [(0.0, 0.01, 0.0), (0.0, -0.01, 0.0)] * 4,  # fine work
        [(0.03, 0.0, 0.0), (0.0, 0.03, 0.0)] * 4,  # around a corner
    ],
)
def test_what_gets_somewhere_is_left_alone(wanted: list[Vector3]) -> None:
    assert moved(wanted) == wanted


@given(st.lists(st.tuples(*[st.floats(-0.05, 0.05)] * 3), max_size=30))
def test_no_step_is_ever_longer_than_one_that_was_wanted_and_the_end_stays_the_end(wanted: list[Vector3]) -> None:
    longest = max((sum(x * x for x in way) for way in wanted), default=0.0)
    assert all(sum(x * x for x in way) <= longest + 1e-12 for way in moved(wanted))
    resolution = Resolution()
    for way in wanted:
        resolution.settle(Action(way))
    done = Action((0.01, 0.0, 0.0), terminate=True)
    assert resolution.settle(done) is done
