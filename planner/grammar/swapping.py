"""Two things that change places, and bowls that change contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.grammar.attachment import as_relative
from planner.grammar.choosing import listing
from planner.grammar.context import Context
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, PhraseList, with_shared_noun
from planner.grammar.options import Option, of_kinds
from planner.grammar.references import resolve_list
from planner.grammar.syntax import NounPhrase
from skills.literals import Literal


def swap(group: Group, context: Context) -> list[Option]:
    """ "swap A and B", "exchange A with B", "swap the contents of the red and the blue bowl"."""
    phrases = _exchanged(group)
    contents = any(p.has("contents") for p in phrases)
    if contents:
        inner = (p.relatives[0].noun_phrase if p.has("contents") else p for p in phrases)
        phrases = list(with_shared_noun(tuple(p for p in inner if p is not None)))
    inside = contents or (bool(phrases) and all(p.noun in context.roles.inside for p in phrases))
    roles = context.roles.inside if inside else context.roles.movable
    selection = resolve_list(PhraseList(with_shared_noun(tuple(phrases))), roles, context)
    if len(selection.first) != 2:
        raise NeedsAnswer("Which two shall I swap?", sorted(of_kinds(context, context.roles.movable)))
    context.mention(selection.first)
    return [_swapped(*pair, context=context, contents=inside) for pair in selection.options]


def exchanging(groups: Sequence[Group]) -> Group:
    """ "the block on the red pad and the one on the blue pad"."""
    return Group([phrase for group in groups for phrase in with_shared_noun(tuple(_exchanged(group)))])


def _exchanged(group: Group) -> list[NounPhrase]:
    """ "A with B" names two things, "the block on the pad" one."""
    phrases = list(group.themes)
    for place in group.places:
        if place.prep in ("with", "for", "to") or not phrases:
            phrases += place.phrases.phrases
        else:
            relative = as_relative(place)
            phrases[-1] = replace(phrases[-1], relatives=(*phrases[-1].relatives, relative))
    return phrases


def _swapped(one: str, other: str, *, context: Context, contents: bool) -> Option:
    state = context.state
    if contents:
        crossing = {one: other, other: one}
        moved = tuple(
            Literal("in", (name, crossing[place])) for place in (one, other) for name in state.resting.get(place, ())
        )
        if not moved:
            raise CannotBe(f"the {one} and the {other} are both empty; there is nothing to swap")
        return moved
    exchange = {one: other, other: one}
    involved = [f for f in state.facts if f.predicate in ("on", "in") and set(f.arguments) & {one, other}]
    # a zone tells places on the table apart; elsewhere the pad, block or container is the place
    involved += [
        f for f in state.facts
        if f.predicate == "in_zone" and f.arguments[0] in exchange and state.support.get(f.arguments[0]) == "table"
    ]  # fmt: skip
    if unknown := sorted({one, other} & state.hidden):
        raise CannotBe(f"I do not know where {listing(unknown)} is, so I cannot swap places")
    swapped = [Literal(f.predicate, tuple(exchange.get(a, a) for a in f.arguments)) for f in sorted(involved)]
    if all(f in state.facts for f in swapped):
        raise NeedsAnswer(
            f"The {one} and the {other} both stand on the table; to which sides shall they go?", ("left", "right")
        )
    return tuple(swapped)
