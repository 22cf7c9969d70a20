"""Glances: each picture answers several sentences, of calls that are possible then and there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from executor.action_numbers import action_of
from executor.learning.glances import CALLS, GLANCES, glances
from executor.learning.labels import AUXILIARY, CELL_NAMES, LAYOUT
from executor.learning.practice import CollectorConfig, collect
from executor.learning.worlds import FIRST_SEED, training_world
from rt2.training.frames import SCENE_EPISODES, ShardReader
from skills.library import SkillLibrary

WEIGHTS = {"pick": 1.0, "place_in": 1.0, "place_on": 1.0, "push": 1.0}


def test_each_picture_is_labelled_for_several_calls() -> None:
    world, rng = training_world(FIRST_SEED + 3, varied_share=0.0)
    with world:
        frames = list(glances(world, WEIGHTS, SkillLibrary(), CELL_NAMES, rng))
    pictures: dict[bytes, list[dict[str, object]]] = {}
    for frame in frames:
        pictures.setdefault(frame["image.front"].tobytes() + frame["image.wrist"].tobytes(), []).append(frame)
    assert 1 < len(pictures) <= GLANCES
    assert max(map(len, pictures.values())) > 2
    for same in pictures.values():
        assert len({frame["sentence"] for frame in same}) == len(same) <= CALLS
        assert len({np.asarray(frame["state"]).tobytes() for frame in same}) == 1
        targets = [np.asarray(frame["auxiliary"])[: AUXILIARY.index("target_z") + 1] for frame in same]
        assert len(same) == 1 or np.ptp(targets, axis=0).max() > 0
    skills = {frame["skill"].decode() for frame in frames}
    assert "pick" in skills
    assert skills & {"place_in", "place_on"}  # what is picked on the way is there to be placed


def test_what_is_labelled_can_be_done() -> None:
    """The expert's action for a sentence leads towards its target, wherever the hand is."""
    world, rng = training_world(FIRST_SEED + 5, varied_share=0.0)
    with world:
        frames = list(glances(world, {"press": 1.0}, SkillLibrary(), CELL_NAMES, rng))
    assert frames
    for frame in frames:
        action, away = action_of(frame["action"]), np.asarray(frame["auxiliary"])[:2]
        assert action.terminate or np.linalg.norm(away) < 0.15 or np.dot(action.world_vector[:2], away) > 0


def test_a_collector_mixes_glances_and_runs(tmp_path: Path) -> None:
    config = CollectorConfig(seed=2, glance_worlds=0.5, calls_per_world=1, skills=("pick", "press"))
    collect(config, tmp_path, 0, lambda: False, most_frames=300)
    reader = ShardReader(tmp_path / "frames", LAYOUT.dtype)
    frames = reader.take(np.arange(reader.refresh()))
    scenes = frames["episode"] // SCENE_EPISODES
    sentences = {scene: len(set(frames["sentence"][scenes == scene])) for scene in np.unique(scenes)}
    assert min(sentences.values()) == 1 < max(sentences.values())
