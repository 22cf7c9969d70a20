"""Noun phrase → objects of the scene. Quantifiers choose, relatives filter, pronouns look back, doubt asks.

Not for: geometry behind "leftmost" or "nearest" (whereabouts.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from planner.grammar.choosing import MAX_OPTIONS, Selection, best_first, described, quantified, there_are
from planner.grammar.context import Context
from planner.grammar.errors import CannotBe
from planner.grammar.grouping import PhraseList, with_shared_noun
from planner.grammar.looking_back import looked_back
from planner.grammar.syntax import NounPhrase, Relative
from planner.grammar.vocabulary import COLOURS
from planner.grammar.whereabouts import extreme, nearest, stands, stands_in_direction
from skills.literals import Literal
from skills.symbolic_state import SymbolicState

_LOOSE_NOUNS = ("", "thing", "one", "everything", "nothing")


def resolve_list(
    listed: PhraseList, roles: tuple[str, ...], context: Context, exceptions: Sequence[NounPhrase] = ()
) -> Selection:
    """Coordinated phrases: "and" joins the sets, "or" offers them."""
    excepted = tuple(_singled(e) for e in with_shared_noun(tuple(exceptions))) if len(exceptions) > 1 else exceptions
    spared = [resolve(_as_plural(e), roles, context).options for e in excepted]
    options: list[tuple[str, ...]] = []
    every = False
    for combination in itertools.islice(itertools.product(*spared), MAX_OPTIONS):
        selection = _joined(listed, roles, context, set(itertools.chain.from_iterable(combination)))
        options += selection.options
        every |= selection.every
    return Selection(tuple(dict.fromkeys(options))[:MAX_OPTIONS], every)


def _joined(listed: PhraseList, roles: tuple[str, ...], context: Context, left_out: set[str]) -> Selection:
    phrases = listed.phrases if len(listed.phrases) == 1 else tuple(_singled(p) for p in listed.phrases)
    found = [resolve(phrase, roles, context, left_out) for phrase in phrases]
    if listed.any_of:
        options = tuple(itertools.chain.from_iterable(s.options for s in found))
    else:
        combined = itertools.product(*(s.options for s in found))
        joined = (tuple(itertools.chain.from_iterable(c)) for c in itertools.islice(combined, MAX_OPTIONS * 8))
        options = tuple(dict.fromkeys(o for o in joined if len(set(o)) == len(o)))[:MAX_OPTIONS]
    if not options:
        raise CannotBe(f"there are not enough different objects for '{_said(listed.phrases)}'")
    return Selection(options, any(s.every for s in found))


def _singled(phrase: NounPhrase) -> NounPhrase:
    """ "both the red and the green block": both counts the list, not its first member; "either" likewise."""
    if len(phrase.quantifiers) > 1:
        return replace(phrase, quantifiers=tuple(q for q in phrase.quantifiers if q not in ("both", "any")))
    return phrase


def _as_plural(phrase: NounPhrase) -> NounPhrase:
    """An exception needs no choice: "except a red one" leaves out all that fit."""
    return replace(phrase, plural=True) if phrase.noun in _LOOSE_NOUNS and phrase.number is None else phrase


def resolve(phrase: NounPhrase, roles: tuple[str, ...], context: Context, left_out: Iterable[str] = ()) -> Selection:
    """The objects meant. Raises NeedsAnswer where the person must say, CannotBe where nothing fits."""
    out = set(left_out)
    if phrase.pronoun or _looks_back(phrase, context):
        return looked_back(phrase, roles, context, candidates)
    found = [name for name in candidates(phrase, roles, context) if name not in out]
    if phrase.noun in ("", "one"):
        found = _likeliest(found, roles, context)
    if _sweeping(phrase):
        found = [name for name in found if name not in context.protected] or found
    if not found:
        found = list(_assumed(phrase, roles, context))
    return quantified(phrase, best_first(found, context.state), context, candidates)


def _sweeping(phrase: NounPhrase) -> bool:
    return phrase.plural or phrase.has("every", "all", "the rest")


def _likeliest(found: list[str], roles: tuple[str, ...], context: Context) -> list[str]:
    """ "on green": a block where there is one, for blocks are what is spoken of; else the first kind that fits."""
    kinds = [k for k in (*context.roles.movable, *roles) if k in roles]
    best = next((k for k in kinds if any(context.state.objects[n] == k for n in found)), None)
    return [n for n in found if context.state.objects[n] == best] if best is not None else found


def _looks_back(phrase: NounPhrase, context: Context) -> bool:
    """Lone quantifiers speak of what was just mentioned: "put both in the drawer"."""
    bare = not (phrase.noun or phrase.colours or phrase.not_colours or phrase.relatives or phrase.superlative)
    return bare and phrase.has("both", "every", "all", "2", "3") and any(len(m.names) > 1 for m in context.mentions)


# ---- which objects fit a description


def candidates(phrase: NounPhrase, roles: tuple[str, ...], context: Context) -> list[str]:
    """Objects that fit noun, colours, relatives and superlative; quantifiers play no part yet."""
    pool = _by_noun(phrase, roles, context)
    pool = [
        n
        for n in pool
        if not phrase.colours or colour_of(n) in phrase.colours or set(n.split()[:-1]) & set(phrase.colours)
    ]
    pool = [n for n in pool if colour_of(n) not in phrase.not_colours]
    if phrase.state:
        pool = [n for n in pool if _in_state(n, phrase.state, context)]
    for relative in phrase.relatives:
        pool = _related(pool, relative, context)
    if phrase.has("other", "the rest"):
        pool = [n for n in pool if n not in _spoken_of(pool, context)]
    if phrase.superlative and pool:
        pool = _outermost(pool, phrase, context)
    return pool


def _outermost(pool: list[str], phrase: NounPhrase, context: Context) -> list[str]:
    """The topmost, or the top two."""
    count = phrase.number or 1
    if count == 1 or phrase.superlative not in ("top", "bottom"):
        return extreme(pool, phrase.superlative, context)
    heights = {n: context.state.stack_height(n) for n in pool}
    return sorted(pool, key=lambda n: heights[n], reverse=phrase.superlative == "top")[:count]


def colour_of(name: str) -> str:
    """The colour word of an object's name, "" where it has none."""
    first = name.split(maxsplit=1)[0]
    return first if first in COLOURS and " " in name else ""


