"""What a clause moves and where it goes: which phrases tell the theme apart and which name a place.

Not for: what "in", "on" and "beside" come to in literals (placing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.grammar.choosing import Selection
from planner.grammar.context import Context
from planner.grammar.errors import CannotBe, NeedsAnswer
from planner.grammar.grouping import Group, PhraseList, Place
from planner.grammar.options import of_kinds
from planner.grammar.references import candidates, resolve_list
from planner.grammar.syntax import NounPhrase, Relative

SOURCES = ("off", "out", "from")


_STATIC = "stays where it is; I can move {}"


def movables(listed: PhraseList, context: Context, exceptions: Sequence[NounPhrase] = ()) -> Selection:
    """What the clause moves. Raises CannotBe for what stands fast."""
    if not listed.phrases:
        raise NeedsAnswer("What do you want me to move?", sorted(of_kinds(context, context.roles.movable)))
    for phrase in listed.phrases:
        _refuse_static(phrase, context)
    return resolve_list(listed, context.roles.movable, context, exceptions)


def _refuse_static(phrase: NounPhrase, context: Context) -> None:
    movable = context.roles.movable
    if phrase.noun in ("", "thing", "one", "everything", "nothing", "stack", *movable) or phrase.pronoun:
        return
    kinds = {context.state.objects[n] for n in candidates(replace(phrase, relatives=()), movable, context)}
    if kinds and not kinds & set(movable):
        raise CannotBe(f"the {phrase.noun} {_STATIC.format(' and '.join(f'{m}s' for m in movable))}")


def attached(group: Group, context: Context, *, wants_target: bool) -> tuple[PhraseList, list[Place], Place | None]:
    """(theme with its relatives, sources, target).

    The last place is the target. Places before it belong to the theme where they are true of some candidate (or
    it has no place otherwise), and to the target's noun phrase else: "the red block on the block in the drawer".
    """
    theme = group.theme
    places = list(group.places)
    sources = [p for p in places if p.prep in SOURCES]
    rest = [p for p in places if p.prep not in SOURCES and p.prep != "of"]
    of_stack = [p for p in places if p.prep == "of"]
    has_particle_target = any(p.kind == "direction" or p.value in ("there", "origin") for p in group.particles)
    target = rest.pop() if rest and wants_target and not has_particle_target else None
    inner: list[Relative] = []
    for place in [*of_stack, *rest]:
        relative = as_relative(place)
        if target is not None and place.prep != "of" and not _true_of_theme(theme, relative, context):
            inner.append(as_relative(target))
            target = place if not inner[:-1] else target
            phrases = list(target.phrases.phrases)
            phrases[-1] = replace(phrases[-1], relatives=(*phrases[-1].relatives, *inner))
            target = Place(place.prep, PhraseList(tuple(phrases), target.phrases.any_of))
        else:
            theme = _with_relative(theme, relative)
    return theme, sources, target


def as_relative(place: Place) -> Relative:
    """ "on the red and the green pad" as a description."""
    first, *others = place.phrases.phrases
    return Relative(place.prep, first, others=tuple(others))


def related(phrase: NounPhrase, place: Place) -> NounPhrase:
    """ "the block" + "on the pad"."""
    return replace(phrase, relatives=(*phrase.relatives, as_relative(place)))


def _with_relative(theme: PhraseList, relative: Relative) -> PhraseList:
    if not theme.phrases:
        return theme
    *others, last = theme.phrases
    return PhraseList((*others, replace(last, relatives=(*last.relatives, relative))), theme.any_of)


def _true_of_theme(theme: PhraseList, relative: Relative, context: Context) -> bool:
    if not theme.phrases or theme.phrases[-1].pronoun:
        return False
    return bool(candidates(_with_relative(theme, relative).phrases[-1], context.roles.movable, context))


def from_sources(theme: PhraseList, sources: Sequence[Place]) -> PhraseList:
    """ "everything from the drawer", "a block off the stack": a source tells apart what is not definite."""
    for source in sources:
        loose = [p for p in theme.phrases if not p.pronoun]
        if loose:
            theme = _with_relative(theme, as_relative(source))
    return theme


def what_moves(theme: PhraseList, sources: Sequence[Place], group: Group, context: Context) -> Selection:
    """The theme; where it has sources they tell it apart, unless they are untrue of a definite theme."""
    try:
        return _mention(movables(from_sources(theme, sources), context, group.exceptions), context)
    except CannotBe:
        if not sources or any(p.plural or p.has("every", "all", "a", "any") for p in theme.phrases):
            raise
        return _mention(movables(theme, context, group.exceptions), context)


def _mention(selection: Selection, context: Context) -> Selection:
    context.mention(selection.first, selection.chosen, selection.every)
    return selection
