"""Datasets of demonstrations: exact round trips, what LeRobot's own reader needs, killed writers, broken files."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from skills import dataset_statistics as statistics
from skills.dataset import Dataset, DatasetError, DatasetWriter, Episode, EpisodeRecord, Schema
from skills.dataset_format import ACTION_KEY, COUNTERS, INFO, STATE_KEY, TASKS, Feature

NAMES = ("terminate", "x", "y")
SCHEMA = Schema(10, "test", {"front": (24, 16), "wrist": (16, 16)}, {STATE_KEY: ("a", "b"), ACTION_KEY: NAMES})
SENTENCES = ("pick up the red block", "open the drawer", "put it in the bowl – gently")
RECORD = EpisodeRecord(True, 10**9 + 7, '{"objects":["red block"]}', "pick(red block)", "terminated", "expert")


def episode(k: int, length: int | None = None) -> Episode:
    """Noise in every pixel: nothing survives a codec with loss."""
    rng, n = np.random.default_rng(k), length or 3 + k % 4
    images = {name: rng.integers(0, 256, (n, h, w, 3)).astype(np.uint8) for name, (w, h) in SCHEMA.cameras.items()}
    vectors = {key: rng.normal(size=(n, len(e))).astype(np.float32) for key, e in SCHEMA.vectors.items()}
    return Episode((SENTENCES[k % 3],) * n, images, vectors, replace(RECORD, seed=10**9 + k, success=k % 2 == 0))


def written(folder: Path, count: int, first: int = 0) -> list[Episode]:
    episodes = [episode(k) for k in range(first, first + count)]
    with DatasetWriter(folder, SCHEMA, episodes_per_file=2) as writer:
        for one in episodes:
            writer.add(one)
    return episodes


def assert_holds(folder: Path, episodes: list[Episode]) -> None:
    with Dataset(folder) as dataset:
        assert len(dataset.rows) == len(episodes)
        assert len(dataset) == sum(map(len, episodes))
        for index, wanted in enumerate(episodes):
            found = dataset.episode(index)
            assert (found.sentences, found.record) == (wanted.sentences, wanted.record)
            for name, images in wanted.images.items():
                np.testing.assert_array_equal(found.images[name], images)
            for key, vectors in wanted.vectors.items():
                np.testing.assert_array_equal(found.vectors[key], vectors)


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Episode]]:
    """Three by one writer, two more by another: four files."""
    folder = tmp_path_factory.mktemp("datasets") / "five"
    return folder, written(folder, 3) + written(folder, 2, first=3)


def test_episodes_come_back_bit_for_bit(five: tuple[Path, list[Episode]]) -> None:
    assert_holds(*five)


def test_frames_come_back_in_any_order(five: tuple[Path, list[Episode]]) -> None:
    folder, episodes = five
    with Dataset(folder) as dataset:
        for index in np.random.default_rng(0).permutation(len(dataset)):
            frame = dataset.frame(int(index), cameras=("wrist",))
            wanted = episodes[frame.episode]
            assert dataset.rows[frame.episode].frames[0] + frame.step == index
            assert frame.sentence == wanted.sentences[frame.step]
            assert set(frame.images) == {"wrist"}
            np.testing.assert_array_equal(frame.images["wrist"], wanted.images["wrist"][frame.step])
            np.testing.assert_array_equal(frame.vectors[ACTION_KEY], wanted.vectors[ACTION_KEY][frame.step])
        with pytest.raises(IndexError, match="no frame"):
            dataset.frame(len(dataset))


def test_info_says_what_lerobot_reads(five: tuple[Path, list[Episode]]) -> None:
    """Names of files are those of lerobot 0.6.1, folder src/lerobot/datasets."""
    folder, episodes = five
    info = json.loads((folder / INFO).read_text())  # io_utils.py load_info
    assert info["codebase_version"] == "v3.0"  # dataset_metadata.py _version, utils.py check_version_compatibility
    assert info["fps"] == 10  # utils.py DatasetInfo: a whole number
    assert isinstance(info["fps"], int)
    frames = sum(map(len, episodes))
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (5, frames, 3)
    assert info["splits"] == {"train": "0:5"}  # dataset_metadata.py save_episode
    for name in ("chunks_size", "data_files_size_in_mb", "video_files_size_in_mb"):  # utils.py DatasetInfo, positive
        assert info[name] > 0
    assert info["robot_type"] == "test"  # dataset_metadata.py robot_type
    features = info["features"]
    assert features[ACTION_KEY] == {"dtype": "float32", "shape": [3], "names": list(NAMES), "info": None}
    for key, dtype in COUNTERS.items():  # utils/constants.py DEFAULT_FEATURES
        assert (features[key]["dtype"], features[key]["shape"]) == (dtype, [1])
    front = features["observation.images.front"]  # dataset_metadata.py video_keys
    assert (front["dtype"], front["shape"]) == ("video", [16, 24, 3])
    assert front["names"] == ["height", "width", "channels"]  # utils/feature_utils.py dataset_to_policy_features
    about = {"video.height": 16, "video.width": 24, "video.codec": "h264", "video.pix_fmt": "gbrp", "video.fps": 10}
    assert about.items() <= front["info"].items()  # video_utils.py get_video_info
    assert front["info"]["is_depth_map"] is False  # dataset_metadata.py depth_keys


def test_statistics_and_tasks_are_as_lerobot_reads_them(five: tuple[Path, list[Episode]]) -> None:
    folder, episodes = five
    stats = json.loads((folder / "meta/stats.json").read_text())  # io_utils.py load_stats
    names = {"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"}  # compute_stats.py
    actions = np.concatenate([one.vectors[ACTION_KEY] for one in episodes])
    assert set(stats[ACTION_KEY]) == names
    np.testing.assert_allclose(stats[ACTION_KEY]["std"], actions.std(0), rtol=1e-5)
    assert stats[ACTION_KEY]["count"] == [len(actions)]
    assert np.shape(stats["observation.images.wrist"]["mean"]) == (3, 1, 1)  # compute_stats.py _validate_stat_value
    tasks = pandas.read_parquet(folder / "meta/tasks.parquet")  # io_utils.py load_tasks
    assert [tasks.iloc[k].name for k in range(3)] == list(SENTENCES)  # dataset_reader.py get_item
    assert tasks["task_index"].tolist() == [0, 1, 2]  # dataset_metadata.py get_task_index


def test_tables_are_as_lerobot_reads_them(five: tuple[Path, list[Episode]], tmp_path: Path) -> None:
    """LeRobot opens all files of a tree at once, by the library `datasets` (io_utils.py load_nested_dataset)."""
    from datasets import Dataset as Table
    from datasets import Features, List, Value

    folder, episodes = five
    wanted = Features(  # feature_utils.py get_hf_features_from_features
        {STATE_KEY: List(Value("float32"), length=2), ACTION_KEY: List(Value("float32"), length=3)}
        | {key: Value(dtype) for key, dtype in COUNTERS.items()}
    )
    files = [str(path) for path in sorted((folder / "data").glob("*/*.parquet"))]
    data = Table.from_parquet(files, features=wanted, cache_dir=str(tmp_path), keep_in_memory=True)
    assert data["index"][:] == list(range(sum(map(len, episodes))))
    np.testing.assert_allclose(data["timestamp"][:3], [0.0, 0.1, 0.2])  # dataset_reader.py _get_query_timestamps
    files = [str(path) for path in sorted((folder / "meta/episodes").glob("*/*.parquet"))]
    rows = Table.from_parquet(files, cache_dir=str(tmp_path), keep_in_memory=True)  # io_utils.py load_episodes
    assert rows["episode_index"][:] == list(range(5))
    assert rows["length"][:] == [len(one) for one in episodes]
    row = rows[1]
    assert row["tasks"] == [SENTENCES[1]]
    assert (row["dataset_from_index"], row["dataset_to_index"]) == (len(episodes[0]), len(episodes[0]) + row["length"])
    for tree, template in (("data", "data"), ("videos/observation.images.front",) * 2):
        number = row[f"{tree}/chunk_index"], row[f"{tree}/file_index"]  # dataset_metadata.py get_data_file_path
        assert list(folder.glob(f"{template}/chunk-{number[0]:03d}/file-{number[1]:03d}.*"))
    start = row["videos/observation.images.front/from_timestamp"]  # dataset_reader.py _query_videos
    assert start == pytest.approx(len(episodes[0]) / 10)
    end = row["videos/observation.images.front/to_timestamp"]  # dataset_writer.py _save_episode_video
    assert end == pytest.approx(start + row["length"] / 10)
    assert "meta/episodes/file_index" in row  # dataset_metadata.py _save_episode_metadata, where it is gone on with
    assert {f"stats/{ACTION_KEY}/mean", "stats/observation.images.front/q99"} <= row.keys()  # dataset_tools.py


def test_each_episode_is_one_row_group(five: tuple[Path, list[Episode]]) -> None:
    folder, episodes = five
    file = pq.ParquetFile(folder / "data/chunk-000/file-000.parquet")
    assert [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)] == [len(e) for e in episodes[:2]]
    file.close()


def test_a_writer_killed_at_any_moment_leaves_a_whole_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder as it is before every move of a file is what a killed writer leaves."""
    moments: list[Path] = []
    folder = tmp_path / "dataset"
    first, move = written(folder, 1), os.replace

    def watched(source: Path, place: Path) -> None:
        moments.append(tmp_path / f"killed-{len(moments)}")
        shutil.copytree(folder, moments[-1])
        move(source, place)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", watched)
        second = written(folder, 2, first=1)
    assert len(moments) == 7  # two videos, tasks, episodes, frames, statistics, info
    assert_holds(folder, first + second)
    for killed in moments:
        assert_holds(killed, first)
        again = written(killed, 1, first=4)
        assert_holds(killed, first + again)
        counted = json.loads((killed / "meta/stats.json").read_text())["action"]["count"]
        assert counted == [sum(map(len, first + again))], "what a killed writer lost is not counted"
        assert not list(killed.rglob("*.partial"))


