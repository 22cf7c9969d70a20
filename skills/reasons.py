"""Why a literal does not hold, in words: the second half of validation errors, verdicts and recoveries.

Not for: deciding whether it holds (skills.symbolic_state).
"""

from __future__ import annotations

from skills.literals import Literal
from skills.symbolic_state import BOWL_CAPACITY, DRAWER_CAPACITY, STACK_LIMIT, SymbolicState


def why_not(literal: Literal, state: SymbolicState) -> str:
    """A clause such as "the hand holds the red block"; for a literal that is true or unknown says so."""
    truth = state.holds(literal)
    if truth is True:
        return f"{literal} holds"
    if truth is None:
        return f"where the {literal.arguments[0]} is is not known"
    first = literal.arguments[0] if literal.arguments else ""
    match literal.negated, literal.predicate:
        case False, "hand_empty":
            return f"the hand holds the {state.held}"
        case False, "holding":
            return f"the hand holds the {state.held}" if state.held else "the hand is empty"
        case True, "holding":
            return f"the {first} is in the hand"
        case False, "clear":
            return f"{_listed(state.resting[first])} on the {first}"
        case False, "has_room":
            return _why_no_room(first, state)
        case False, "accessible":
            drawer = first if state.objects.get(first) == "drawer" else state.container_of(first)
            return f"the {drawer} is closed"
        case True, "in" | "on":
            return f"the {first} is {_where(first, state)}"
        case _:
            return f"{literal.negate()} holds" if literal.negated else f"{literal} does not hold"


def _why_no_room(name: str, state: SymbolicState) -> str:
    match state.objects.get(name):
        case "bowl":
            return f"the {name} is full ({BOWL_CAPACITY} blocks)"
        case "drawer":
            return f"the {name} is full ({DRAWER_CAPACITY} blocks)"
        case _ if state.resting.get(name):
            return f"{_listed(state.resting[name])} on the {name}"
        case _:
            return f"the stack that ends in the {name} is {STACK_LIMIT} high"


def _listed(names: tuple[str, ...]) -> str:
    return f"the {' and the '.join(names)} {'is' if len(names) == 1 else 'are'}"


def _where(name: str, state: SymbolicState) -> str:
    below = state.support.get(name)
    relation = "in" if Literal("in", (name, below or "")) in state.facts else "on"
    return f"{relation} the {below}" if below else "in no place"
