"""Goals that no arrangement can satisfy, refused with a reason in words before any search.

Not for: proving that no sequence of skills reaches a possible goal (planner.search).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from planner.grammar.context import Context
from planner.grammar.errors import CannotBe
from planner.grammar.references import listing
from skills.goal import Goal
from skills.literals import Literal
from skills.symbolic_state import BOWL_CAPACITY, DRAWER_CAPACITY, STACK_LIMIT


def check(goal: Goal, context: Context) -> None:
    """Raises CannotBe where every end state of the goal breaks a rule of the world; the first reason is given."""
    reasons = [_trouble(end, context) for end in goal.end_states(context.start)]
    if reasons and all(reasons):
        raise CannotBe(str(reasons[0]))
    missing = sorted({a for end in goal.end_states(context.start) for lit in end for a in lit.arguments} & context.scene.gone)
    if missing:
        raise CannotBe(f"{listing(missing)} {'is' if len(missing) == 1 else 'are'} nowhere to be found")


def _trouble(end: Sequence[Literal], context: Context) -> str:
    places = {lit.arguments[0]: lit for lit in end if lit.predicate in ("on", "in") and not lit.negated}
    return _overfull(places.values(), context) or _crowded(places.values(), context) or _tangled(places, context)


def _overfull(places: object, context: Context) -> str:
    counts = Counter(lit.arguments[1] for lit in places if lit.predicate == "in")  # type: ignore[attr-defined]
    for name, count in counts.items():
        limit = BOWL_CAPACITY if context.state.objects.get(name) == "bowl" else DRAWER_CAPACITY
        if count > limit:
            return f"the {name} holds {limit} blocks, not {count}"
    return ""


def _crowded(places: object, context: Context) -> str:
    on = [lit for lit in places if lit.predicate == "on" and lit.arguments[1] != "table"]  # type: ignore[attr-defined]
    for lower, count in Counter(lit.arguments[1] for lit in on).items():
        if count > 1 and context.state.objects.get(lower) != "table":
            names = sorted(lit.arguments[0] for lit in on if lit.arguments[1] == lower)
            return f"only one block fits on the {lower}, so {listing(names)} cannot all be on it"
    return ""


def _tangled(places: dict[str, Literal], context: Context) -> str:
    del context
    for name in places:
        column = [name]
        while column[-1] in places and places[column[-1]].predicate == "on":
            below = places[column[-1]].arguments[1]
            if below in column:
                return f"the {name} cannot be above and below the same block" if below != name or len(column) > 1 else (
                    f"the {name} cannot be on itself"
                )
            column.append(below)
        blocks = [n for n in column if n in places or column.index(n) == len(column) - 1]
        height = len([n for n in blocks if places.get(n, Literal("on", (n, ""))).predicate == "on"])
        if height > STACK_LIMIT + 1:
            return f"a stack is at most {STACK_LIMIT} blocks high"
    return ""