def test_a_writer_killed_at_its_very_beginning_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "d" / "meta").mkdir(parents=True)
    (tmp_path / "d" / "meta" / ".info.json.partial").write_text("{", "utf-8")
    assert_holds(tmp_path / "d", written(tmp_path / "d", 1))


def test_files_agree_on_types_also_where_nothing_is_told(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "d", SCHEMA, episodes_per_file=1) as writer:
        writer.add(replace(episode(0), record=EpisodeRecord()))
        writer.add(episode(1))
    one, other = (pq.read_schema(path) for path in sorted((tmp_path / "d" / "meta" / "episodes").glob("*/*.parquet")))
    assert one.equals(other)


def test_a_context_that_is_left_by_an_error_keeps_whole_episodes(tmp_path: Path) -> None:
    def break_off() -> None:
        with DatasetWriter(tmp_path / "d", SCHEMA) as writer:
            writer.add(episode(0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert_holds(tmp_path / "d", [episode(0)])


@given(st.lists(arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(2)),
                              elements=st.floats(-100, 100, width=32)), min_size=1, max_size=4))  # fmt: skip
def test_pooled_statistics_are_those_of_all_together(parts: list[Any]) -> None:
    pooled = statistics.pooled([statistics.of_vectors(part) for part in parts])
    together = statistics.of_vectors(np.concatenate(parts))
    for name in ("min", "max", "mean", "std", "count"):
        np.testing.assert_allclose(pooled[name], together[name], rtol=1e-6, atol=1e-3)


