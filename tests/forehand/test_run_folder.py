"""Run folders: written whole or not at all, one process at a time, and clear about what is wrong with them."""

from __future__ import annotations

import json
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from forehand.config import ConfigError, RunConfig
from forehand.event_log import EventLog, RunFolderError
from forehand.events import Noted
from forehand.runs import RunFolder, read_config, write_atomically
from robots.tabletop.scene_spec import SceneError

CONFIG = RunConfig.model_validate({"instruction": "press the button", "scene": {"objects": ["button", "lamp"]}})
Usage = namedtuple("Usage", "total used free")


def written(folder: RunFolder, count: int) -> None:
    log = EventLog(folder.log_path, clock=lambda: 0.0)
    for n in range(count):
        log.emit(Noted(part="test", text=str(n)))
    log.close()


def test_a_new_folder_holds_its_configuration(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "a" / "b", CONFIG) as folder:
        assert folder.config() == CONFIG
        assert read_config(tmp_path / "a" / "b") == CONFIG


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(RunFolderError, match="is not empty"):
        RunFolder.create(tmp_path, CONFIG)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(RunFolderError, match="is a file"):
        RunFolder.create(tmp_path / "mine.txt", CONFIG)


def test_a_full_disk_is_told_before_anything_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(100, 100, 1_500_000))
    with pytest.raises(RunFolderError, match=r"the disk is full: 1.5 MB free, a run needs 20 MB"):
        RunFolder.create(tmp_path / "a" / "b", CONFIG)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "there").mkdir()
    with pytest.raises(RunFolderError, match="the disk is full"):
        RunFolder.create(tmp_path / "there", CONFIG)
    assert list((tmp_path / "there").iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match=r"cannot be written: Not a directory"):
        RunFolder.create(tmp_path / "file" / "run", CONFIG)
    if os.geteuid() != 0:  # root writes everywhere
        (tmp_path / "closed").mkdir(mode=0o555)
        with pytest.raises(RunFolderError, match=r"cannot be written: Permission denied"):
            RunFolder.create(tmp_path / "closed" / "run", CONFIG)

    def refuse(path: Path, *_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(RunFolderError, match=r"Read-only file system"):
        RunFolder.create(tmp_path / "run", CONFIG)
    assert not (tmp_path / "run").exists()


def test_only_one_process_runs_a_folder(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", CONFIG), pytest.raises(RunFolderError, match="another process"):
        RunFolder.open(tmp_path / "run")
    with RunFolder.open(tmp_path / "run") as folder:
        assert folder.config() == CONFIG


def test_what_is_no_run_folder_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(RunFolderError, match=r"no run folder \(it has no run.json\)"):
            RunFolder.open(path)
    with pytest.raises(RunFolderError, match="no run folder"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "corrupt"),
        ("[]", "corrupt"),
        (CONFIG.model_dump_json().replace("language", "lunguage", 1), "run.json: corrupt at 'planner'"),
    ],
)
def test_a_corrupt_configuration_is_told(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RunFolderError, match=expected):
        read_config(tmp_path)


def test_the_newest_snapshot_that_is_whole_and_known_to_the_log_is_found(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", CONFIG) as folder:
        assert folder.found().snapshot is None
        written(folder, 5)
        for seq in (1, 3, 5):
            folder.save_snapshot(seq, {"at": seq})
        assert sorted(p.name for p in (folder.path / "snapshots").iterdir()) == ["000003.json", "000005.json"]
        found = folder.found()
        assert (found.from_seq, found.snapshot, len(found.events)) == (5, {"at": 5}, 5)
        folder.save_snapshot(9, {"at": 9})  # its event was lost with the power
        assert folder.found().from_seq == 5
        assert not (folder.path / "snapshots" / "000009.json").exists()
        folder.save_snapshot(3, {"at": 3})
        (folder.path / "snapshots" / "000005.json").write_text('{"at"')
        assert (folder.found().from_seq, folder.found().snapshot) == (3, {"at": 3})


def test_a_torn_line_is_cut_off_once_and_told(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", CONFIG) as folder:
        written(folder, 2)
        with folder.log_path.open("ab") as file:
            file.write(b'{"seq":3,"wall')
        assert folder.found().note == "a half-written last line of 14 bytes was cut off"
        assert folder.found().note == ""
        assert len(folder.found().events) == 2


def test_atomic_writing_keeps_the_old_file_where_the_new_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    write_atomically(path, b"old")

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunFolderError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_snapshots_are_plain_json_without_what_json_does_not_know(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", CONFIG) as folder:
        folder.save_snapshot(1, {"x": 0.1 + 0.2})
        assert json.loads((folder.path / "snapshots" / "000001.json").read_bytes())["x"] == 0.1 + 0.2
        with pytest.raises(ValueError, match="not JSON compliant"):
            folder.save_snapshot(2, {"x": float("nan")})


def test_configurations_say_what_they_expect() -> None:
    with pytest.raises(ConfigError, match="give an instruction, a goal or a graph"):
        RunConfig.model_validate({"instruction": "  ", "scene": "kitchen-corner"}).check_asks_for_something()
    with pytest.raises((ValueError, SceneError), match="kitchen-corner"):
        RunConfig.model_validate({"instruction": "x", "scene": "kitchen-korner"})
    with pytest.raises(ValueError, match="standard"):
        RunConfig.model_validate({"instruction": "x", "scene": "kitchen-corner", "faults": "standart"})
    with pytest.raises(ValueError, match="at most 4000 characters"):
        RunConfig.model_validate({"instruction": "x" * 100_000, "scene": "kitchen-corner"})
