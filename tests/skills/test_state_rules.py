"""SymbolicState: derived literals, three values, effects."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from symbolic_cases import LIBRARY, literals, possible_calls, table

from skills.calls import apply_call
from skills.literals import Literal
from skills.reasons import why_not
from skills.symbolic_state import SymbolicState

THINGS = ("red block", "green block", "blue block", "red bowl", "red pad", "drawer", "button", "lamp")


def holds(state: SymbolicState, text: str) -> bool | None:
    return state.holds(Literal.parse(text))


def test_derived_literals_follow_the_facts() -> None:
    state = table(THINGS, "on(red block, green block)", "in(blue block, drawer)")
    assert holds(state, "closed(drawer)")
    assert holds(state, "hand_empty()")
    assert holds(state, "clear(red block)")
    assert not holds(state, "clear(green block)")
    assert not holds(state, "has_room(green block)")
    assert holds(state, "has_room(table)")
    assert not holds(state, "accessible(blue block)")
    assert not holds(state, "accessible(drawer)")
    assert holds(state.apply(literals("open(drawer)")), "accessible(blue block)")


def test_containers_and_stacks_fill_up() -> None:
    blocks = [f"{c} block" for c in ("red", "green", "blue", "yellow", "purple", "orange")]
    bowl = table([*blocks, "red bowl"], *(f"in({b}, red bowl)" for b in blocks[:3]))
    assert not holds(bowl, "has_room(red bowl)")
    assert holds(bowl.apply(literals("not in(red block, *)")), "has_room(red bowl)")
    tower = table(blocks, *(f"on({a}, {b})" for a, b in pairwise(blocks[:5])))
    assert not holds(tower, "has_room(red block)")
    assert tower.stack_height("red block") == 5


def test_what_is_hidden_cannot_be_told_and_is_found_where_it_is_put() -> None:
    state = table(THINGS, hidden=["red block"])
    for text in ("on(red block, table)", "in(red block, *)", "clear(red block)", "accessible(red block)"):
        assert holds(state, text) is None
        assert holds(state, f"not {text}") is None
    assert holds(state, "holding(red block)") is False
    found = state.apply(literals("in(red block, drawer)"))
    assert not found.hidden
    assert holds(found, "in(red block, drawer)")


def test_a_report_of_things_standing_on_each_other_ends_somewhere() -> None:
    odd = table(THINGS, "on(red block, green block)", "on(green block, red block)")
    assert odd.column("red block") == ("red block", "green block")
    assert odd.stack_height("red block") == 2
    assert odd.container_of("red block") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hand_empty()", "the hand holds the blue block"),
        ("clear(green block)", "the red block is on the green block"),
        ("accessible(drawer)", "the drawer is closed"),
        ("has_room(green block)", "the red block is on the green block"),
        ("not in(yellow block, *)", "the yellow block is in the red bowl"),
        ("holding(red block)", "the hand holds the blue block"),
        ("lit(lamp)", "lit(lamp) does not hold"),
        ("not holding(blue block)", "the blue block is in the hand"),
    ],
)
def test_reasons_in_words(text: str, words: str) -> None:
    facts = ("on(red block, green block)", "holding(blue block)", "in(yellow block, red bowl)")
    state = table((*THINGS, "yellow block"), *facts)
    assert why_not(Literal.parse(text), state) == words


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_possible_calls_keep_the_world_sound(choices: list[int]) -> None:
    state = table(THINGS)
    for choice in choices:
        calls = list(possible_calls(state))
        call = calls[choice % len(calls)]
        expected = LIBRARY.skill(call.skill).success_of(call.arguments, state)
        state = apply_call(call, state, LIBRARY)
        assert all(state.holds(literal) for literal in expected), call
        places = [f.arguments[0] for f in state.facts if f.predicate in ("on", "in", "holding")]
        assert sorted(places) == ["blue block", "green block", "red block"], "each block is in one place"
        assert len(state.resting.get("red bowl", ())) <= 3
        assert len(state.resting.get("red pad", ())) <= 1
        assert all(len(state.resting.get(block, ())) <= 1 for block in state.of_category("block"))
