"""Noun phrase → objects of the scene. Quantifiers choose, relatives filter, pronouns look back, doubt asks.

Not for: geometry behind "leftmost" or "nearest" (whereabouts.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from planner.grammar.context import Context
from planner.grammar.errors import CannotBe
from planner.grammar.grouping import PhraseList, with_shared_noun
from planner.grammar.syntax import NounPhrase, ParseFailure, Relative, parse_parts
from planner.grammar.vocabulary import COLOURS
from planner.grammar.whereabouts import extreme, stands, stands_in_direction
from planner.grammar.words import read_words
from skills.literals import Literal
from skills.symbolic_state import SymbolicState

MAX_OPTIONS = 720  # orders of six blocks; what is more is cut before it costs time
_LOOSE_NOUNS = ("", "thing", "one", "everything", "nothing")


@dataclass(frozen=True)
class Selection:
    """Sets of objects of which any one will do; a definite phrase has one. every: "each", "all"."""

    options: tuple[tuple[str, ...], ...]
    every: bool = False

    @property
    def first(self) -> tuple[str, ...]:
        return self.options[0]

    @property
    def chosen(self) -> bool:
        return len(self.options) > 1


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
        return _pronoun(phrase, roles, context)
    found = [name for name in candidates(phrase, roles, context) if name not in out]
    if phrase.noun in ("", "one"):
        found = _likeliest(found, roles, context)
    if _sweeping(phrase):
        found = [name for name in found if name not in context.protected] or found
    if not found:
        found = list(_assumed(phrase, roles, context))
    return _quantified(phrase, best_first(found, context.state), context)


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


def best_first(names: Iterable[str], state: SymbolicState) -> list[str]:
    """Easy ones first, so that a free choice costs little."""

    def trouble(name: str) -> tuple[bool, bool, bool]:
        return name in state.hidden, not state.holds(Literal("accessible", (name,))), bool(state.resting.get(name))

    return sorted(names, key=lambda n: (trouble(n), n))


# ---- which objects fit a description


def candidates(phrase: NounPhrase, roles: tuple[str, ...], context: Context) -> list[str]:
    """Objects that fit noun, colours, relatives and superlative; quantifiers play no part yet."""
    pool = _by_noun(phrase, roles, context)
    pool = [
        n
        for n in pool
        if not phrase.colours or _colour(n) in phrase.colours or set(n.split()[:-1]) & set(phrase.colours)
    ]
    pool = [n for n in pool if _colour(n) not in phrase.not_colours]
    if phrase.state:
        pool = [n for n in pool if _in_state(n, phrase.state, context)]
    for relative in phrase.relatives:
        pool = _related(pool, relative, context)
    if phrase.has("other", "the rest"):
        pool = [n for n in pool if n not in _spoken_of(pool, context)]
    if phrase.superlative and pool:
        pool = extreme(pool, phrase.superlative, context)
    return pool


def _colour(name: str) -> str:
    first = name.split(maxsplit=1)[0]
    return first if first in COLOURS and " " in name else ""


def colour_of(name: str) -> str:
    """The colour word of an object's name, "" where it has none."""
    return _colour(name)


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
    if relative.noun_phrase.noun == "stack" and relative.prep in ("of", "on", "in"):
        return [n for n in pool if _in_stack(n, context.state) != relative.negated]
    places = resolve(_any_one(relative.noun_phrase, context), _RELATIVE_ROLES, context)
    wanted = tuple(itertools.chain.from_iterable(places.options))
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
            return [n for n in hidden if not phrase.colours or _colour(n) in phrase.colours]
    plain = not (phrase.relatives or phrase.superlative or phrase.state or phrase.has("other", "the rest"))
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
        return f"there is no {wanted} as far as I know; there {_listing(same)}"
    del article
    return f"there is no {wanted} here; there {_listing(same or sorted(objects))}"


def _listing(names: Sequence[str]) -> str:
    return ("is " if len(names) == 1 else "are ") + listing(names) if names else "is nothing like it"


def listing(names: Sequence[str], last: str = "and") -> str:
    """ "the red block, the green block and the lamp"."""
    articled = [f"the {n}" for n in names]
    return f"{', '.join(articled[:-1])} {last} {articled[-1]}" if len(articled) > 1 else "".join(articled)


# ---- how many of them


def _quantified(phrase: NounPhrase, found: list[str], context: Context) -> Selection:
    number = phrase.number
    definite = phrase.has("this", "that", "them", "its", "all", "both") or _precedes("the", phrase)
    if phrase.noun == "nothing" or phrase.has("no") or not found:
        return Selection((tuple(found),), every=True)
    if phrase.has("every"):
        return Selection((tuple(found),), every=True)
    if phrase.has("both") and len(found) != 2:
        return _which(phrase, found, context, 2) if len(found) > 2 else _too_few(phrase, found, 2)
    if number is not None and not (number == 1 and definite):
        if len(found) < number:
            return _too_few(phrase, found, number)
        if len(found) == number or not definite:
            return _choose(found, number)
        return _which(phrase, found, context, number)
    if phrase.has("all", "the rest") or phrase.noun == "everything" or phrase.has("both"):
        return Selection((tuple(found),), every=True)
    if phrase.has("some") and phrase.plural:
        return _choose(found, min(2, len(found)))
    if phrase.has("a", "any", "some"):
        return _choose(found, 1)
    if len(found) == 1 or phrase.plural:
        return Selection((tuple(found),), every=len(found) > 1)
    return _which(phrase, found, context, 1)


