"""What stays as it is: "leave the red block where it is", "keep the lamp on", "don't touch the bowl".

Not for: what must not come to be (absence.py).
"""

from __future__ import annotations

from planner.grammar import placing
from planner.grammar.context import Context
from planner.grammar.devices import lamp_of
from planner.grammar.errors import NeedsAnswer
from planner.grammar.grouping import Group
from planner.grammar.options import Option
from planner.grammar.references import resolve_list
from planner.grammar.removing import clear
from planner.grammar.syntax import Imperative, Particle, PrepPhrase
from skills.literals import Literal


def keep(group: Group, context: Context) -> list[Option]:
    """ "leave the lamp on", "keep the red block where it is": a state or a place that must hold at the end."""
    if group.places:
        return placing.put(group, context)
    if not group.themes:
        raise NeedsAnswer("What shall I leave as it is?")
    selection = resolve_list(group.theme, tuple(context.state.objects.values()), context, group.exceptions)
    context.mention(selection.first)
    if group.said("held"):
        return [(Literal("holding", selection.first),)]
    if group.said("empty", "clear"):
        return clear(group, context)
    return [tuple(lit for name in selection.first for lit in _as_it_is(name, context))]


def _as_it_is(name: str, context: Context) -> list[Literal]:
    """What holds of a thing at the start, as literals to keep."""
    state = context.state
    match state.objects[name]:
        case "drawer":
            return [Literal("open" if state.holds(Literal("open", (name,))) else "closed", (name,))]
        case "lamp" | "button":
            lit = Literal("lit", (lamp_of(context),))
            return [lit if state.holds(lit) else lit.negate()]
        case kind if kind in context.roles.movable:
            return [f for f in sorted(state.facts) if f.predicate in ("on", "in", "holding") and f.arguments[0] == name]
        case kind if kind in context.roles.inside:
            return [Literal("in", (c, name)) for c in state.resting.get(name, ())]
        case _:
            return []


def leaves_alone(clause: Imperative) -> bool:
    """ "leave the red block where it is", "don't touch the red block"."""
    stays = any(isinstance(p, Particle) and p.value == "stay" for p in clause.parts)
    stays |= any(isinstance(p, PrepPhrase) for p in clause.parts)
    return (clause.verb == "keep" and stays) or (clause.prohibited and clause.verb in ("touch", "move"))


def nothing_to_do(group: Group, context: Context) -> list[Option]:
    del group, context
    return [()]
