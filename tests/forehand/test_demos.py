"""`forehand demos`: what is shown of a dataset, and what a person gets for bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from rich.console import Console

from executor.learning.demonstrations import SCHEMA
from executor.vla_inputs import IMAGE_SIZES
from forehand.cli import main
from forehand.commands import demos
from forehand.commands.demo_pictures import described, film, half_blocks, side_by_side
from skills.dataset import Dataset, DatasetWriter, Episode, EpisodeRecord
from skills.dataset_format import ACTION_KEY, EXECUTED_KEY, INFO
from skills.rates import Rate

RECORD = EpisodeRecord(True, 10**9, '{"objects":["red block"]}', "pick(red block)", "terminated", "noisy expert")
SENTENCE = "pick up the red block"


def episode(*, success: bool = True, call: str = "pick(red block)") -> Episode:
    images = {name: np.full((3, h, w, 3), 200, np.uint8) for name, (w, h) in SCHEMA.cameras.items()}
    vectors = {key: np.zeros((3, len(names)), np.float32) for key, names in SCHEMA.vectors.items()}
    vectors[ACTION_KEY][:, 3], vectors[EXECUTED_KEY][1, 1] = -0.03, 0.012
    vectors[ACTION_KEY][2], vectors[EXECUTED_KEY][2] = np.eye(8)[0], np.eye(8)[0]
    ended = "terminated" if success else "time limit"
    return Episode((SENTENCE,) * 3, images, vectors, replace(RECORD, success=success, skill_call=call, ended_by=ended))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with DatasetWriter(tmp_path / "small", SCHEMA) as writer:
        writer.add(episode())
        writer.add(episode(success=False, call="open(drawer)"))
    return tmp_path / "small"


@pytest.fixture
def forehand(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int | str | None]:
    def run(*arguments: str) -> int | str | None:
        monkeypatch.setattr("sys.argv", ["forehand", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code

    return run


def test_a_dataset_is_shown_skill_by_skill(
    folder: Path, forehand: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert forehand("demos", "show", str(folder)) == 0
    shown = capsys.readouterr().out
    assert "2 episodes, 6 frames" in shown
    assert "front 160x96, wrist 64x64" in shown
    half = "1 = 50.0% ({:.0%} – {:.0%})".format(*Rate.of(1, 2).wilson95)
    for cells in (("pick", "1", "3"), ("open", "1", "3", "0 = 0.0%", "1 time limit"), ("all", "2", "6", half)):
        (line,) = (line for line in shown.splitlines() if f" {cells[0]} " in line)
        assert all(cell in line for cell in cells)


def test_an_episode_becomes_a_video(
    folder: Path, forehand: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert forehand("demos", "show", str(folder), "--episode", "1") == 0
    assert f"episode 1: {SENTENCE}, 3 frames, failed: time limit" in capsys.readouterr().out
    with av.open("small-episode-1.mp4") as video:
        pictures = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert len(pictures) == 3
    assert pictures[0].shape[1] == 640 + 8 + 384
    np.testing.assert_allclose(pictures[0][:380, :380], 200, atol=4)


def test_an_episode_plays_in_the_terminal(
    folder: Path, forehand: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert forehand("demos", "show", str(folder), "--episode", "0", "--terminal") == 0
    shown = capsys.readouterr().out
    assert "▀" in shown
    assert "succeeded" in shown
    assert not list(folder.parent.glob("*.mp4"))


def test_words_under_a_picture_say_what_was_done() -> None:
    shown = episode()
    assert [demos.caption(shown, k).line.split("  ", 1)[1] for k in range(3)] == [
        "x +0 y +0 z +0 mm  yaw +0°  gripper 0.00 (noise)",
        "x +12 y +0 z +0 mm  yaw +0°  gripper 0.00 (noise)",
        "done",
    ]
    assert demos.caption(shown, 2).verdict == "succeeded"
    assert described(np.array([0.5, -1.0], np.float32)) == "+0.50 -1.00"
    assert all(picture.shape == (444, 1032, 3) for picture in film(shown))


def test_pictures_side_by_side_keep_every_pixel() -> None:
    left, right = np.zeros((2, 2, 3), np.uint8), np.full((4, 2, 3), 255, np.uint8)
    both = side_by_side([left, right], 8, 1)
    assert both.shape == (8, 8 + 1 + 4, 3)
    assert not both[:, :8].any()
    assert both[:, 9:].all()
    text = half_blocks(np.concatenate([left, right[:2]]), rows=2)
    assert text.plain == "▀▀\n▀▀\n"
    assert [str(span.style) for span in text.spans[:2]] == ["#000000 on #000000"] * 2


def test_ctrl_c_keeps_what_is_whole(
    tmp_path: Path, forehand: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_collection: object, writer: DatasetWriter, *_: object, **__: object) -> None:
        writer.add(episode())
        raise KeyboardInterrupt

    monkeypatch.setattr(demos, "collect_demonstrations", interrupted)
    assert forehand("demos", "collect", "--out", str(tmp_path / "d")) == 130
    assert "keeps 1 whole episodes" in " ".join(capsys.readouterr().err.split())
    assert len(Dataset(tmp_path / "d").rows) == 1


def test_a_full_dataset_is_left_as_it_is(folder: Path, forehand: Callable[..., int]) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.name != ".writing"}
    assert forehand("demos", "collect", "--out", str(folder), "--episodes", "2", "--workers", "1") == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.name != ".writing"} == before


BAD_INPUT = {
    "no dataset": (["show", "nowhere"], "no LeRobot dataset at nowhere"),
    "no such episode": (["show", "small", "--episode", "2"], "no episode 2; there are 2, from 0 on"),
    "video of nothing": (["show", "small", "--out", "x.mp4"], "say which with --episode"),
    "unknown skill": (["collect", "--out", "new", "--skills", "pikc"], "did you mean 'pick'"),
    "unknown scene": (["collect", "--out", "new", "--scene", "kitchn"], "did you mean 'kitchen-corner'"),
    "older version": (["show", "old"], "version 'v2.1', expected v3.0"),
    "another kind": (["collect", "--out", "other"], "episodes of another kind"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_gets_one_clear_line(
    case: str, folder: Path, forehand: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.parent / "old/meta").mkdir(parents=True)
    (folder.parent / "old" / INFO).write_text(json.dumps({"codebase_version": "v2.1"}))
    with DatasetWriter(folder.parent / "other", replace(SCHEMA, cameras={"top": (16, 16)})):
        pass
    arguments, said = BAD_INPUT[case]
    assert forehand("demos", *arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert not (folder.parent / "new").exists()


def test_without_pyarrow_it_says_what_to_install(
    folder: Path, forehand: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert forehand("demos", "show", str(folder)) == 2
    assert "pip install 'forehand[train]'" in capsys.readouterr().err


@pytest.mark.parametrize("width", [60, 80, 200])
def test_in_a_terminal_all_views_fit_beside_each_other(width: int) -> None:
    console = Console(width=width, height=60)
    views = [np.zeros((h, w, 3), np.uint8) for w, h in IMAGE_SIZES.values()]
    strip = side_by_side(views, views[0].shape[0], 0)
    rows = demos._rows(console, strip.shape[1] / strip.shape[0])
    lines = half_blocks(strip, rows=rows).plain.splitlines()
    assert len(lines) == rows
    assert width / 2 < max(map(len, lines)) <= width
