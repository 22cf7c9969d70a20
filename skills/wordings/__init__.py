"""Wordings: how people say a skill call to the VLA, in training and in tests of words it was never trained on.

Two tables that share no template: what training draws from, and what it never sees, in tiers of difficulty.
Not for: the instructions of whole tasks (planner), or the canonical sentence itself (Skill.sentence).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice
from string import Formatter
from typing import Literal, TypeAlias

import numpy as np

from robots.tabletop.names import SEEN_COLOURS
from skills.library import BUILT_IN
from skills.skill import Skill
from skills.wordings.held_out_table import (
    HELD_OUT_COLOURS,
    HELD_OUT_FRAMES,
    HELD_OUT_NOUNS,
    HELD_OUT_STRUCTURES,
    HELD_OUT_VERBS,
    NOISE,
)
from skills.wordings.training_table import DIRECTIONS, FRAMES, NOUNS, PARAPHRASES, STATEMENTS

__all__ = [
    "TIERS",
    "Tier",
    "held_out_sentences",
    "noise_sentences",
    "skill_words",
    "training_sentence",
    "training_words",
    "words_of",
]

Tier: TypeAlias = Literal["structure", "verb", "noun"]
TIERS: tuple[Tier, ...] = ("structure", "verb", "noun")

CANONICAL_SHARE = 0.35
FRAMED_SHARE = 0.3  # of the paraphrased commands: with politeness around them
SYNONYM_SHARE = 0.3  # of the nouns in paraphrases


def training_sentence(skill: Skill, arguments: Sequence[str], rng: np.random.Generator) -> str:
    """One way to say the call: its canonical sentence in 35 % of draws, else a paraphrase of the training table.

    A skill that the table does not know brings wordings of its own, or is said by its template with politeness.
    """
    paraphrases = PARAPHRASES.get(skill.template, skill.wordings)
    if rng.random() < CANONICAL_SHARE:
        return skill.sentence(tuple(arguments))
    if not paraphrases:
        return FRAMES[int(rng.integers(len(FRAMES)))].format(skill.sentence(tuple(arguments)))
    values = {p.name: _drawn_noun(a, rng) for p, a in zip(skill.parameters, arguments, strict=True)}
    said = paraphrases[int(rng.integers(len(paraphrases)))].format(**values)
    framed = rng.random() < FRAMED_SHARE and not said.startswith(STATEMENTS)
    return FRAMES[int(rng.integers(len(FRAMES)))].format(said) if framed else said


def held_out_sentences(skill: Skill, arguments: Sequence[str], tier: Tier | None = None) -> tuple[str, ...]:
    """Ways to say the call that training never uses; all tiers, easiest first, unless one is named.

    structure: words of the training table in an order of their own. verb: verbs that never occur in training.
    noun: the canonical verb with nouns or colours that never occur in training. A skill that the tables do not know
    gets new politeness around its own template as its structures, and no verbs.
    """
    table = {"structure": HELD_OUT_STRUCTURES, "verb": HELD_OUT_VERBS}
    sentences: list[str] = []
    for each in TIERS if tier is None else (tier,):
        if each == "noun":
            sentences += _with_new_nouns(skill, arguments)
        elif skill.template in table[each]:
            values = {p.name: _noun(a) for p, a in zip(skill.parameters, arguments, strict=True)}
            sentences += [template.format(**values) for template in table[each][skill.template]]
        elif each == "structure":
            sentences += [frame.format(skill.sentence(tuple(arguments))) for frame in HELD_OUT_FRAMES]
    return tuple(dict.fromkeys(sentences))


def noise_sentences() -> tuple[str, ...]:
    """What names no skill call: blank, nonsense, talk and commands that nothing on the table answers to."""
    return NOISE


def words_of(sentence: str) -> tuple[str, ...]:
    """Its words in order, lower case, without punctuation."""
    return tuple(re.findall(r"[a-z0-9]+", sentence.lower()))


def training_words() -> frozenset[str]:
    """Every word that a training sentence of a built-in skill may hold."""
    slotless = (_without_slots(t) for skill in BUILT_IN for t in (skill.template, *PARAPHRASES[skill.template]))
    nouns = (noun for synonyms in NOUNS.values() for noun in synonyms)
    ways = (way for phrases in DIRECTIONS.values() for way in phrases)
    texts = (*slotless, *(f.format("") for f in FRAMES), *nouns, *ways, *NOUNS, *DIRECTIONS, *SEEN_COLOURS)
    return frozenset(word for text in texts for word in words_of(text))


def skill_words(skill: Skill, names: Iterable[str] = ()) -> frozenset[str]:
    """Every word that a training sentence of a skill of one's own brings, about things of these names."""
    choices = [choice for parameter in skill.parameters for choice in parameter.choices]
    texts = (*map(_without_slots, (skill.template, *skill.wordings)), *choices, *names)
    return frozenset(word for text in texts for word in words_of(text))


def _without_slots(template: str) -> str:
    return " ".join(text for text, *_ in Formatter().parse(template))


def _noun(argument: str) -> str:
    """The plain words for an argument; a direction becomes 'to the left'."""
    return DIRECTIONS[argument][0] if argument in DIRECTIONS else argument


def _drawn_noun(argument: str, rng: np.random.Generator) -> str:
    if argument in DIRECTIONS:
        phrases = DIRECTIONS[argument]
        return phrases[int(rng.integers(len(phrases)))]
    *colour, noun = argument.split(" ")
    synonyms = NOUNS.get(noun, ())
    if synonyms and rng.random() < SYNONYM_SHARE:
        noun = synonyms[int(rng.integers(len(synonyms)))]
    return " ".join((*colour, noun))


def _with_new_nouns(skill: Skill, arguments: Sequence[str]) -> list[str]:
    """The canonical sentence with every argument in new words; the first argument that has any decides how many."""
    options = [list(_new_nouns(argument)) for argument in arguments]
    count = max((len(o) for o in options), default=0)
    rows = zip(*(islice(cycle(o or [a]), count) for o, a in zip(options, arguments, strict=True)), strict=True)
    return [skill.sentence(row) for row in rows]


def _new_nouns(argument: str) -> Iterator[str]:
    """New noun, new colour, both."""
    *colour, noun = argument.split(" ")
    nouns, colours = HELD_OUT_NOUNS.get(noun, ()), HELD_OUT_COLOURS.get(" ".join(colour), ())
    yield from (" ".join((*colour, new)) for new in nouns)
    yield from (f"{new} {noun}" for new in colours)
    yield from (f"{new} {other}" for new, other in zip(colours, nouns, strict=False))
