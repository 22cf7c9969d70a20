"""Collectors: which worlds and calls they practise, what they write, and that crashes cost nothing but a moment."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from executor.learning import on_policy
from executor.learning.collector import CollectorConfig, Collectors, start_collectors
from executor.learning.drivers import NOISY_EXPERT, POLICY
from executor.learning.frame_store import FrameStore
from executor.learning.labels import LAYOUT
from executor.learning.on_policy import NewestPolicy, OnPolicyRun, append_run, practice_weights, recent_success
from executor.learning.practice import collect, next_world
from executor.learning.worlds import FIRST_SEED, is_in_order, next_call, training_world, world_seed
from rt2.training.errors import TrainingError
from rt2.training.frames import ShardReader
from rt2.vla import ActInput
from skills.grounding import symbolic_of
from skills.library import SkillLibrary

SMALL = np.dtype([("driver", np.uint8), ("episode", np.int64), ("weight", np.uint8, (4000,))])


def never() -> bool:
    return False


def test_seeds_of_training_lie_apart_and_never_meet() -> None:
    seeds = {world_seed(run, worker, n) for run in range(3) for worker in range(3) for n in range(50)}
    assert len(seeds) == 450
    assert min(seeds) >= FIRST_SEED


def test_worlds_hold_seen_colours_only_and_calls_that_do_something() -> None:
    library = SkillLibrary()
    world, rng = training_world(FIRST_SEED + 1, varied_share=1.0)
    with world:
        colours = {name.split()[0] for name in world.spec.objects if " " in name}
        assert colours.isdisjoint({"cyan", "brown", "pink"})
        assert world.variation is not None
        state = world.physical_state()
        assert is_in_order(state)
        symbols = symbolic_of(state)
        drawn = [next_call(symbols, {"pick": 1.0, "press": 1e-9}, library, rng) for _ in range(10)]
        assert {call.skill for call in drawn if call} == {"pick"}
        assert next_call(symbols, {"place_in": 1.0}, library, rng) is None


def test_the_same_seed_collects_the_same_frames(tmp_path: Path) -> None:
    config = CollectorConfig(seed=4, shard_frames=50, calls_per_world=1)
    taken = []
    for name in ("one", "other"):
        tally = collect(config, tmp_path / name, 0, never, most_frames=1)
        reader = ShardReader(tmp_path / name / "frames", LAYOUT.dtype)
        assert reader.refresh() == tally.frames
        taken.append(reader.take(np.arange(len(reader))))
    assert taken[0].tobytes() == taken[1].tobytes()
    assert set(taken[0]["driver"]) == {NOISY_EXPERT}


class Folded:
    """A VLA that folds its hand and stands still; `batches` has the sizes of what was put to it."""

    contract: Any = None

    def __init__(self) -> None:
        self.batches: list[int] = []

    def encode(self, sentence: str) -> str:
        return sentence

    def act(self, inputs: Sequence[ActInput]) -> NDArray[np.float32]:
        self.batches.append(len(inputs))
        assert all(i.images["wrist"].shape == (64, 64, 3) and i.state.shape == (8,) and i.prompt for i in inputs)
        return np.tile(np.array([0, 0, 0, 0, 0, 0, 0, 1], np.float32), (len(inputs), 1, 1))


def test_a_policy_decides_for_several_worlds_together(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "latest").write_text("000001")
    config, vla = CollectorConfig(calls_per_world=1, worlds_at_once=3, policy_share=1.0, skills=("press",)), Folded()
    tally = collect(config, tmp_path, 0, never, most_frames=20, load=lambda _folder: vla)
    assert max(vla.batches) == 3
    ends = [json.loads(line) for line in (tmp_path / "on_policy.jsonl").read_text().splitlines()]
    assert {(end["succeeded"], end["version"]) for end in ends} == {(False, "000001")}
    reader = ShardReader(tmp_path / "frames", LAYOUT.dtype)
    assert reader.refresh() == tally.frames
    frames = reader.take(np.arange(len(reader)))
    for episode in np.unique(frames["episode"]):
        run = frames[frames["episode"] == episode]
        assert run["step"].tolist() == list(range(len(run)))
        assert run["driver"][0] == POLICY
        assert run["driver"][-1] == NOISY_EXPERT
        assert len(set(run["sentence"])) == 1


def test_no_world_is_begun_twice(tmp_path: Path) -> None:
    assert [next_world(tmp_path, 0), next_world(tmp_path, 1), next_world(tmp_path, 0)] == [0, 0, 1]


def test_room_is_made_by_the_oldest_frames_of_policies(tmp_path: Path) -> None:
    store = FrameStore(tmp_path, SMALL, 10)
    kinds = [NOISY_EXPERT, POLICY, NOISY_EXPERT, POLICY, POLICY]
    for k, kind in enumerate(kinds):
        for _ in range(10):
            store.add({"driver": kind}, episode=k)
        newest = max(tmp_path.glob("*.npy"), key=lambda path: path.stat().st_ctime_ns)
        os.utime(newest, (1000.0 + k, 1000.0 + k))
    assert store.frames() == 50
    store.make_room(35)
    left = {int(np.load(path)["episode"][0]) for path in tmp_path.glob("*.npy")}
    assert left == {0, 2, 4}


def test_room_is_made_beside_another_worker_that_makes_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FrameStore(tmp_path, SMALL, 10)
    for k in range(4):
        for _ in range(10):
            store.add({"driver": POLICY}, episode=k)
        newest = max(tmp_path.glob("*.npy"), key=lambda path: path.stat().st_ctime_ns)
        os.utime(newest, (1000.0 + k, 1000.0 + k))
    listed = store._shards()
    min(listed)[1].unlink()  # by the other one, after this one has looked
    monkeypatch.setattr(store, "_shards", lambda: listed)
    store.make_room(20)
    assert {int(np.load(path)["episode"][0]) for path in tmp_path.glob("*.npy")} == {2, 3}


def test_recent_success_survives_a_torn_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recent_success(tmp_path) == {}
    for k in range(30):
        append_run(tmp_path, OnPolicyRun(float(k), "pick", k >= 20, "terminated", 9, "000001"))
    assert recent_success(tmp_path) == {"pick": pytest.approx(1 / 3)}
    assert all(
        json.loads(line)["version"] == "000001" for line in (tmp_path / "on_policy.jsonl").read_text().splitlines()
    )
    monkeypatch.setattr(on_policy, "RECENT_BYTES", 500)  # begins in the middle of a line
    assert recent_success(tmp_path) == {"pick": 1.0}
    weights = practice_weights(["pick", "push"], {"pick": 1.0})
    assert weights["push"] > 3 * weights["pick"] > 0


def test_a_policy_is_loaded_when_its_name_changes(tmp_path: Path) -> None:
    loaded: list[str] = []

    def load(folder: Path) -> Any:
        loaded.append(folder.name)
        return folder.name

    newest = NewestPolicy(tmp_path, load)
    assert newest.get() is None
    (tmp_path / "policy").mkdir()
    for version in ("000001", "000001", "000002"):
        (tmp_path / "policy" / "latest").write_text(f"{version}\n")
        assert newest.get() == (version, version)
    assert loaded == ["000001", "000002"]


@pytest.mark.slow
def test_a_crashed_collector_says_why_and_is_started_again(tmp_path: Path) -> None:
    (tmp_path / "worlds-0").write_text("no number")
    collectors = start_collectors(CollectorConfig(shard_frames=5, calls_per_world=1), tmp_path)
    try:
        assert wait_for((tmp_path / "collectors.log").exists)
        (tmp_path / "worlds-0").write_text("0")
        assert wait_for(lambda: any((tmp_path / "frames").glob("*.npy")))
        assert collectors.alive == 1
    finally:
        collectors.stop()
    assert "no number" in (tmp_path / "collectors.log").read_text()
    assert collectors.alive == 0


@pytest.mark.slow
def test_collectors_that_always_end_at_once_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executor.learning.collector.RESTART_AFTER_S", 0.0)
    monkeypatch.setattr("executor.learning.collector.MOST_AT_ONCE", 2)
    (tmp_path / "worlds-0").write_text("no number")
    collectors = start_collectors(CollectorConfig(shard_frames=5), tmp_path)
    try:
        collectors.check()
        assert wait_for(lambda: "no number" in given_up(collectors))  # the last line of the log says why
        time.sleep(0.2)
        assert collectors.alive == 0
    finally:
        collectors.stop()


def given_up(collectors: Collectors) -> str:
    """What is said of collectors that cannot work; nothing while they are started again."""
    try:
        collectors.check()
    except TrainingError as error:
        return str(error)
    return ""


def wait_for(condition: Any, limit_s: float = 120.0) -> bool:
    end = time.monotonic() + limit_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(condition())
