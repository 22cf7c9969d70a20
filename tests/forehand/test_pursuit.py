"""What of a goal is still to be pursued: against the definition of a reached goal, for all short histories."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from forehand.pursuit import pursued, settled, unmet
from skills.goal import Goal
from skills.literals import Literal
from skills.symbolic_state import SymbolicState

OBJECTS = {"red block": "block", "red bowl": "bowl", "drawer": "drawer", "lamp": "lamp", "table": "table"}
IN_BOWL, LIT, OPEN = "in(red block, red bowl)", "lit(lamp)", "open(drawer)"


def state(*facts: str, hidden: tuple[str, ...] = ()) -> SymbolicState:
    return SymbolicState(OBJECTS, frozenset(map(Literal.parse, facts)), frozenset(hidden))


def goal(*literals: str, order: tuple[tuple[str, str], ...] = ()) -> Goal:
    return Goal.model_validate({"literals": literals, "order": order})


def test_a_branch_is_settled_when_its_condition_is_first_seen() -> None:
    branch = {"condition": "in(red block, drawer)", "then": [IN_BOWL], "otherwise": [LIT]}
    wanted = Goal.model_validate({"branches": [branch], "alternatives": [[OPEN]]})
    unknown, found = state(hidden=("red block",)), state("in(red block, drawer)", OPEN)
    assert settled(wanted, [unknown]) == wanted
    then = settled(wanted, [unknown, found, state(IN_BOWL)])
    assert then.end_states(state()) == (
        tuple(map(Literal.parse, (IN_BOWL,))),
        tuple(map(Literal.parse, (OPEN, IN_BOWL))),
    )
    assert unmet(wanted, [unknown, found])
    assert not unmet(wanted, [unknown, found, state(IN_BOWL)])
    assert settled(wanted, [state()]).literals == (Literal.parse(LIT),)


def test_a_full_hand_is_not_the_end_unless_the_goal_says_so() -> None:
    held = state("holding(red block)", LIT)
    assert unmet(goal(LIT), [held]) == ("hand_empty() does not hold: the hand holds the red block",)
    assert unmet(goal(LIT, "holding(red block)"), [held]) == ()
    assert unmet(goal(LIT, "not holding(lamp)"), [held])


def test_what_came_in_order_is_not_asked_for_again() -> None:
    wanted = goal(LIT, order=((OPEN, LIT),))
    assert pursued(wanted, [state(), state(OPEN), state(OPEN, LIT), state(LIT)]).order == ()


def test_what_came_the_wrong_way_round_is_undone_and_done_again() -> None:
    wanted = goal(IN_BOWL, "closed(drawer)", order=((IN_BOWL, "closed(drawer)"),))
    shut_too_soon = [state(OPEN), state(), state(IN_BOWL)]
    closed = Literal.parse("closed(drawer)")
    assert unmet(wanted, shut_too_soon) == (f"{IN_BOWL} was to become true before closed(drawer)",)
    assert pursued(wanted, shut_too_soon).order == ((closed.negate(), closed),)
    assert unmet(wanted, [*shut_too_soon, state(OPEN, IN_BOWL), state(IN_BOWL)]) == ()


def test_what_was_undone_by_someone_must_come_first_again() -> None:
    wanted = goal(IN_BOWL, LIT, order=((IN_BOWL, LIT),))
    assert pursued(wanted, [state(), state(IN_BOWL), state(IN_BOWL, LIT), state(LIT)]).order == wanted.order


STATES = [state(*(f for f, on in zip((IN_BOWL, LIT), bits, strict=True) if on)) for bits in product((0, 1), repeat=2)]


@settings(deadline=None, max_examples=300)
@given(
    past=st.lists(st.sampled_from(STATES), min_size=1, max_size=4), rest=st.lists(st.sampled_from(STATES), max_size=4)
)
def test_reaching_what_is_pursued_from_now_on_reaches_the_goal(
    past: list[SymbolicState], rest: list[SymbolicState]
) -> None:
    wanted = goal(IN_BOWL, LIT, order=((IN_BOWL, LIT),))
    future = [past[-1], *rest]
    whole = [*past, *rest]
    onset_again = any(_onset(whole, i, Literal.parse(IN_BOWL)) for i in range(len(past), len(whole)))
    if pursued(wanted, past).reached(future) and not onset_again:
        assert wanted.reached(whole)
        assert unmet(wanted, whole) == ()


@settings(deadline=None, max_examples=300)
@given(history=st.lists(st.sampled_from(STATES), min_size=1, max_size=6))
def test_nothing_is_unmet_exactly_where_the_goal_is_reached(history: list[SymbolicState]) -> None:
    wanted = goal(IN_BOWL, LIT, order=((IN_BOWL, LIT),))
    assert (unmet(wanted, history) == ()) == wanted.reached(history)


def _onset(history: list[SymbolicState], index: int, literal: Literal) -> bool:
    return bool(history[index].holds(literal)) and (index == 0 or not history[index - 1].holds(literal))
