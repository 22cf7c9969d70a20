"""TerminalView: a run, live in the terminal: the graph with the state of each step, what the robot does, the story.

Where the output is no terminal (a pipe, a CI log) it prints the story line by line instead.
Not for: the page one keeps (forehand.report).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from executor.skill_executor import ControlStep
from forehand.events import Answered, Event, QuestionAsked, StepStarted
from forehand.run_view import Line, RunView
from forehand.watching import Watcher
from skills.drawing import terminal_tree

if TYPE_CHECKING:
    from forehand.workplace import Workplace

REFRESHES_PER_SECOND = 8
STORY_LINES = 12

STYLE_OF_TONE = {
    "plain": "default",
    "good": "green",
    "bad": "red",
    "doubt": "yellow",
    "recovery": "cyan",
    "world": "magenta",
    "quiet": "bright_black",
}
MARK_OF_TONE = {
    "plain": "▸", "good": "✓", "bad": "✗", "doubt": "?", "recovery": "↻", "world": "⚡", "quiet": "·",
}  # fmt: skip


class TerminalView(Watcher):
    """Watches one run on `console`. pace: times real time (1.0 is the robot's own speed), None as fast as it goes."""

    name = "terminal view"
    wants_control_steps = True

    def __init__(self, console: Console, pace: float | None = None) -> None:
        self.console = console
        self.pace = pace
        self.view = RunView()
        self._control_steps = 0
        self._time_limit_steps = 1
        self._library: Workplace | None = None
        self._live: Live | None = None
        self._due_s = 0.0

    def attach(self, workplace: Workplace) -> None:
        self._library = workplace
        self._come_alive()

    def on_event(self, event: Event) -> None:
        line = self.view.apply(event)
        match event:
            case StepStarted():
                self._control_steps = 0
                self._time_limit_steps = self._limit_of(event)
            case QuestionAsked():
                self.close()  # the person types below the picture
            case Answered():
                self._come_alive()
            case _:
                pass
        if line is not None and self._live is None:
            self.console.print(told(line), soft_wrap=True)

    def on_control_step(self, step: ControlStep) -> None:  # noqa: ARG002
        self._control_steps += 1
        if self.pace is not None:
            self._due_s = max(self._due_s, time.monotonic() - 0.1) + 0.1 / self.pace
            time.sleep(max(0.0, self._due_s - time.monotonic()))

    def close(self) -> None:
        if self._live is not None:
            self._live.update(self._picture(), refresh=True)
            self._live.stop()
            self._live = None

    def _come_alive(self) -> None:
        if self.console.is_terminal and self._live is None:
            self._live = Live(
                get_renderable=self._picture, console=self.console, refresh_per_second=REFRESHES_PER_SECOND
            )
            self._live.start()

    def _limit_of(self, event: StepStarted) -> int:
        assert self._library is not None
        return self._library.library.skill(event.call.skill).time_limit_steps

    def _picture(self) -> RenderableType:
        view = self.view
        columns = Table.grid(expand=True, padding=(0, 1))
        columns.add_column(ratio=2)
        columns.add_column(ratio=3)
        tree: RenderableType = (
            terminal_tree(view.graph, view.statuses) if view.plan else Text("planning …", "bright_black")
        )
        columns.add_row(Panel(tree, title="plan", border_style="bright_black"), self._right())
        asked = view.started.instruction if view.started else ""
        return Panel(columns, title=Text(asked or "forehand", "bold"), border_style="blue")

    def _right(self) -> RenderableType:
        story = Group(*(told(line) for line in self.view.lines[-STORY_LINES:]))
        return Group(Panel(self._robot(), title="robot", border_style="bright_black"), story)

    def _robot(self) -> RenderableType:
        active = self.view.active
        if active is None:
            return Text("looking and thinking" if self.view.ended is None else "done", "bright_black")
        bar = ProgressBar(total=self._time_limit_steps, completed=self._control_steps, width=30)
        attempt = f"  attempt {active.attempt}" if active.attempt > 1 else ""
        return Group(
            Text.assemble((active.sentence, "bold"), (attempt, "yellow")),
            bar,
            Text(f"{self._control_steps} control steps of at most {self._time_limit_steps}", "bright_black"),
        )


def told(line: Line) -> Text:
    """One line of the story, with its robot time, mark and colour."""
    style = STYLE_OF_TONE[line.tone]
    at = "       " if line.robot_time_s is None else f"{line.robot_time_s:6.1f}s"
    text = Text.assemble((f"{at} ", "bright_black"), (f"{MARK_OF_TONE[line.tone]} {line.title}", style))
    if line.detail:
        text.append(f"  {line.detail}", "bright_black")
    return text