def _by_noun(phrase: NounPhrase, roles: tuple[str, ...], context: Context) -> list[str]:
    objects = context.state.objects
    if phrase.noun == "container":
        return [n for n, kind in objects.items() if kind in context.roles.inside]
    if phrase.noun == "stack":
        return [n for n in objects if context.state.stack_height(n) and _in_stack(n, context.state)]
    if phrase.noun in _LOOSE_NOUNS:
        return [n for n, kind in objects.items() if kind in roles]
    return [n for n, kind in objects.items() if kind == phrase.noun or n.split()[-1] == phrase.noun]


def _in_stack(name: str, state: SymbolicState) -> bool:
    below = state.support.get(name)
    return bool(state.resting.get(name)) or (below is not None and state.objects.get(below) == "block")


def _spoken_of(pool: Sequence[str], context: Context) -> set[str]:
    """What "the other" leaves out: what this instruction spoke of, else what was last spoken of."""
    spoken = context.spoken & set(pool)
    if spoken:
        return spoken
    latest = next((m for m in context.mentions if set(m.names) & set(pool)), None)
    return set(latest.names) if latest else set()


def columns(state: SymbolicState) -> list[tuple[str, ...]]:
    """Every stack of two blocks or more, upwards."""
    tops = [n for n in state.objects if state.stack_height(n) > 1 and not state.resting.get(n)]
    return [tuple(reversed(state.column(top)[: state.stack_height(top)])) for top in tops]


