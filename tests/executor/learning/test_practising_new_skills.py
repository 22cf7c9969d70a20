"""Collectors practise a skill of one's own beside the old ones: how often, in which worlds, with which labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from executor.learning.collector import CollectorConfig
from executor.learning.labels import CELL_NAMES, LAYOUT
from executor.learning.on_policy import practice_weights
from executor.learning.practice import collect
from rt2.training.frames import ShardReader
from skills.library import SkillLibrary
from skills.skill import SkillCallError

TURN = Path(__file__).resolve().parents[3] / "examples" / "skills" / "turn.py"
OLD = tuple(SkillLibrary().by_name)


def share_of_turn(**success: float) -> float:
    weights = practice_weights((*OLD, "turn"), success, ("turn",))
    return weights["turn"] / sum(weights.values())


def test_a_new_skill_gets_half_of_the_practice_and_never_less_than_a_quarter() -> None:
    assert share_of_turn() == pytest.approx(0.5)
    assert share_of_turn(turn=0.5) == pytest.approx(0.375)
    assert share_of_turn(turn=1.0) == pytest.approx(0.25)
    assert share_of_turn(turn=1.0, **dict.fromkeys(OLD, 1.0)) == pytest.approx(0.25)


def test_an_old_skill_that_begins_to_fail_is_practised_more() -> None:
    weights = practice_weights((*OLD, "turn"), {"push": 0.4, "turn": 1.0}, ("turn",))
    assert weights["push"] > 3 * weights["press"] > 0


def test_without_new_skills_what_was_never_tried_counts_as_failing() -> None:
    assert len(set(practice_weights(OLD, {}).values())) == 1
    assert practice_weights(OLD, {"pick": 1.0})["pick"] < practice_weights(OLD, {})["push"]


def test_frames_of_a_new_skill_tell_its_thing_apart(tmp_path: Path) -> None:
    config = CollectorConfig(
        skills=("turn",), skill_files=(TURN,), new_skills=("turn",), new_names=("white pointer",),
        furnished_share=1.0, calls_per_world=1, worlds_at_once=1, stray_share=0.0,
    )  # fmt: skip
    tally = collect(config, tmp_path, 0, lambda: False, most_frames=1)
    reader = ShardReader(tmp_path / "frames", LAYOUT.dtype)
    assert reader.refresh() == tally.frames
    frames = reader.take(np.arange(len(reader)))
    assert set(frames["skill"]) == {b"turn"}
    assert b"pointer" in frames["sentence"][0]
    assert any(how == "succeeded" for _, _, how in tally.parts)
    shows_it = (frames["cells.front"] == len(CELL_NAMES)).any(axis=(1, 2))
    assert shows_it.mean() > 0.5


def test_a_skill_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SkillCallError, match="no skill 'turn'"):
        collect(CollectorConfig(skills=("turn",)), tmp_path, 0, lambda: True)
