"""The pictures of a run folder, drawn from its log and trace: graph.svg, video.mp4, report.html.

Whatever is missing is drawn again by calling this again; the run itself never waits for it.
Not for: what the page says (forehand.report) or how a frame is rendered (robots.tabletop.video).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from forehand.event_log import read_log
from forehand.events import Event, Judged, RecoveryChosen, RunStarted, StepStarted
from forehand.report import report_html, write_report
from forehand.results import standing, summarise
from forehand.run_view import RunView
from forehand.runs import LOG
from forehand.tracing import TRACE
from robots.tabletop.captions import Caption
from robots.tabletop.trace import read_trace
from robots.tabletop.video import write_video
from skills.drawing import graph_svg

GRAPH, VIDEO = "graph.svg", "video.mp4"
LINGER_FRAMES = 15  # the last picture stays for a moment, so that one can read it


def draw_run(folder: Path, console: Console, *, video: bool) -> str:
    """Draw what the folder lacks; the path of the page to open."""
    events = read_log(folder / LOG).events
    view = RunView()
    for event in standing(events):
        view.apply(event)
    svg = graph_svg(view.graph, view.statuses)
    (folder / GRAPH).write_text(svg, "utf-8")
    if video and (folder / TRACE).exists():
        film(folder, events, console)
    files = [name for name in (VIDEO, GRAPH, LOG, "result.json", "run.json", TRACE) if (folder / name).exists()]
    shown = VIDEO if (folder / VIDEO).exists() else None
    page = report_html(events, summarise(events), svg, shown, files)
    return f"report: {write_report(folder, page)}"


def film(folder: Path, events: Sequence[Event], console: Console) -> None:
    """video.mp4 at the robot's own speed, with what was asked, done and judged under each picture."""
    frames = read_trace(folder / TRACE)
    captions = Captions(standing(events))
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("video", total=None)
        write_video(
            [*frames, *frames[-1:] * LINGER_FRAMES],
            folder / VIDEO,
            caption=lambda frame: captions.at(frame.time_s),
            progress=lambda done, of_all: progress.update(bar, completed=done, total=of_all),
        )


class Captions:
    """What to write under the picture of a moment of robot time."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._times_s: list[float] = []
        self._captions: list[Caption] = []
        caption = Caption("")
        for event in events:
            told = _next(caption, event)
            if told is not None and event.robot_time_s is not None:
                self._times_s.append(event.robot_time_s)
                self._captions.append(told)
            caption = told or caption
        self._first = self._captions[0] if self._captions else caption

    def at(self, time_s: float) -> Caption:
        index = bisect_right(self._times_s, time_s) - 1
        return self._captions[index] if index >= 0 else self._first


def _next(before: Caption, event: Event) -> Caption | None:
    match event:
        case RunStarted():
            goal = ", ".join(str(literal) for literal in event.goal.literals) if event.goal else "a skill graph"
            return Caption(event.instruction or goal)
        case StepStarted():
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            return Caption(before.title, event.sentence + again)
        case Judged():
            tone = {"succeeded": "good", "failed": "bad"}.get(event.status, "neutral")
            return Caption(before.title, before.line, event.status, tone)
        case RecoveryChosen() if event.rung != "continue":
            return Caption(before.title, before.line, f"{event.rung}: {event.reason}", "neutral")
        case _:
            return None
