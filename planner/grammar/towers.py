"""Stacks and towers: who is on top, who below, in which order."""

from __future__ import annotations

from dataclasses import replace

from planner.grammar import placing
from planner.grammar.context import Context
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, PhraseList, Place
from planner.grammar.placing import Option
from planner.grammar.references import MAX_OPTIONS, listing, resolve_list
from planner.grammar.syntax import NounPhrase
from skills.symbolic_state import STACK_LIMIT


def build(group: Group, context: Context) -> list[Option]:
    """ "stack A on B", "stack all blocks with red on top", "build a tower of A, B and C on the red pad"."""
    themes, withs, base_place, fixed_phrases = _roles(group)
    base = _base(base_place, context)
    fixed = {
        where: resolve_list(PhraseList((phrase,)), context.roles.movable, context).first[0]
        for phrase, where in fixed_phrases
    }
    phrases = themes or withs
    if not phrases and not fixed:
        raise NeedsAnswer("Which blocks shall I stack?", sorted(context.state.of_category("block")))
    if not phrases:
        phrases = [NounPhrase(("all",), noun="block", plural=True)] if len(fixed) < 2 else []
    theme = PhraseList(replace(group, themes=list(phrases)).theme.phrases)
    selection = placing.movables(theme, context, group.exceptions) if phrases else placing.Selection(((),))
    options: list[Option] = []
    for chosen in selection.options:
        names = tuple(dict.fromkeys((*chosen, *fixed.values())))
        options += _columns(tuple(n for n in names if n != base), base, fixed, group, context)
    context.mention((*(base,),) if base else ())
    context.mention((*selection.first, *fixed.values()), selection.chosen)
    return options[:MAX_OPTIONS]


def _roles(
    group: Group,
) -> tuple[list[NounPhrase], list[NounPhrase], Place | None, list[tuple[NounPhrase, str]]]:
    """(blocks as themes, blocks after of/with/from, what it stands on, who has a given place)."""
    themes = [p for p in group.themes if p.noun != "stack"]
    members: list[NounPhrase] = []
    base: Place | None = None
    for place in group.places:
        if place.prep in ("of", "from", "out", "with"):
            members += place.phrases.phrases
        elif place.prep in ("on", "to", "in"):
            base = place
    positions = [p.value for p in group.particles if p.value in ("top", "bottom", "middle")]
    fixed: list[tuple[NounPhrase, str]] = []
    if positions:
        pool = members if len(members) >= len(positions) else themes
        named, rest = pool[-len(positions) :], pool[: -len(positions)]
        fixed = list(zip(named, positions, strict=False))
        if pool is members:
            members = rest
        else:
            themes = rest
    return themes, members, base, fixed


def _base(place: Place | None, context: Context) -> str | None:
    if place is None:
        return None
    kinds = context.roles.place
    (name,) = resolve_list(place.phrases, context.roles.surface, context).first[:1]
    if context.state.objects[name] in context.roles.inside:
        raise CannotBe(f"blocks cannot be stacked in the {name}")
    del kinds
    return name


def _columns(
    names: tuple[str, ...], base: str | None, fixed: dict[str, str], group: Group, context: Context
) -> list[Option]:
    if base is None and len(names) < 2:
        raise NeedsAnswer(f"What shall I stack the {names[0]} on?", sorted(context.state.of_category("block")))
    height = len(names) + (context.state.stack_height(base) if base is not None else 0)
    if height > STACK_LIMIT:
        raise CannotBe(f"a stack is at most {STACK_LIMIT} blocks high; {listing(names)} would be {height}")
    if group.said("upwards", "in order"):
        return [placing.tower(names, base)]
    if group.said("downwards"):
        return [placing.tower(tuple(reversed(names)), base)]
    places = {"bottom": 0, "top": len(names) - 1, "middle": len(names) // 2}
    return placing.towers(names, base, {places[where]: name for where, name in fixed.items()}, context.state)
