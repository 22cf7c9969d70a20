"""A training live in the terminal: time left, speed, losses, and how the policy does, skill by skill.

Where the output is no terminal, a line now and then instead. Not for: what is kept (forehand.training.curves).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rt2.training.trainer import HELD_OUT, Progress
from skills.rates import Rate

REFRESHES_PER_SECOND = 1
LINE_EVERY_S = 30.0


@dataclass
class TrainingView:
    """Shows one training on `console`. title: of what, where."""

    console: Console
    title: str
    progress: Progress | None = None
    on_policy: Mapping[str, Rate] = field(default_factory=dict)
    collectors: tuple[int, int] = (0, 0)  # alive, of
    waiting: str = ""
    notes: list[str] = field(default_factory=list)
    _said_at: float = -math.inf

    @contextmanager
    def shown(self) -> Iterator[None]:
        """On screen until the end of the block; its last state stays."""
        if not self.console.is_terminal:
            self._say(self.title)
            yield
            return
        with Live(
            get_renderable=self.render, console=self.console, refresh_per_second=REFRESHES_PER_SECOND, transient=False
        ):
            yield

    def note(self, text: str) -> None:
        """Something that a person should know, kept in sight."""
        if text not in self.notes:
            self.notes.append(text)
            if not self.console.is_terminal:
                self._say(f"warning: {text}")

    def wait(self, frames: int, needed: int) -> None:
        self.waiting = f"waiting for robot frames: {frames} of {needed}"
        self._perhaps_say(self.waiting)

    def update(self, progress: Progress, on_policy: Mapping[str, Rate], collectors: tuple[int, int]) -> None:
        first = self.progress is None
        self.progress, self.on_policy, self.collectors, self.waiting = progress, on_policy, collectors, ""
        self._perhaps_say(self._line(progress), at_once=first or progress.share >= 1)

    def _perhaps_say(self, line: str, *, at_once: bool = False) -> None:
        if not self.console.is_terminal and (at_once or time.monotonic() - self._said_at > LINE_EVERY_S):
            self._said_at = time.monotonic()
            self._say(line)

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _line(self, progress: Progress) -> str:
        parts = [
            time.strftime("%H:%M:%S"), f"{progress.share:.1%}", f"{duration(progress.left_s)} left",
            f"{progress.samples} samples", f"{progress.samples_per_s:.0f}/s", f"{progress.frames} frames",
            *(f"{name} {value:.3f}" for name, value in progress.losses.items()),
        ]  # fmt: skip
        done = ", ".join(f"{skill} {rate.rate:.0%}" for skill, rate in self.on_policy.items() if rate.rate is not None)
        return "  ".join(parts) + (f"  on policy: {done}" if done else "")

    def render(self) -> RenderableType:
        parts: list[RenderableType] = [Text(self.title, style="bold")]
        if self.progress is not None:
            parts += [_bar(self.progress), self._numbers(self.progress), _losses(self.progress)]
        if self.on_policy:
            parts.append(_skills(self.on_policy))
        parts += [Text(self.waiting, style="cyan")] if self.waiting else []
        return Group(*parts, *(Text(f"⚠ {note}", style="yellow") for note in self.notes))

    def _numbers(self, progress: Progress) -> Text:
        alive, of = self.collectors
        text = Text(
            f"{progress.samples} samples, {progress.samples_per_s:.0f} a second, learning rate "
            f"{progress.learning_rate:.1e}, policy {progress.version}\n{progress.frames} robot frames"
        )
        if progress.examples:
            text.append(f", {progress.examples} vision-language examples")
        if of:
            text.append(f", collectors {alive} of {of}", style="default" if alive == of else "red")
        return text


def duration(seconds: float) -> str:
    """'1:23:45'; '?' before anything is known."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _bar(progress: Progress) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=1.0, completed=min(1.0, progress.share), width=40)
    row.add_row(bar, f"{progress.share:.1%}", f"{duration(progress.seconds)} trained, {duration(progress.left_s)} left")
    return row


def _losses(progress: Progress) -> Text:
    """Those on what is learned, and below them those on scenes that are not."""
    learned = [f"{name} {value:.3f}" for name, value in progress.losses.items() if not name.startswith(HELD_OUT)]
    others = [
        f"{name.removeprefix(HELD_OUT)} {value:.3f}"
        for name, value in progress.losses.items()
        if name.startswith(HELD_OUT)
    ]
    return Text("losses: " + ", ".join(learned) + ("\non scenes held out: " + ", ".join(others) if others else ""))


def _skills(on_policy: Mapping[str, Rate]) -> Table:
    table = Table(title="on policy, last minutes", title_justify="left", box=None, pad_edge=False)
    for column in ("skill", "", "succeeded", "runs"):
        table.add_column(column)
    for skill, rate in on_policy.items():
        share = rate.rate or 0.0
        table.add_row(skill, ProgressBar(total=1.0, completed=share, width=20), f"{share:.0%}", str(rate.n))
    return table