def _precedes(determiner: str, phrase: NounPhrase) -> bool:
    """ "the two blocks" are these two, "two of the blocks" any two."""
    counts = [i for i, q in enumerate(phrase.quantifiers) if q.isdigit() or q in ("one", "any", "some", "every", "all")]
    return determiner in phrase.quantifiers and not (counts and counts[0] < phrase.quantifiers.index(determiner))


def _choose(found: Sequence[str], number: int) -> Selection:
    return Selection(tuple(itertools.islice(itertools.combinations(found, number), MAX_OPTIONS)))


def _too_few(phrase: NounPhrase, found: Sequence[str], number: int) -> Selection:
    raise CannotBe(f"'{described(phrase)}' needs {number}, but there {_listing(found)} only")


def _which(phrase: NounPhrase, found: Sequence[str], context: Context, number: int) -> Selection:
    """Ask, and read the answer among what was in question."""
    what = "Which one" if number == 1 else f"Which {number}"
    text = f"{what} do you mean by '{described(phrase)}': {listing(sorted(found), 'or')}?"
    while True:
        answer = context.ask(text, tuple(sorted(found)))
        chosen = _answered(answer, found, context)
        if chosen:
            return Selection((tuple(chosen),))
        text = f"'{answer}' does not tell me which. {text}"


def _answered(answer: str, found: Sequence[str], context: Context) -> tuple[str, ...]:
    plain = answer.strip().lower().rstrip(".!")
    if plain in ("both", "all", "all of them", "both of them", "every one", "each"):
        return tuple(found)
    if plain in ("any", "either", "whichever", "any of them", "no matter", "you choose"):
        return (found[0],)
    try:
        parts = parse_parts(read_words(plain, context.state.objects))
    except (ParseFailure, ValueError):
        return ()
    kinds = tuple(dict.fromkeys(context.state.objects[n] for n in found))
    phrases = with_shared_noun(tuple(p for p in parts if isinstance(p, NounPhrase)))
    fitting = [n for p in phrases for n in found if n in candidates(p, kinds, context)]
    singular = all(not p.plural for p in phrases)
    distinct = tuple(dict.fromkeys(fitting))
    return distinct if len(distinct) == len(phrases) or not singular else ()


def described(phrase: NounPhrase) -> str:
    """The phrase in words, for questions."""
    if phrase.pronoun:
        return phrase.pronoun
    determiners = list(phrase.quantifiers)
    nouns = {"": "one", "everything": "everything"}.get(phrase.noun, phrase.noun)
    words = [*determiners, *([phrase.superlative] if phrase.superlative else []), *phrase.colours]
    if phrase.noun != "everything":
        words.append(nouns + ("s" if phrase.plural else ""))
    else:
        words.append("everything")
    for relative in phrase.relatives:
        target = described(relative.noun_phrase) if relative.noun_phrase else relative.value
        prep = relative.prep if relative.noun_phrase else ""
        words += [w for w in ("not" if relative.negated else "", prep, target) if w]
    return " ".join(words)


def _said(phrases: Sequence[NounPhrase]) -> str:
    return " and ".join(described(p) for p in phrases)


# ---- looking back


def _pronoun(phrase: NounPhrase, roles: tuple[str, ...], context: Context) -> Selection:
    """ "it" is the last single object that fits the role, "them" the last several."""
    state = context.state
    mentioned = [
        (m, tuple(n for n in m.names if n in state.objects and state.objects[n] in roles)) for m in context.mentions
    ]
    mentioned = [(m, names) for m, names in mentioned if names]
    several = phrase.pronoun == "them" or phrase.has("both", "every", "all") or (phrase.number or 1) > 1
    if several:
        return _several(phrase, [names for _, names in mentioned], roles, context)
    if mentioned and mentioned[0][0].each and phrase.pronoun == "it":
        return Selection((mentioned[0][1],), every=True)
    single = next(((m, names) for m, names in mentioned if len(names) == 1), None)
    if single is not None:
        context.leans_on_choice |= single[0].chosen
        return Selection((single[1],))
    if state.held is not None and state.objects.get(state.held) in roles:
        return Selection(((state.held,),))
    only = [n for n, kind in state.objects.items() if kind in roles]
    if len(only) == 1:
        return Selection((tuple(only),))
    return _which(replace(phrase, plural=False), best_first(mentioned[0][1] if mentioned else only, state), context, 1)


def _several(
    phrase: NounPhrase, sets: Sequence[tuple[str, ...]], roles: tuple[str, ...], context: Context
) -> Selection:
    wanted = 2 if phrase.has("both") else phrase.number
    group = next((s for s in sets if len(s) > 1), None)
    if group is None or (wanted is not None and len(group) < wanted):
        joined = tuple(dict.fromkeys(itertools.chain.from_iterable(sets)))
        group = joined[: wanted or len(joined)] if len(joined) > 1 else None
    if group is None:
        everything = [n for n, kind in context.state.objects.items() if kind in roles]
        return _which(replace(phrase, plural=True), everything, context, wanted or 2)
    if wanted is not None and wanted < len(group):
        return _choose(group, wanted)
    if phrase.has("one", "any"):
        return _choose(group, 1)
    return Selection((group,), every=True)
