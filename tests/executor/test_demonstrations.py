"""Demonstrations: episodes of one world are drawn from its seed alone, and any dataset becomes frames to train on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from executor.learning import demonstrator
from executor.learning.demonstrations import SCHEMA, frames_of
from executor.learning.demonstrator import Collection, collect_demonstrations, demonstrate, seeds_of
from executor.learning.labels import LAYOUT
from robots.tabletop.scene_spec import SceneSpec
from rt2.training.frames import FrameLayout
from skills.dataset import Dataset, DatasetError, DatasetWriter, Episode, EpisodeRecord, Schema
from skills.dataset_format import ACTION_KEY, EXECUTED_KEY, INFO, STATE_KEY, TASKS
from skills.skill import SkillCallError

TINY = SceneSpec(objects=("red block", "blue bowl"))
PLACING = Collection(("place_in",), scene=TINY, noise=0.5, calls_per_world=1)
LETTERS = ("a", "b", "c")
OTHERS = Schema(10, "other", {"top": (32, 32)}, {STATE_KEY: LETTERS, ACTION_KEY: SCHEMA.vectors[ACTION_KEY]})
WANTED = FrameLayout(cameras={"front": (16, 16)}, state=("c", "a"), auxiliary=("x", "y"), cell_names=("table",))


def other_episode(sentence: str = "take the cup") -> Episode:
    rng = np.random.default_rng(0)
    images = {"top": np.repeat(rng.integers(0, 256, (3, 1, 1, 3)), 32, 1).repeat(32, 2).astype(np.uint8)}
    vectors = {key: rng.normal(size=(3, len(e))).astype(np.float32) for key, e in OTHERS.vectors.items()}
    return Episode((sentence,) * 3, images, vectors, EpisodeRecord())


@pytest.fixture(scope="module")
def placed() -> Episode:
    (episode,) = demonstrate(PLACING, 10**9 + 1)
    return episode


def test_what_must_be_held_is_picked_first_and_not_recorded(placed: Episode) -> None:
    assert placed.record.skill_call == "place_in(blue bowl)"
    assert placed.record.driver == "noisy expert"
    assert placed.record.success is True
    assert SceneSpec.model_validate_json(placed.record.scene or "") == TINY


def test_the_label_is_the_experts_and_what_was_done_is_kept_beside_it(placed: Episode) -> None:
    label, executed = placed.vectors[ACTION_KEY], placed.vectors[EXECUTED_KEY]
    missed = np.abs(label - executed).max(1) > 1e-6
    assert 0 < missed.sum() < len(placed)
    assert label[-1, 0] == executed[-1, 0] == 1
    assert not label[:-1, 0].any()


def test_a_world_is_drawn_from_its_seed_alone(placed: Episode) -> None:
    (again,) = demonstrate(PLACING, 10**9 + 1)
    np.testing.assert_array_equal(again.images["front"], placed.images["front"])
    np.testing.assert_array_equal(again.vectors[EXECUTED_KEY], placed.vectors[EXECUTED_KEY])


def test_collecting_goes_on_where_it_was(placed: Episode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        demonstrator, "demonstrate", lambda _c, seed: [replace(placed, record=replace(placed.record, seed=seed))] * 2
    )

    def collect(folder: Path, episodes: int) -> list[int | None]:
        known = seeds_of(Dataset(folder)) if folder.exists() else ()
        with DatasetWriter(folder, SCHEMA) as writer:
            collect_demonstrations(PLACING, writer, known, episodes=episodes, workers=1)
        return [row.record.seed for row in Dataset(folder).rows]

    at_once = collect(tmp_path / "once", 6)
    assert len(at_once) == 6
    assert len(set(at_once)) == 3
    assert collect(tmp_path / "twice", 2) == at_once[:2]
    assert collect(tmp_path / "twice", 6) == at_once
    assert collect(tmp_path / "twice", 4) == at_once


def test_what_is_possible_nowhere_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demonstrator, "demonstrate", lambda _c, _seed: [])
    with DatasetWriter(tmp_path / "d", SCHEMA) as writer, pytest.raises(DatasetError, match="in 30 worlds: open"):
        collect_demonstrations(Collection(("open",)), writer, (), episodes=1, workers=1)


def test_a_name_that_is_no_skill_is_refused() -> None:
    with pytest.raises(SkillCallError, match="did you mean 'pick'"):
        Collection(("pikc",)).library()


def test_our_own_dataset_becomes_training_frames(placed: Episode, tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "d", SCHEMA) as writer:
        writer.add(placed)
    (frames,) = frames_of(Dataset(tmp_path / "d"), LAYOUT)
    assert frames.dtype == LAYOUT.dtype
    np.testing.assert_array_equal(frames["image.wrist"], placed.images["wrist"])
    np.testing.assert_array_equal(frames["state"], placed.vectors[STATE_KEY])
    np.testing.assert_array_equal(frames["action"], placed.vectors[ACTION_KEY])
    assert {(f["sentence"], f["skill"], int(f["driver"])) for f in frames} == {
        (placed.sentences[0].encode(), b"place_in", 1)
    }
    assert frames["step"].tolist() == list(range(len(placed)))


def test_other_peoples_datasets_become_training_frames(tmp_path: Path) -> None:
    episode = other_episode()
    with DatasetWriter(tmp_path / "d", OTHERS) as writer:
        writer.add(episode)
    (frames,) = frames_of(Dataset(tmp_path / "d"), WANTED, cameras={"front": "top"})
    np.testing.assert_array_equal(frames["image.front"], episode.images["top"][:, ::2, ::2])
    np.testing.assert_array_equal(frames["state"], episode.vectors[STATE_KEY][:, [2, 0]])
    assert np.isnan(frames["auxiliary"]).all()
    assert (frames["cells.front"] == 255).all()
    assert not frames["point.front"].any()
    assert frames["skill"].tolist() == [b""] * 3
    assert frames["driver"].tolist() == [0] * 3


MISMATCHES = {
    "camera": (OTHERS, {}, "no camera 'front'; have: top"),
    "rate": (replace(OTHERS, fps=30), {"front": "top"}, "30 frames a second"),
    "state": (replace(OTHERS, vectors={**OTHERS.vectors, STATE_KEY: ("a", "b", "d")}), {"front": "top"},
              "observation.state lacks c; has: a, b, d"),
    "action": (replace(OTHERS, vectors={**OTHERS.vectors, ACTION_KEY: LETTERS}), {"front": "top"},
               "expected terminate, x, y, z, roll, pitch, yaw, gripper"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISMATCHES)
def test_datasets_that_do_not_match_are_refused(case: str, tmp_path: Path) -> None:
    schema, cameras, said = MISMATCHES[case]
    with DatasetWriter(tmp_path / "d", schema):
        pass
    with pytest.raises(DatasetError, match=said):
        next(frames_of(Dataset(tmp_path / "d"), WANTED, cameras=cameras))


def test_a_sentence_that_no_frame_holds_is_refused(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "d", OTHERS) as writer:
        writer.add(other_episode("take the cup " * 20))
    with pytest.raises(DatasetError, match="episode 0, step 0: a sentence of 260 bytes, at most 160"):
        next(frames_of(Dataset(tmp_path / "d"), WANTED, cameras={"front": "top"}))


def retold(folder: Path, key: str, **told: Any) -> Dataset:
    """One episode of other people, with something else said of a feature."""
    with DatasetWriter(folder, OTHERS) as writer:
        writer.add(other_episode())
    info = json.loads((folder / INFO).read_text())
    info["features"][key].update(told)
    (folder / INFO).write_text(json.dumps(info))
    return Dataset(folder)


@pytest.mark.parametrize(
    "names",
    [
        {name: k for k, name in reversed(list(enumerate(SCHEMA.vectors[ACTION_KEY])))},
        {"arm": SCHEMA.vectors[ACTION_KEY][:7], "hand": SCHEMA.vectors[ACTION_KEY][7:]},
        None,
    ],
)
def test_our_actions_may_be_named_in_any_way(names: Any, tmp_path: Path) -> None:
    dataset = retold(tmp_path / "d", ACTION_KEY, names=names)
    (frames,) = frames_of(dataset, WANTED, cameras={"front": "top"})
    np.testing.assert_array_equal(frames["action"], other_episode().vectors[ACTION_KEY])


RETOLD: dict[str, tuple[str, dict[str, Any], str]] = {
    "joints": (ACTION_KEY, {"names": {f"joint_{k}": k for k in range(8)}}, "joint_0, joint_1, .*; expected terminate"),
    "names not understood": (ACTION_KEY, {"names": {"joints": 8}}, "{'joints': 8}; expected terminate"),
    "state's names not understood": (STATE_KEY, {"names": {"a": 1, "b": 2, "c": 3}}, "lacks c, a; has: {'a': 1"),
    "action of words": (ACTION_KEY, {"dtype": "string"}, "no action of numbers; has: observation.state"),
    "state of truths": (STATE_KEY, {"dtype": "bool"}, "no observation.state of numbers; has: action"),
}


@pytest.mark.parametrize("case", RETOLD)
def test_features_that_say_something_else_are_refused(case: str, tmp_path: Path) -> None:
    key, told, said = RETOLD[case]
    with pytest.raises(DatasetError, match=said):
        next(frames_of(retold(tmp_path / "d", key, **told), WANTED, cameras={"front": "top"}))


@pytest.mark.parametrize(("key", "value"), [(STATE_KEY, np.nan), (ACTION_KEY, np.inf)])
def test_numbers_that_are_none_are_refused(key: str, value: float, tmp_path: Path) -> None:
    dataset = retold(tmp_path / "d", key)
    path = tmp_path / "d/data/chunk-000/file-000.parquet"
    table = pq.read_table(path)
    rows = [*table.column(key).to_pylist()[:2], [value] * len(OTHERS.vectors[key])]
    place = table.schema.get_field_index(key)
    pq.write_table(table.set_column(place, key, pa.array(rows, pa.list_(pa.float32()))), path)
    with pytest.raises(DatasetError, match=f"d, episode 0, step 2: {key} has NaN or infinite numbers"):
        next(frames_of(dataset, WANTED, cameras={"front": "top"}))


def test_an_empty_sentence_is_refused(tmp_path: Path) -> None:
    dataset = retold(tmp_path / "d", ACTION_KEY)
    pq.write_table(pa.table({"task_index": [0], "task": [" "]}), tmp_path / "d" / TASKS)
    with pytest.raises(DatasetError, match="d, episode 0, step 0: the sentence is empty"):
        next(frames_of(dataset, WANTED, cameras={"front": "top"}))