def test_statistics_of_pictures_are_those_of_their_pixels() -> None:
    pictures = episode(1).images["front"]
    found, pixels = statistics.of_pictures(pictures), pictures.reshape(-1, 3) / 255.0
    for name, wanted in (("mean", pixels.mean(0)), ("std", pixels.std(0)), ("min", pixels.min(0))):
        np.testing.assert_allclose(found[name].ravel(), wanted, atol=1e-9)
    quantile = np.quantile(pixels, 0.9, axis=0, method="inverted_cdf")
    np.testing.assert_allclose(found["q90"].ravel(), quantile, atol=1e-9)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def set_version(path: Path) -> None:
    path.write_text(path.read_text().replace('"v3.0"', '"v2.1"'))


def change(path: Path, columns: dict[str, Any]) -> None:
    """Columns of a table in place of those of that name."""
    table = pq.read_table(path)
    kept = {name: table.column(name) for name in table.column_names}
    pq.write_table(pa.table(kept | columns), path)


def change_feature(folder: Path, key: str, **told: Any) -> None:
    info = json.loads((folder / INFO).read_text())
    info["features"][key] = info["features"].get(key, {"names": None}) | told
    (folder / INFO).write_text(json.dumps(info))


ROWS, DATA = "meta/episodes/chunk-000/file-000.parquet", "data/chunk-000/file-000.parquet"
FRONT = "videos/observation.images.front/chunk-000/file-000.mp4"
BROKEN: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "no dataset": (INFO, Path.unlink, "no LeRobot dataset at"),
    "older version": (INFO, set_version, "version 'v2.1', expected v3.0; lerobot's own script"),
    "info cut short": (INFO, cut, "no JSON"),
    "episodes cut short": ("meta/episodes/chunk-000/file-000.parquet", cut, "no whole Parquet file"),
    "episodes missing": ("meta/episodes/chunk-000/file-000.parquet", Path.unlink, "0 of 2 episodes are recorded"),
    "frames cut short": ("data/chunk-000/file-000.parquet", cut, "no whole Parquet file"),
    "frames missing": ("data/chunk-000/file-000.parquet", Path.unlink, "is missing"),
    "tasks missing": ("meta/tasks.parquet", Path.unlink, "is missing"),
    "video cut short": (FRONT, cut, "file-000.mp4: no whole video"),
    "video missing": (FRONT, Path.unlink, "file-000.mp4: no whole video"),
    "frames skipped": (ROWS, lambda path: change(path, {"dataset_from_index": [0, 4]}),
                       "file-000.parquet: episode 1 with frames from 4 to 7; expected episode 1 with frames from 3 on"),
    "episode skipped": (ROWS, lambda path: change(path, {"episode_index": [0, 2]}), "expected episode 1"),
    "place unknown": (ROWS, lambda path: change(path, {"data/file_index": pa.nulls(2)}), "lacks a number"),
    "column missing": (DATA, lambda path: pq.write_table(pq.read_table(path).drop([ACTION_KEY]), path),
                       "no column 'action'; has: observation.state, timestamp"),
    "row null": (DATA, lambda path: change(path, {ACTION_KEY: [[0.0] * 3] * 6 + [None]}), "column 'action' has nulls"),
    "entry null": (DATA, lambda path: change(path, {ACTION_KEY: [[0.0] * 3] * 6 + [[0.0, None, 0.0]]}), "has nulls"),
    "rows ragged": (DATA, lambda path: change(path, {ACTION_KEY: [[0.0] * 3] * 6 + [[0.0]]}),
                    r"column 'action' has rows of \[1, 3\] numbers; expected 3"),
    "rows short": (DATA, lambda path: change(path, {ACTION_KEY: pa.FixedSizeListArray.from_arrays(np.zeros(14), 2)}),
                   r"column 'action' has rows of \[2\] numbers; expected 3"),
    "words": (DATA, lambda path: change(path, {ACTION_KEY: ["up"] * 7}), "'action' holds string; expected 3 numbers"),
    "task unknown": (DATA, lambda path: change(path, {"task_index": [0] * 2 + [9] * 5}),
                     r"tasks.parquet: no sentence for task_index 9; has those of \[0, 1\]"),
    "task null": (TASKS, lambda path: change(path, {"task": [None, "open"]}), "no sentence for task_index 0"),
    "task twice": (TASKS, lambda path: change(path, {"task_index": [1, 1]}), "'task_index' has a number twice"),
    "tasks unnumbered": (TASKS, lambda path: pq.write_table(pa.table({"task": ["a"]}), path), "no column 'task_index'"),
    "no sentences": (TASKS, lambda path: pq.write_table(pa.table({"task_index": [0]}), path), "no column 'task'; has"),
}  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("datasets") / "two"
    written(folder, 2)
    return folder


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_named(case: str, two: Path, tmp_path: Path) -> None:
    name, breaks, said = BROKEN[case]
    folder = tmp_path / "broken"
    shutil.copytree(two, folder)
    breaks(folder / name)

    def read_all() -> None:
        with Dataset(folder) as dataset:
            dataset.episode(0)

    with pytest.raises(DatasetError, match=said):
        read_all()


