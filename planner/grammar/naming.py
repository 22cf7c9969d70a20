"""How generated instructions name things: "the crimson cube", "the block on the red pad"."""

from __future__ import annotations

import random
from collections.abc import Sequence

from planner.grammar.vocabulary import COLOURS
from skills.literals import Literal
from skills.symbolic_state import SymbolicState

_BLOCK = ("block", "block", "block", "cube", "brick", "box")


_BOWL = ("bowl", "bowl", "bowl", "dish")


_PAD = ("pad", "pad", "mat")


WORDS_FOR = {"block": _BLOCK, "bowl": _BOWL, "pad": _PAD}


def name(thing: str, rng: random.Random, state: SymbolicState | None = None) -> str:
    """ "the crimson cube", "the dish", "the block on the red pad": a phrase that can only mean `thing`."""
    *adjectives, noun = thing.split()
    words = [*(colour_word(a, rng) for a in adjectives), rng.choice(WORDS_FOR.get(noun, (noun,)))]
    if state is not None and rng.random() < 0.12:
        return _by_place(thing, rng, state) or f"the {' '.join(words)}"
    if state is not None and len(state.of_category(state.objects[thing])) == 1 and rng.random() < 0.3:
        words = words[-1:]
    return f"the {' '.join(words)}"


def colour_word(word: str, rng: random.Random) -> str:
    synonyms = COLOURS.get(word, word).split("/")
    return rng.choice([word, word, word, *synonyms])


def _by_place(thing: str, rng: random.Random, state: SymbolicState) -> str | None:
    place = state.support.get(thing)
    if state.objects[thing] != "block" or place is None or place == "table" or len(state.resting[place]) > 1:
        return None
    preposition = "in" if Literal("in", (thing, place)) in state.facts else "on"
    return f"the {rng.choice(_BLOCK)} {rng.choice(('', 'that is '))}{preposition} {name(place, rng)}"


def list_of(things: Sequence[str], rng: random.Random) -> str:
    """ "the red and the green block", "the red, green and blue blocks"."""
    if len(things) == 1:
        return name(things[0], rng)
    noun = things[0].split()[-1]
    colours = [colour_word(t.split()[0], rng) for t in things]
    word = rng.choice(WORDS_FOR.get(noun, (noun,)))
    many = word + ("es" if word.endswith("x") or word.endswith("sh") else "s")
    style = rng.randrange(4)
    if style == 0:
        return f"the {', '.join(colours[:-1])} and {colours[-1]} {many}"
    if style == 1:
        return f"{', '.join(f'the {c}' for c in colours[:-1])} and the {colours[-1]} {word}"
    if style == 2 and len(things) == 2:
        return f"both the {colours[0]} and the {colours[1]} {word}"
    each = [name(t, rng) for t in things]
    return f"{', '.join(each[:-1])} and {each[-1]}"
