"""The pictures of a run folder: the page says what the log says, escapes what people type, links to no other host."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import av
import pytest
from rich.console import Console

from forehand.assembly import start_run
from forehand.config import RunConfig
from forehand.event_log import read_log
from forehand.pictures import Captions, draw_run
from forehand.report import report_html
from forehand.results import RunResult, summarise
from forehand.runs import LOG
from forehand.tracing import TraceRecorder


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    folder = tmp_path_factory.mktemp("runs") / "one"
    config = RunConfig.model_validate(
        {"instruction": "pick up the red block", "scene": "two-blocks", "policy": "expert"}
    )
    return folder, start_run(config, folder=folder, watchers=[TraceRecorder(folder)])


def test_the_folder_is_drawn(run_folder: tuple[Path, RunResult]) -> None:
    folder, result = run_folder
    draw_run(folder, Console(quiet=True), video=True)
    page = (folder / "report.html").read_text("utf-8")
    assert "pick up the red block" in page
    assert all(str(step.call) in page for step in result.steps)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    ElementTree.fromstring((folder / "graph.svg").read_text("utf-8"))
    with av.open(str(folder / "video.mp4")) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    control_steps = sum(attempt.control_steps for step in result.steps for attempt in step.attempts)
    assert len(frames) >= control_steps
    assert abs(frames[0].astype(int) - frames[-1].astype(int)).mean() > 1  # the arm is somewhere else by now


def test_what_a_person_typed_is_escaped(run_folder: tuple[Path, RunResult]) -> None:
    folder, result = run_folder
    evil = result.model_copy(update={"instruction": "<script>alert(1)</script>"})
    page = report_html(read_log(folder / LOG).events, evil, "<svg/>", None, [])
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_captions_follow_the_robots_time(run_folder: tuple[Path, RunResult]) -> None:
    folder, _ = run_folder
    events = read_log(folder / LOG).events
    captions = Captions(events)
    assert captions.at(0.0).title == "pick up the red block"
    assert captions.at(0.3).line == "pick up the red block"
    assert (captions.at(60.0).verdict, captions.at(60.0).tone) == ("succeeded", "good")
    assert summarise(events).outcome == "succeeded"
