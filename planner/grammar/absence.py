"""What shall not be somewhere: "nothing in the bowl", "no block on the table", and the opposite of a literal."""

from __future__ import annotations

from dataclasses import replace

from planner.grammar.context import Context
from planner.grammar.grouping import Group, PhraseList, Place
from planner.grammar.options import place_literal
from planner.grammar.references import resolve_list
from skills.literals import Literal


def says_no(group: Group) -> bool:
    return any(p.noun == "nothing" or p.has("no") for p in group.themes)


def nothing_at(group: Group, place: Place, context: Context) -> list[Literal]:
    anywhere = tuple(
        replace(p, quantifiers=("all",), plural=True) if p.has("a", "any") else p for p in place.phrases.phrases
    )  # "on a pad": on no pad
    targets = resolve_list(replace(place.phrases, phrases=anywhere), context.roles.place, context).first
    context.mention(targets)
    anything = all(p.noun in ("everything", "thing", "nothing") and not p.colours for p in group.themes)
    if anything and "table" not in targets:
        return [_bare(t, context) for t in targets]
    widened = tuple(replace(p, quantifiers=("all",), plural=True) for p in group.themes)
    names = resolve_list(PhraseList(widened), context.roles.movable, context, group.exceptions).first
    context.mention(names)
    return [place_literal(n, t, context).negate() for n in names for t in targets]


def _bare(name: str, context: Context) -> Literal:
    """Nothing in a container, nothing on anything else."""
    if context.state.objects[name] in context.roles.inside:
        return Literal("in", ("*", name), negated=True)
    return Literal("clear", (name,))


def opposite(literal: Literal) -> Literal:
    opposites = {"open": "closed", "closed": "open"}
    if literal.predicate in opposites:
        return Literal(opposites[literal.predicate], literal.arguments)
    return literal.negate()
