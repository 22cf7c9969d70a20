"""Calls in which something can hardly be told from what is under it are practised more often."""

from __future__ import annotations

import numpy as np
import pytest
from symbolic_cases import table

from executor.learning.worlds import is_alike, next_call
from skills.library import SkillLibrary
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState

THINGS = [f"{colour} {kind}" for colour in ("red", "green", "blue", "yellow") for kind in ("block", "bowl")]


def state(*facts: str) -> SymbolicState:
    return table([*THINGS, "red pad"], *facts)


@pytest.mark.parametrize(
    ("call", "facts", "alike"),
    [
        ("pick(red block)", ["in(red block, red bowl)"], True),
        ("pick(red block)", ["on(red block, red pad)"], True),
        ("pick(red block)", ["in(red block, green bowl)"], False),
        ("pick(red block)", ["on(red block, table)"], False),
        ("place_in(green bowl)", ["holding(green block)"], True),
        ("place_in(green bowl)", ["holding(red block)"], False),
        ("place_on(red pad)", ["holding(red block)"], True),
        ("place_on(red block)", ["holding(green block)", "on(red block, red pad)"], True),
        ("place_on(table)", ["holding(green block)"], False),
    ],
)
def test_what_is_alike(call: str, facts: list[str], alike: bool) -> None:
    assert is_alike(SkillCall.parse(call), state(*facts)) is alike


def test_a_bowl_of_the_blocks_colour_is_practised_more_than_by_chance() -> None:
    rng = np.random.default_rng(0)
    holding = state("holding(red block)")
    drawn = [next_call(holding, {"place_in": 1.0}, SkillLibrary(), rng) for _ in range(400)]
    share = sum(call == SkillCall.parse("place_in(red bowl)") for call in drawn) / len(drawn)
    assert share == pytest.approx(0.3 + 0.7 / 4, abs=0.08)
