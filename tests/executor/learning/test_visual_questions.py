"""Visual questions: true answers on a known scene, only what is seen, balanced, within their words, reproducible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from executor.learning.labels import CELL_NAMES
from executor.learning.moments import Moment, look
from executor.learning.questions import MAKERS, Question
from executor.learning.visual_questions import (
    ANSWER_WORDS,
    VOCABULARY_WORDS,
    draw_examples,
    read_examples,
    write_examples,
)
from robots.tabletop.names import COLOURS_OF
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from rt2.training.examples import TextExample
from skills.library import BUILT_IN
from skills.wordings import held_out_sentences, training_words, words_of

SCENE = SceneSpec(
    objects=("red block", "green block", "blue block", "yellow block", "purple bowl", "yellow pad", "drawer", "button",
             "lamp"),
    relations=("on(red block, green block)", "in(blue block, purple bowl)", "in(yellow block, drawer)", "lit(lamp)"),
    positions={"green block": (0.45, -0.3), "purple bowl": (0.45, -0.1), "yellow pad": (0.45, 0.1)},
)  # fmt: skip
OPEN = SCENE.model_copy(update={"relations": (*SCENE.relations, "open(drawer)")})


def _moment(spec: SceneSpec) -> Moment:
    with TabletopWorld(SceneSpec.model_validate(spec.model_dump()), seed=1) as world:
        return look(world)


@pytest.fixture(scope="module")
def closed() -> Moment:
    return _moment(SCENE)


@pytest.fixture(scope="module")
def opened() -> Moment:
    return _moment(OPEN)


def _all(moment: Moment, draws: int = 150) -> dict[str, Question]:
    """Every question drawn; asserts that none has two answers."""
    asked: dict[str, Question] = {}
    rng = np.random.default_rng(0)
    for maker, _ in MAKERS:
        for _ in range(draws):
            for question in maker(moment, rng):
                assert asked.setdefault(question.prompt, question).answer == question.answer, question
    return asked


def test_answers_on_a_known_scene(opened: Moment) -> None:
    asked = {prompt: q.answer for prompt, q in _all(opened).items()}
    expected = {
        "is the red block on the green block?": "yes",
        "is the green block on the red block?": "no",
        "is the blue block in the purple bowl?": "yes",
        "is the red block in the purple bowl?": "no",
        "is the yellow block in the drawer?": "yes",
        "is the drawer open?": "yes",
        "is the drawer closed?": "no",
        "is the lamp lit?": "yes",
        "what does the hand hold?": "nothing",
        "does the hand hold the red block?": "no",
        "how many blocks are in the purple bowl?": "one",
        "how many blocks do you see?": "four",
        "what is on the green block?": "red block",
        "what colour is the block on the green block?": "red",
        "what is the green block on?": "table",
        "what is the blue block in?": "purple bowl",
        "what colour is the bowl?": "purple",
        "is there a yellow pad?": "yes",
        "is there a cyan block?": "no",
        "describe the picture": "a red block on a green block, a purple bowl with a blue block, a yellow pad, "
        "the drawer is open with a yellow block, the lamp is lit, the hand is empty",
    }
    assert {prompt: asked.get(prompt) for prompt in expected} == expected


def test_what_is_hidden_is_not_asked_about(closed: Moment) -> None:
    asked = _all(closed)
    assert asked["is the drawer open?"].answer == "no"
    assert asked["how many blocks do you see?"].answer == "three"
    for question in asked.values():
        assert "yellow block" not in question.prompt + question.answer, question
    assert not any("in the drawer" in prompt for prompt in asked)


def test_places_are_where_the_picture_shows_the_thing(opened: Moment) -> None:
    places = {q.about[0]: q.answer for q in _all(opened).values() if q.kind == "locate"}
    assert {"red block", "green block", "purple bowl", "yellow pad", "lamp", "drawer"} <= set(places)
    for name, channels in (("red block", [0]), ("green block", [1]), ("yellow pad", [0, 1])):
        x, y = (int(v) for v in places[name].split())
        pixel = opened.images["front"][int(y * 96 / 256), int(x * 160 / 256)].astype(int)
        assert min(pixel[channels]) > max(np.delete(pixel, channels)) + 20, (name, pixel)


@pytest.fixture(scope="module")
def drawn() -> list[TextExample]:
    rng = np.random.default_rng(0)
    return [example for _ in range(5) for example in draw_examples(rng)]


def test_examples_stay_within_their_words(drawn: list[TextExample]) -> None:
    assert len(drawn) > 80
    assert {w for e in drawn if e.kind != "locate" for w in words_of(e.answer)} <= set(ANSWER_WORDS)
    assert {w for e in drawn for w in words_of(e.prompt)} <= set(VOCABULARY_WORDS)
    for example in drawn:
        if example.kind == "locate":
            assert all(0 <= int(v) < 256 for v in example.answer.split())
            assert len(example.answer.split()) == 2
    assert len(ANSWER_WORDS) < 120


def test_the_vocabulary_knows_training_words_and_no_held_out_ones() -> None:
    assert training_words() <= set(VOCABULARY_WORDS)
    arguments = {"push": ("red block", "left")}
    held_out = {
        word
        for skill in BUILT_IN
        for sentence in held_out_sentences(skill, arguments.get(skill.name, ("red block",)))
        for word in words_of(sentence)
    }
    known = held_out & set(VOCABULARY_WORDS)
    distractors_and_names = {word for name in COLOURS_OF for word in (name, *COLOURS_OF[name])}
    assert known <= training_words() | distractors_and_names


def test_yes_and_no_are_balanced(drawn: list[TextExample]) -> None:
    for words in (("is the", " on the "), ("is the", " in the "), ("is there", "")):
        answers = Counter(e.answer for e in drawn if e.prompt.startswith(words[0]) and words[1] in e.prompt)
        assert abs(answers["yes"] - answers["no"]) <= 2 + 0.25 * answers.total(), (words, answers)


def test_pictures_cells_and_points_belong_together(drawn: list[TextExample]) -> None:
    for e in drawn:
        assert {name: image.shape for name, image in e.images.items()} == {"front": (96, 160, 3), "wrist": (64, 64, 3)}
        assert {name: grid.shape for name, grid in e.cells.items()} == {"front": (12, 20), "wrist": (8, 8)}
        assert max(int(grid.max()) for grid in e.cells.values()) < len(CELL_NAMES)
        assert {points.shape for points in e.points.values()} == {(2, 3)}
        if e.kind == "locate":
            x, y, seen = e.points["front"][0]
            assert seen == 1
            assert e.answer == f"{int(x * 256)} {int(y * 256)}"
    assert len({id(e.images["front"]) for e in drawn}) < len(drawn) / 4


def _said(examples: Iterator[TextExample]) -> list[tuple[str, str]]:
    return [(e.prompt, e.answer) for e in examples]


def test_written_examples_are_reproducible_and_kept(tmp_path: Path) -> None:
    assert write_examples(tmp_path / "one", 9, seed=3, workers=1) == 9
    first = _said(read_examples(tmp_path / "one"))
    assert len(first) == 9
    assert write_examples(tmp_path / "two", 9, seed=3, workers=1) == 9
    assert _said(read_examples(tmp_path / "two")) == first
    (path,) = (tmp_path / "one").iterdir()
    before = path.stat().st_mtime_ns
    write_examples(tmp_path / "one", 9, seed=3, workers=1)
    assert path.stat().st_mtime_ns == before
