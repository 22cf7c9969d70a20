"""Goals that no arrangement can satisfy, refused with a reason in words before any search.

Not for: proving that no sequence of skills reaches a possible goal (planner.search).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from planner.grammar.choosing import listing
from planner.grammar.context import Context
from planner.grammar.errors import CannotBe
from skills.goal import Goal
from skills.literals import Literal
from skills.symbolic_state import BOWL_CAPACITY, DRAWER_CAPACITY, STACK_LIMIT, SymbolicState


def check(goal: Goal, context: Context) -> None:
    """Raises CannotBe where every end state of the goal breaks a rule of the world; the first reason is given."""
    if reason := impossible(goal, context.start):
        raise CannotBe(reason)
    missing = sorted(
        {a for end in goal.end_states(context.start) for lit in end for a in lit.arguments} & context.scene.gone
    )
    if missing:
        raise CannotBe(f"{listing(missing)} {'is' if len(missing) == 1 else 'are'} nowhere to be found")


def impossible(goal: Goal, start: SymbolicState) -> str:
    """Why no end state of the goal can be, "" where one can."""
    reasons = [_trouble(end, start) for end in goal.end_states(start)]
    return reasons[0] if reasons and all(reasons) else ""


def _trouble(end: Sequence[Literal], state: SymbolicState) -> str:
    places = {lit.arguments[0]: lit for lit in end if lit.predicate in ("on", "in") and not lit.negated}
    return _overfull(places.values(), state) or _crowded(places.values()) or _tangled(places)


def _overfull(places: Iterable[Literal], state: SymbolicState) -> str:
    counts = Counter(lit.arguments[1] for lit in places if lit.predicate == "in")
    for name, count in counts.items():
        limit = BOWL_CAPACITY if state.objects.get(name) == "bowl" else DRAWER_CAPACITY
        if count > limit:
            return f"the {name} holds {limit} blocks, not {count}"
    return ""


def _crowded(places: Iterable[Literal]) -> str:
    on = [lit for lit in places if lit.predicate == "on" and lit.arguments[1] != "table"]
    for lower, count in Counter(lit.arguments[1] for lit in on).items():
        if count > 1:
            names = sorted(lit.arguments[0] for lit in on if lit.arguments[1] == lower)
            return f"only one block fits on the {lower}, so {listing(names)} cannot all be on it"
    return ""


def _tangled(places: Mapping[str, Literal]) -> str:
    for name in places:
        column = [name]
        while column[-1] in places and places[column[-1]].predicate == "on":
            below = places[column[-1]].arguments[1]
            if below in column:
                return f"the {name} cannot be above and below the same block"
            column.append(below)
        if len([n for n in column if n.endswith("block")]) > STACK_LIMIT:
            return f"a stack is at most {STACK_LIMIT} blocks high"
    return ""