def test_an_unknown_camera_names_those_there_are(two: Path) -> None:
    with Dataset(two) as dataset, pytest.raises(DatasetError, match=r"did you mean 'front'\? have: front"):
        dataset.frame(0, cameras=("frnt",))


MISFITS: dict[str, tuple[Callable[[Episode], Episode], str]] = {
    "no frames": (lambda e: replace(e, sentences=()), "at least one frame"),
    "no sentence": (lambda e: replace(e, sentences=("",) * len(e)), "a sentence for each"),
    "camera missing": (lambda e: replace(e, images={"front": e.images["front"]}), "cameras of the episode"),
    "wrong size": (lambda e: replace(e, images={n: i[:, :8] for n, i in e.images.items()}), "uint8 in the episode"),
    "wrong type": (lambda e: replace(e, vectors={k: v.astype(float) for k, v in e.vectors.items()}), "float64"),
    "NaN": (lambda e: replace(e, vectors={k: v * np.float32("nan") for k, v in e.vectors.items()}), "NaN"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_an_episode_that_does_not_fit_is_refused(case: str, tmp_path: Path) -> None:
    change, said = MISFITS[case]
    with DatasetWriter(tmp_path / "d", SCHEMA) as writer, pytest.raises(DatasetError, match=said):
        writer.add(change(episode(0)))
    assert len(Dataset(tmp_path / "d")) == 0


def test_other_kinds_of_episodes_are_not_mixed_in(two: Path) -> None:
    other = replace(SCHEMA, vectors={STATE_KEY: ("a", "b"), ACTION_KEY: ("x", "y", "terminate")})
    with pytest.raises(DatasetError, match="episodes of another kind: action: there"):
        DatasetWriter(two, other)
    with pytest.raises(DatasetError, match="10 frames a second there, 20 here"):
        DatasetWriter(two, replace(SCHEMA, fps=20))


def test_one_writer_at_a_time_and_never_into_other_folders(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "d", SCHEMA), pytest.raises(DatasetError, match="being written to"):
        DatasetWriter(tmp_path / "d", SCHEMA)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/dear.txt").write_text("…")
    with pytest.raises(DatasetError, match="no LeRobot dataset, and not empty either"):
        DatasetWriter(tmp_path / "letters", SCHEMA)
    assert [p.name for p in (tmp_path / "letters").iterdir()] == ["dear.txt"]


@pytest.fixture
def others(two: Path, tmp_path: Path) -> Path:
    """A copy of `two`, episodes of 3 and 4 frames in one file, to be made other people's."""
    return Path(shutil.copytree(two, tmp_path / "others"))


@pytest.mark.parametrize(
    ("names", "entries"),
    [
        (["x", "y", "grip"], ("x", "y", "grip")),
        ({"grip": 2, "x": 0, "y": 1}, ("x", "y", "grip")),
        ({"arm": ["x", "y"], "hand": ["grip"]}, ("x", "y", "grip")),
        ({"x": 1, "y": 2, "grip": 3}, None),
        ({"left": ["x", "y"], "right": ["x"]}, None),
        (["x", "y"], None),
        ([["x", "y", "grip"]], None),
        ("xyz", None),
        (None, None),
    ],
)
def test_names_of_entries_are_understood_or_left_alone(names: Any, entries: tuple[str, ...] | None) -> None:
    assert Feature(dtype="float32", shape=(3,), names=names).entries == entries


def test_episodes_may_be_recorded_in_any_order(others: Path) -> None:
    rows = pq.read_table(others / ROWS)
    pq.write_table(rows.take([1, 0]), others / ROWS)
    assert_holds(others, [episode(0), episode(1)])


def test_vectors_may_be_of_any_numbers(others: Path) -> None:
    state, counts = np.arange(14.0).reshape(7, 2), np.arange(21).reshape(7, 3)
    columns = {STATE_KEY: state.tolist(), ACTION_KEY: counts.tolist(), "next.reward": np.linspace(0, 1, 7)}
    change(others / DATA, {**columns, "next.done": [False] * 7, "note": ["-"] * 7, "huge": [[1e300]] * 7})
    told = {STATE_KEY: "float64", ACTION_KEY: "int64", "next.reward": "float64", "huge": "float64"}
    for key, dtype in {**told, "next.done": "bool", "note": "string"}.items():
        change_feature(others, key, dtype=dtype, shape=[{STATE_KEY: 2, ACTION_KEY: 3}.get(key, 1)])
    with Dataset(others) as dataset:
        assert set(dataset.info.vectors) == set(told)
        found = dataset.episode(1).vectors
        assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}
        np.testing.assert_array_equal(found[STATE_KEY], state[3:])
        np.testing.assert_array_equal(found[ACTION_KEY], counts[3:])
        assert found["next.reward"].shape == (4, 1)
        assert np.isinf(found["huge"]).all()
        assert dataset.frame(6).vectors["next.reward"].tolist() == [1.0]


@pytest.mark.parametrize("index", ["task", None])
def test_tasks_are_found_by_their_index(others: Path, index: str | None) -> None:
    """LeRobot's pandas writes the sentences as the index, which older recordings do not name."""
    columns = {"task_index": [40, 7, 12], "scene": ["lab", "lab", None]}
    pandas.DataFrame(columns, pandas.Index(["open", "shut", "wait"], name=index)).to_parquet(others / TASKS)
    change(others / DATA, {"task_index": [7] * 3 + [40] * 4})
    with Dataset(others) as dataset:
        assert dataset.tasks == {7: "shut", 12: "wait", 40: "open"}
        assert [dataset.frame(k).sentence for k in (0, 6)] == ["shut", "open"]
    written(others, 1, first=2)
    assert Dataset(others).tasks == {7: "shut", 12: "wait", 40: "open", 41: SENTENCES[2]}


def png(picture: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()


FRONT_KEY = "observation.images.front"
PICTURES = np.concatenate([episode(k).images["front"] for k in range(2)])  # (7, 16, 24, 3)


def with_cells(folder: Path, cells: list[Any]) -> Path:
    change_feature(folder, FRONT_KEY, dtype="image", shape=[3, 16, 24], names=["channels", "height", "width"])
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    change(folder / DATA, {FRONT_KEY: pa.array(cells, kind)})
    return folder


def test_pictures_may_lie_in_the_table_or_beside_it(others: Path) -> None:
    (others / "images").mkdir()
    (others / "images/6.png").write_bytes(png(PICTURES[6]))
    cells = [{"bytes": png(picture), "path": "elsewhere.png"} for picture in PICTURES[:6]]
    with Dataset(with_cells(others, [*cells, {"bytes": None, "path": "images/6.png"}])) as dataset:
        assert dataset.size_of("front") == (24, 16)
        np.testing.assert_array_equal(dataset.episode(1).images["front"], PICTURES[3:])


CELLS = {
    "null": (None, "a picture has neither bytes nor path"),
    "empty": ({"bytes": None, "path": None}, "a picture has neither bytes nor path"),
    "file missing": ({"bytes": None, "path": "images/6.png"}, "No such file"),
    "no picture": ({"bytes": b"letters", "path": None}, "cannot identify image"),
    "cut short": ({"bytes": png(PICTURES[6])[:500], "path": None}, "truncated"),
    "other size": ({"bytes": png(PICTURES[6, :8]), "path": None}, "must have the same shape"),
}


@pytest.mark.parametrize("case", CELLS)
def test_pictures_that_cannot_be_read_are_named(case: str, others: Path) -> None:
    cell, said = CELLS[case]
    folder = with_cells(others, [*({"bytes": png(picture)} for picture in PICTURES[:6]), cell])
    wanted = f"file-000.parquet: column '{FRONT_KEY}', episode 1: .*{said}"
    with Dataset(folder) as dataset, pytest.raises(DatasetError, match=wanted):
        dataset.episode(1)


def test_a_shape_that_is_no_pictures_is_named(others: Path) -> None:
    change_feature(others, FRONT_KEY, shape=[16])
    with pytest.raises(DatasetError, match=r"info.json: observation.images.front has shape \(16,\); expected"):
        Dataset(others).size_of("front")
