"""How many of the objects that fit, and which: quantifiers choose, doubt asks.

Not for: which objects fit a description (references.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from planner.grammar.context import Context
from planner.grammar.errors import CannotBe
from planner.grammar.grouping import with_shared_noun
from planner.grammar.parsing import parse_parts
from planner.grammar.syntax import NounPhrase, ParseFailure
from planner.grammar.words import read_words
from skills.literals import Literal
from skills.symbolic_state import SymbolicState

MAX_OPTIONS = 720  # orders of six blocks; what is more is cut before it costs time

Fits: TypeAlias = Callable[[NounPhrase, tuple[str, ...], Context], Sequence[str]]
"""Objects of these categories that a description fits."""


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


def quantified(phrase: NounPhrase, found: list[str], context: Context, fits: Fits) -> Selection:
    number = phrase.number
    definite = phrase.has("this", "that", "them", "its", "all", "both") or _precedes("the", phrase)
    if phrase.noun == "nothing" or phrase.has("no") or not found:
        return Selection((tuple(found),), every=True)
    if phrase.has("every"):
        return Selection((tuple(found),), every=True)
    if phrase.has("both") and len(found) != 2:
        return ask_which(phrase, found, context, 2, fits) if len(found) > 2 else _too_few(phrase, found, 2)
    if number is not None and not (number == 1 and definite):
        if len(found) < number:
            return _too_few(phrase, found, number)
        if len(found) == number or not definite:
            return choose_any(found, number)
        return ask_which(phrase, found, context, number, fits)
    if phrase.has("all", "the rest") or phrase.noun == "everything" or phrase.has("both"):
        return Selection((tuple(found),), every=True)
    if phrase.has("some") and phrase.plural:
        return choose_any(found, min(2, len(found)))
    if phrase.has("a", "any", "some"):
        return choose_any(found, 1)
    if len(found) == 1 or phrase.plural:
        return Selection((tuple(found),), every=len(found) > 1)
    return ask_which(phrase, found, context, 1, fits)


def _precedes(determiner: str, phrase: NounPhrase) -> bool:
    """ "the two blocks" are these two, "two of the blocks" any two."""
    counts = [i for i, q in enumerate(phrase.quantifiers) if q.isdigit() or q in ("one", "any", "some", "every", "all")]
    return determiner in phrase.quantifiers and not (counts and counts[0] < phrase.quantifiers.index(determiner))


def choose_any(found: Sequence[str], number: int) -> Selection:
    return Selection(tuple(itertools.islice(itertools.combinations(found, number), MAX_OPTIONS)))


def _too_few(phrase: NounPhrase, found: Sequence[str], number: int) -> Selection:
    raise CannotBe(f"'{described(phrase)}' needs {number}, but there {there_are(found)} only")


def ask_which(phrase: NounPhrase, found: Sequence[str], context: Context, number: int, fits: Fits) -> Selection:
    """Ask, and read the answer among what was in question."""
    what = "Which one" if number == 1 else f"Which {number}"
    text = f"{what} do you mean by '{described(phrase)}': {listing(sorted(found), 'or')}?"
    while True:
        answer = context.ask(text, tuple(sorted(found)))
        chosen = _answered(answer, found, context, fits)
        if chosen:
            return Selection((tuple(chosen),))
        text = f"'{answer}' does not tell me which. {text}"


def _answered(answer: str, found: Sequence[str], context: Context, fits: Fits) -> tuple[str, ...]:
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
    fitting = [n for p in phrases for n in found if n in fits(p, kinds, context)]
    singular = all(not p.plural for p in phrases)
    distinct = tuple(dict.fromkeys(fitting))
    return distinct if len(distinct) == len(phrases) or not singular else ()


def there_are(names: Sequence[str]) -> str:
    return ("is " if len(names) == 1 else "are ") + listing(names) if names else "is nothing like it"


def listing(names: Sequence[str], last: str = "and") -> str:
    """ "the red block, the green block and the lamp"."""
    articled = [f"the {n}" for n in names]
    return f"{', '.join(articled[:-1])} {last} {articled[-1]}" if len(articled) > 1 else "".join(articled)


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


def best_first(names: Iterable[str], state: SymbolicState) -> list[str]:
    """Easy ones first, so that a free choice costs little."""

    def trouble(name: str) -> tuple[bool, bool, bool]:
        return name in state.hidden, not state.holds(Literal("accessible", (name,))), bool(state.resting.get(name))

    return sorted(names, key=lambda n: (trouble(n), n))
