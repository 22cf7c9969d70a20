"""Wordings: the share of canonical sentences, disjoint tables, and skills that no table knows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from string import Formatter

import numpy as np
import pytest

from robots.tabletop.names import SEEN_COLOURS
from skills import pick
from skills.library import BUILT_IN
from skills.skill import Skill
from skills.wordings import (
    TIERS,
    Tier,
    held_out_sentences,
    noise_sentences,
    training_sentence,
    training_words,
    words_of,
)
from skills.wordings.held_out_table import HELD_OUT_STRUCTURES, HELD_OUT_VERBS
from skills.wordings.training_table import FRAMES, PARAPHRASES

ARGUMENTS = {
    "pick": ("red block",),
    "place_in": ("blue bowl",),
    "place_on": ("green pad",),
    "push": ("yellow block", "front"),
    "open": ("drawer",),
    "close": ("drawer",),
    "press": ("button",),
}
BY_NAME = pytest.mark.parametrize("skill", BUILT_IN, ids=lambda s: s.name)
FOLD = replace(pick.SKILL, name="fold", template="fold the {object}")


def _draws(skill: Skill, count: int = 3000) -> Counter[str]:
    rng = np.random.default_rng(0)
    return Counter(training_sentence(skill, ARGUMENTS.get(skill.name, ("red block",)), rng) for _ in range(count))


@BY_NAME
def test_a_third_is_canonical_and_the_rest_is_varied(skill: Skill) -> None:
    draws = _draws(skill)
    assert 0.3 < draws[skill.sentence(ARGUMENTS[skill.name])] / draws.total() < 0.42
    assert len(PARAPHRASES[skill.template]) >= 15
    assert len(draws) > 60


@BY_NAME
def test_training_sentences_name_their_arguments_and_stay_in_the_word_list(skill: Skill) -> None:
    words = training_words()
    said = _draws(skill)
    assert {w for sentence in said for w in words_of(sentence)} <= words
    for colour in (c for c in SEEN_COLOURS if any(c in a for a in ARGUMENTS[skill.name])):
        assert all(colour in words_of(sentence) for sentence in said)


@BY_NAME
def test_every_template_has_the_skill_s_slots(skill: Skill) -> None:
    slots = {p.name for p in skill.parameters}
    for table in (PARAPHRASES, HELD_OUT_STRUCTURES, HELD_OUT_VERBS):
        for template in table[skill.template]:
            assert {name for _, name, *_ in Formatter().parse(template) if name} == slots, template


@BY_NAME
def test_held_out_templates_are_never_trained_on(skill: Skill) -> None:
    trained = {frame.format(t) for t in (skill.template, *PARAPHRASES[skill.template]) for frame in ("{}", *FRAMES)}
    held_out = {*HELD_OUT_STRUCTURES[skill.template], *HELD_OUT_VERBS[skill.template]}
    assert not {words_of(t) for t in trained} & {words_of(t) for t in held_out}
    assert not set(_draws(skill)) & set(held_out_sentences(skill, ARGUMENTS[skill.name]))


@BY_NAME
@pytest.mark.parametrize("tier", TIERS)
def test_each_tier_is_new_in_its_own_way(skill: Skill, tier: Tier) -> None:
    sentences = held_out_sentences(skill, ARGUMENTS[skill.name], tier)
    known = training_words()
    assert len(held_out_sentences(skill, ARGUMENTS[skill.name])) >= 10
    assert len(set(sentences)) == len(sentences) >= 2
    for sentence in sentences:
        new = set(words_of(sentence)) - known
        assert bool(new) == (tier != "structure"), f"{sentence}: {new}"


def test_the_noun_tier_keeps_the_canonical_verb() -> None:
    assert held_out_sentences(pick.SKILL, ("red block",), "noun") == (
        "pick up the red brick",
        "pick up the red dice",
        "pick up the crimson block",
        "pick up the scarlet block",
        "pick up the crimson brick",
        "pick up the scarlet dice",
    )


def test_a_skill_of_ones_own_is_said_by_its_template() -> None:
    said = _draws(FOLD)
    assert all("fold the red block" in sentence for sentence in said)
    assert len(said) == 1 + len(FRAMES)
    held_out = held_out_sentences(FOLD, ("red block",))
    assert not set(said) & set(held_out)
    assert "i need you to fold the red block" in held_out
    assert "fold the crimson brick" in held_out


def test_noise_names_no_call() -> None:
    calls = {words_of(s) for skill in BUILT_IN for s in _draws(skill, 300)}
    assert not calls & {words_of(s) for s in noise_sentences()}
    assert {"", " "} < set(noise_sentences())
