"""Why a goal cannot be reached, in words: contradictions in the goal itself, and what no skill can bring about.

Not for: proving it by search (planner.search_engine).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from planner.search_engine import Budget, SearchEnd, search
from planner.search_heuristic import UNREACHABLE, Landmarks
from planner.search_order import OrderWatch
from planner.search_problem import Problem
from planner.search_pruning import useful_actions
from skills.literals import Literal
from skills.symbolic_state import BOWL_CAPACITY, DRAWER_CAPACITY, OPPOSITE_ZONE, STACK_LIMIT, SymbolicState

DERIVED = frozenset({"clear", "has_room", "accessible", "closed", "hand_empty"})
CLASH_STATES = 400
"""Enough for one thing and what stands in its way; a proof that takes longer is left to the whole search."""

CAPACITY = {"bowl": BOWL_CAPACITY, "drawer": DRAWER_CAPACITY}


def contradiction(wanted: Sequence[Literal], state: SymbolicState) -> str | None:
    """Why these literals can never hold together in this world; None where nothing speaks against it."""
    positive = list(dict.fromkeys(literal for literal in wanted if not literal.negated))
    for check in _CHECKS:
        reason = next(check(positive, state), None)
        if reason is not None:
            return reason
    asked = {_stored(literal) for literal in wanted}
    both = next((literal for literal in wanted if _stored(literal).negate() in asked), None)
    return f"{both.positive} is asked to hold and not to hold" if both else None


def out_of_reach(problem: Problem, wanted: Sequence[Literal]) -> str:
    """After a search has proved that there is no way: the literal that no skill can bring about, if it is one."""
    for literal in wanted:
        condition = problem.condition((literal,))
        landmarks = Landmarks(problem, condition, useful_actions(problem, (condition,)))
        if problem.holds(condition, problem.start):
            continue
        if condition.never or landmarks.estimate(problem.start) >= UNREACHABLE:
            return f"no skill can make {literal} hold here{_missing_tool(literal, problem.state)}"
    return "each part of it may be reached, but not all of it together"


def clash(problem: Problem, wanted: Sequence[Literal]) -> str | None:
    """Literals about one thing that no plan can make hold together, where a short search proves it.

    Asked first, for in the whole goal the proof may be out of reach.
    """
    about: dict[str, list[Literal]] = {}
    for literal in wanted:
        if literal.arguments and literal.predicate not in DERIVED:
            about.setdefault(literal.arguments[0], []).append(literal)
    for name, literals in about.items():
        if len(literals) > 1:
            condition = problem.condition(literals)
            result = search(problem, condition, OrderWatch(problem), Budget(rounds=((1.0, CLASH_STATES),)))
            if result.end is SearchEnd.UNREACHABLE:
                return f"no skills can make {' and '.join(map(str, literals))} hold together for the {name}"
    return None


def _missing_tool(literal: Literal, state: SymbolicState) -> str:
    if literal.predicate == "lit" and not state.of_category("button"):
        return ": there is no button to press"
    return ""


def _stored(literal: Literal) -> Literal:
    return Literal("open", literal.arguments, not literal.negated) if literal.predicate == "closed" else literal


def _two_places(wanted: list[Literal], _: SymbolicState) -> Iterator[str]:
    place: dict[str, Literal] = {}
    for literal in wanted:
        if literal.predicate in ("on", "in", "holding") and not _is_pattern(literal):
            other = place.setdefault(literal.arguments[0], literal)
            if other != literal:
                yield f"the {literal.arguments[0]} cannot be in two places: {other} and {literal}"


def _one_hand(wanted: list[Literal], _: SymbolicState) -> Iterator[str]:
    held = [literal.arguments[0] for literal in wanted if literal.predicate == "holding"]
    if len(held) > 1:
        yield f"there is one hand: it cannot hold the {' and the '.join(held)}"
    if held and any(literal.predicate == "hand_empty" for literal in wanted):
        yield f"the hand cannot hold the {held[0]} and be empty"


def _circle(wanted: list[Literal], _: SymbolicState) -> Iterator[str]:
    below = {lit.arguments[0]: lit.arguments[1] for lit in wanted if lit.predicate == "on"}
    for start, support in below.items():
        current, seen = support, {start}
        while current in below and current not in seen:
            seen.add(current)
            current = below[current]
        if current == start:
            where = "itself" if support == start else f"the {support}, which would stand on it"
            yield f"the {start} cannot stand on {where}"


def _too_many(wanted: list[Literal], state: SymbolicState) -> Iterator[str]:
    for name, kind in state.objects.items():
        asked = [lit.arguments[0] for lit in wanted if lit.predicate in ("on", "in") and lit.arguments[1] == name]
        room = CAPACITY.get(kind)
        if room is not None and len(asked) > room:
            yield f"{kind}s hold at most {room} blocks: {len(asked)} are asked for the {name}"
        if kind in ("block", "pad") and len(asked) > 1:
            yield f"the {name} has room for one: the {' and the '.join(asked)} cannot all stand on it"
        if asked and Literal("clear", (name,)) in wanted:
            yield f"the {name} cannot be clear with the {asked[0]} on it"


def _too_high(wanted: list[Literal], state: SymbolicState) -> Iterator[str]:
    below = {lit.arguments[0]: lit.arguments[1] for lit in wanted if lit.predicate == "on"}
    for top, support in below.items():
        height, current = 1, support
        while state.objects.get(current) == "block" and height <= STACK_LIMIT:
            height += 1
            current = below.get(current, "table")
        if height > STACK_LIMIT:
            yield f"a stack is at most {STACK_LIMIT} high: more are asked to stand under and with the {top}"


def _stacked_inside(wanted: list[Literal], state: SymbolicState) -> Iterator[str]:
    container = {lit.arguments[0]: lit.arguments[1] for lit in wanted if lit.predicate == "in"}
    for literal in wanted:
        if literal.predicate == "on" and literal.arguments[1] in container and literal not in state.facts:
            inside = container[literal.arguments[1]]
            yield f"nothing can be stacked on the {literal.arguments[1]} in the {inside}"


def _two_zones(wanted: list[Literal], _: SymbolicState) -> Iterator[str]:
    for literal in wanted:
        if literal.predicate == "in_zone":
            name, zone = literal.arguments
            if Literal("in_zone", (name, OPPOSITE_ZONE.get(zone, ""))) in wanted:
                yield f"the {name} cannot be {zone} and {OPPOSITE_ZONE[zone]} at once"


def _is_pattern(literal: Literal) -> bool:
    return any("*" in argument for argument in literal.arguments)


_CHECKS: tuple[Callable[[list[Literal], SymbolicState], Iterator[str]], ...] = (
    _two_places,
    _one_hand,
    _circle,
    _too_many,
    _too_high,
    _stacked_inside,
    _two_zones,
)
