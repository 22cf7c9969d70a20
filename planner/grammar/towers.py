"""Stacks and towers: who is on top, who below, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from planner.grammar.attachment import movables, related
from planner.grammar.choosing import Selection, listing
from planner.grammar.context import Context
from planner.grammar.errors import REPHRASE, CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, PhraseList, Place, with_shared_noun
from planner.grammar.options import Option, both, on, tower, towers
from planner.grammar.references import columns, resolve_list
from planner.grammar.stacks import moved_stack, stack_meant
from planner.grammar.syntax import NounPhrase
from skills.symbolic_state import STACK_LIMIT

_POSITIONS = {"top": "top", "bottom": "bottom", "middle": "middle", "under": "bottom", "above": "top"}


@dataclass
class _Said:
    """What was said of one column. positions: (who, where) pairs, in the order said."""

    members: list[NounPhrase] = field(default_factory=list)
    positions: list[tuple[NounPhrase, str]] = field(default_factory=list)
    pairs: list[tuple[NounPhrase, NounPhrase]] = field(default_factory=list)  # "with yellow on blue"
    base: Place | None = None
    any_of: bool = False
    exceptions: list[NounPhrase] = field(default_factory=list)


def build(groups: Sequence[Group], context: Context) -> list[Option]:
    """ "stack A on B (and C on D)", "stack all blocks with red on top", "build a tower of A and B on the red pad"."""
    placed = any(g.said(*_POSITIONS) for g in groups)
    if len(groups) > 1 and not placed and all(g.places for g in groups):
        return both(*(build([g], context) for g in groups))
    said = _said(groups)
    base = _base(said.base, context)
    if base is not None and not said.positions and (standing := _standing(groups, said, context)):
        context.mention(standing)
        return [moved_stack(standing, base, context)]
    fixed = {where: _one(phrase, context) for phrase, where in said.positions}
    _spell_out(said, fixed, context)
    group = Group(themes=said.members)
    if not said.members and len(fixed) < 2:
        if not any(p.noun == "stack" for g in groups for p in g.themes) and not fixed:
            raise NeedsAnswer("Which blocks shall I stack?", context.state.of_category("block"))
        group.themes = [NounPhrase(("all",), noun="block", plural=True)]
    listed = PhraseList(group.theme.phrases, said.any_of)
    found = movables(listed, context, said.exceptions) if group.themes else Selection(((),))
    directed = next((v for v in ("upwards", "in order", "downwards") for g in groups if g.said(v)), "")
    options: list[Option] = []
    for chosen in found.options:
        names = tuple(n for n in dict.fromkeys((*_between(fixed, chosen),)) if n != base)
        options += _columns(names, base, fixed, directed, context)
    for upper, lower in said.pairs:
        literal = on(_one(upper, context), _one(lower, context))
        options = [o for o in options if literal in o]
    if not options:
        raise CannotBe("no stack of these blocks has that order")
    context.mention([base] if base else [])
    context.mention((*found.first, *fixed.values()), found.chosen)
    return options


def _standing(groups: Sequence[Group], said: _Said, context: Context) -> tuple[str, ...]:
    """ "rebuild the tower on the green pad": the one that stands."""
    named = [p for g in groups for p in g.themes if p.noun == "stack"]
    if said.members or len(named) != 1 or not (named[0].has("the") and columns(context.state)):
        return ()
    return stack_meant(named[0], context)


def _spell_out(said: _Said, fixed: dict[str, str], context: Context) -> None:
    """ "stack all blocks, blue at the bottom, then green": the names say the order of "all blocks"."""
    sweeping = [p for p in said.members if p.plural and not p.colours and not p.pronoun]
    named = [p for p in said.members if p not in sweeping]
    if not (sweeping and named):
        return
    everyone = set(movables(PhraseList(tuple(sweeping)), context, said.exceptions).first)
    spoken_of = {*movables(PhraseList(with_shared_noun(tuple(named))), context).first, *fixed.values()}
    if spoken_of != everyone:
        left = listing(sorted(everyone ^ spoken_of))
        raise NeedsAnswer(f"Where in the stack does {left} go? {REPHRASE}")
    said.members = named


def _said(groups: Sequence[Group]) -> _Said:
    """Positions belong to the last phrase before them; "of", "from" and "with" name members, "on" the base."""
    said = _Said()
    for group in groups:
        phrases = [p for p in group.themes if p.noun != "stack"]
        said.any_of |= group.any_of
        said.exceptions += group.exceptions
        positions = [_POSITIONS[p.value] for p in group.particles if p.value in _POSITIONS]
        before: Place | None = None
        goes_on = bool(said.members or said.positions)
        for place in (p for p in group.places if not (goes_on and p.phrases.phrases[0].pronoun)):  # "green on it"
            if place.prep in ("of", "from", "out", "with"):
                phrases += place.phrases.phrases
            elif before is not None and before.prep == "with" and len(phrases) > 1:
                said.pairs.append((phrases.pop(), place.phrases.phrases[0]))
            else:
                if said.base is not None and phrases:
                    phrases[-1] = related(phrases[-1], said.base)
                said.base = place
            before = place
        count = min(len(positions), len(phrases))
        said.members += phrases[: len(phrases) - count]
        said.positions += zip(phrases[len(phrases) - count :], positions, strict=False)
    return said


def _one(phrase: NounPhrase, context: Context) -> str:
    return resolve_list(PhraseList((phrase,)), context.roles.movable, context).first[0]


def _between(fixed: dict[str, str], chosen: Sequence[str]) -> tuple[str, ...]:
    """Those whose place is said where it says, the others in the order named."""
    taken = set(fixed.values())
    rest = [n for n in chosen if n not in taken]
    ends = (*((fixed["bottom"],) if "bottom" in fixed else ()), *rest)
    return (*ends, *(fixed[w] for w in ("middle", "top") if w in fixed))


def _base(place: Place | None, context: Context) -> str | None:
    if place is None:
        return None
    if len(place.phrases.phrases) > 1:
        raise NeedsAnswer(f"A stack stands on one thing; what shall I stack on what? {REPHRASE}")
    targets = replace(place.phrases, phrases=place.phrases.phrases[:1])
    (name,) = resolve_list(
        targets, context.roles.place if place.prep == "in" else context.roles.surface, context
    ).first[:1]
    if context.state.objects[name] in context.roles.inside:
        raise CannotBe(f"blocks cannot be stacked in the {name}")
    return name


def _columns(
    names: tuple[str, ...], base: str | None, fixed: dict[str, str], directed: str, context: Context
) -> list[Option]:
    if base is None and len(names) < 2:
        raise NeedsAnswer(f"What shall I stack {listing(names)} on?", context.state.of_category("block"))
    height = len(names) + (context.state.stack_height(base) if base is not None else 0)
    if height > STACK_LIMIT:
        raise CannotBe(f"a stack is at most {STACK_LIMIT} blocks high; {listing(names)} would make it {height}")
    if directed:
        return [tower(names if directed != "downwards" else tuple(reversed(names)), base)]
    indices = {"bottom": 0, "top": len(names) - 1, "middle": len(names) // 2}
    return towers(names, base, {indices[where]: name for where, name in fixed.items()})
