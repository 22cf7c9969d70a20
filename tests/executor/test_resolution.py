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


def test_steps_to_and_fro_are_halved_and_halved_again_then_it_goes_on_one_way_and_not_down() -> None:
    done = moved([ASIDE, BACK] * 5)
    assert [round(abs(y) / 0.04, 2) for _, y, _ in done] == [1, 1, 0.5, 0.5, 0.25, 0.25, 1, 1, 1, 1]
    assert [y > 0 for _, y, _ in done] == [True, False] * 3 + [True] * 4
    assert all(z == 0 for *_, z in done[7:]), "what it goes on with is not down"


def test_after_a_while_one_way_the_policy_has_its_say_again() -> None:
    assert moved([ASIDE, BACK] * 5 + [ASIDE] * 3)[10:] == [ASIDE] * 3


@pytest.mark.parametrize(
    "wanted",
    [
        [ASIDE] * 6,
        [ASIDE, BACK, BACK, ASIDE, ASIDE, BACK],  # one turn back is a correction
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
