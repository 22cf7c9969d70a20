"""A study of many jobs in the terminal: a bar for each kind of job, what is running, time left over all.

Where the output is no terminal, a line now and then instead. Not for: running the jobs (forehand.studies.study_jobs).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from forehand.studies.study_jobs import Jobs
from forehand.training.view import duration

LINE_EVERY_S = 60.0


@dataclass
class StudyView:
    """Shows jobs on `console` whenever it is told to."""

    jobs: Jobs
    console: Console
    _bars: dict[str, TaskID] = field(default_factory=dict)
    _progress: Progress | None = None
    _said_at: float = -math.inf

    @contextmanager
    def shown(self) -> Iterator[None]:
        """On screen until the end of the block."""
        if not self.console.is_terminal:
            yield
            return
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}")
        with Progress(*columns, console=self.console) as progress:
            self._progress = progress
            for kind in self._kinds():
                self._bars[kind] = progress.add_task(kind, total=1.0, told="")
            self._bars["all"] = progress.add_task("time left", total=1.0, told="")
            yield

    def update(self) -> None:
        shares = {kind: self._share(kind) for kind in self._kinds()}
        told = {kind: f"{done:.1f} of {count}" for kind, (done, count) in shares.items()}
        left, running = duration(self.jobs.left_s()), ", ".join(self.jobs.running)
        if self._progress is not None:
            for kind, (done, count) in shares.items():
                self._progress.update(self._bars[kind], completed=done / count, told=told[kind])
            whole = sum(job.cost_s for job in self.jobs.jobs)
            done = sum(self.jobs.shares[job.name] * job.cost_s for job in self.jobs.jobs)
            self._progress.update(self._bars["all"], completed=done / max(1e-9, whole), told=f"{left}  {running}")
        elif time.monotonic() - self._said_at > LINE_EVERY_S:
            self._said_at = time.monotonic()
            words = "  ".join(f"{kind} {text}" for kind, text in told.items())
            self.console.print(
                f"{time.strftime('%H:%M:%S')}  {words}  {left} left  {running}", highlight=False, soft_wrap=True
            )

    def _kinds(self) -> list[str]:
        return list(dict.fromkeys(job.kind for job in self.jobs.jobs))

    def _share(self, kind: str) -> tuple[float, int]:
        """Done, in jobs, and how many there are."""
        shares = [self.jobs.shares[job.name] for job in self.jobs.jobs if job.kind == kind]
        return sum(shares), len(shares)