def _of_stack(phrase: NounPhrase, prep: str, context: Context) -> set[str]:
    """Those at the top, at the bottom or anywhere in the stacks that are described."""
    meant = set(candidates(phrase, context.roles.movable, context))
    found = [c for c in columns(context.state) if set(c) & meant]
    match prep:
        case "top of" | "on" | "off" if not phrase.plural or prep == "top of":
            return {c[-1] for c in found}
        case "bottom of":
            return {c[0] for c in found}
        case "middle of":
            return {c[len(c) // 2] for c in found}
        case _:
            return {n for c in found for n in c}


def _in_state(name: str, value: str, context: Context) -> bool:
    state = context.state
    match value:
        case "open" | "closed":
            return state.holds(Literal(value, (name,))) is True
        case "on" | "off":
            return state.holds(Literal("lit", (name,), negated=value == "off")) is True
        case "empty" | "clear":
            return not state.resting.get(name)
        case "held":
            return state.held == name
        case "stacked":
            return _in_stack(name, state)
        case _:
            return False


def _related(pool: list[str], relative: Relative, context: Context) -> list[str]:
    if relative.noun_phrase is None:
        if relative.prep == "particle" and relative.value in ("top", "bottom"):
            return extreme(pool, relative.value, context)
        if relative.prep == "state":
            fits = {n for n in pool if _in_state(n, relative.value, context)}
        elif relative.prep == "direction":
            fits = {n for n in pool if stands_in_direction(n, relative.value, context)}
        elif relative.value == "there" and context.place is not None:
            fits = {n for n in pool if stands(n, context.place[0], (context.place[1],), context)}
        else:
            fits = {n for n in pool if relative.value in ("on", "off") and _in_state(n, relative.value, context)}
        return [n for n in pool if (n in fits) != relative.negated]
    if relative.noun_phrase.noun == "stack":
        fits = _of_stack(relative.noun_phrase, relative.prep, context)
        return [n for n in pool if (n in fits) != relative.negated]
    if relative.prep in ("nearest", "farthest"):
        (other,) = resolve(relative.noun_phrase, _RELATIVE_ROLES, context).first[:1]
        return nearest(pool, other, context, farthest=relative.prep == "farthest")
    phrases = with_shared_noun((relative.noun_phrase, *relative.others))
    places = [resolve(_any_one(phrase, context), _RELATIVE_ROLES, context) for phrase in phrases]
    wanted = tuple(name for selection in places for option in selection.options for name in option)
    if relative.prep == "colour of":
        return [n for n in pool if colour_of(n) in {colour_of(other) for other in wanted}]
    return [n for n in pool if stands(n, relative.prep, wanted, context) != relative.negated]


_RELATIVE_ROLES = ("block", "bowl", "pad", "drawer", "table", "button", "lamp")


def _any_one(phrase: NounPhrase, context: Context) -> NounPhrase:
    """ "the block on the pad" with two pads: whichever pad; the pad is not what is asked about."""
    del context
    return phrase if phrase.pronoun else replace(phrase, plural=True, quantifiers=("all",))


# ---- nothing fits


def _assumed(phrase: NounPhrase, roles: tuple[str, ...], context: Context) -> Iterable[str]:
    """A block nobody sees may be in a drawer nobody has looked into; otherwise say what there is."""
    noun = phrase.noun if phrase.noun not in _LOOSE_NOUNS else next(iter(roles), "thing")
    if phrase.relatives or phrase.superlative:
        hidden = [n for n in _by_noun(phrase, roles, context) if n in context.state.hidden]
        if hidden and _fits_hidden(phrase, context):
            return [n for n in hidden if not phrase.colours or colour_of(n) in phrase.colours]
    drawn = bool(phrase.relatives) and not phrase.superlative and _fits_hidden(phrase, context)
    plain = not (
        (phrase.relatives and not drawn) or phrase.superlative or phrase.state or phrase.has("other", "the rest")
    )
    if plain and noun in context.roles.movable and len(phrase.colours) == 1 and context.scene.unexplored:
        name = f"{phrase.colours[0]} {noun}"
        if name not in context.state.objects:
            context.assume(name, noun)
            return [name]
    if phrase.noun == "nothing" or phrase.has("no"):
        return []
    raise CannotBe(_what_there_is(phrase, noun, roles, context))


def _fits_hidden(phrase: NounPhrase, context: Context) -> bool:
    """ "in the drawer" may be true of a hidden block while nobody has looked there."""
    drawers = {
        n
        for r in phrase.relatives
        if r.noun_phrase is not None and r.prep in ("in", "out", "from") and not r.negated
        for n in resolve(r.noun_phrase, ("drawer",), context).first
    }
    return bool(drawers & context.scene.unexplored)


def _what_there_is(phrase: NounPhrase, noun: str, roles: tuple[str, ...], context: Context) -> str:
    objects = context.state.objects
    same = sorted(n for n, kind in objects.items() if kind == noun or n.split()[-1] == noun)
    same = same or sorted(n for n, kind in objects.items() if kind in roles)
    words = [*phrase.colours, noun]
    wanted = " ".join(words)
    article = "an" if wanted[0] in "aeiou" else "a"
    if phrase.relatives or phrase.superlative or phrase.state or phrase.has("other", "the rest"):
        wanted = {"other": f"other {noun}"}.get(
            next((q for q in phrase.quantifiers if q == "other"), ""), f"such {wanted}"
        )
        return f"there is no {wanted} as far as I know; there {there_are(same)}"
    del article
    return f"there is no {wanted} here; there {there_are(same or sorted(objects))}"


# ---- how many of them


def _said(phrases: Sequence[NounPhrase]) -> str:
    return " and ".join(described(p) for p in phrases)


# ---- looking back
