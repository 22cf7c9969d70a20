"""Jobs of a long study, each in a process of its own: order, cores, time left; what is done is read from the disk.

A study that was killed is begun again with the same jobs: those that are done are not run. Not for: what a job does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

POLL_S = 1.0
ENDING_S = 60.0
LEAST_DONE = 0.01  # of a cost, before its pace is believed


@dataclass(frozen=True)
class Job:
    """One piece of work. share: how much of it is done, 0 to 1, as the disk tells. cost_s: expected, on `cores` cores.

    kind: jobs of one kind keep one pace. after: names of jobs that must be done before. log: where its output goes.
    """

    name: str
    kind: str
    work: Callable[[], object]
    share: Callable[[], float]
    log: Path
    cost_s: float
    cores: int = 1
    after: tuple[str, ...] = ()


@dataclass
class Jobs:
    """All jobs of a study, run on so many cores. failed: names of those that ended without being done, and of those
    that waited for them."""

    jobs: Sequence[Job]
    cores: int
    failed: list[str] = field(default_factory=list)
    shares: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self.shares = {job.name: job.share() for job in self.jobs}
        self._running: dict[str, tuple[Job, BaseProcess]] = {}
        self._paces: dict[str, list[float]] = {job.kind: [0.0, 0.0] for job in self.jobs}  # cost done, seconds taken

    @property
    def running(self) -> tuple[str, ...]:
        return tuple(self._running)

    def left_s(self) -> float:
        """Expected seconds to the end, from the pace so far."""
        spent = 0.0
        for job in self.jobs:
            if job.name not in self.failed:
                done, taken = self._paces[job.kind]
                slowness = taken / done if done > LEAST_DONE * job.cost_s else max(1.0, taken / job.cost_s)
                spent += (1 - self.shares[job.name]) * job.cost_s * slowness * min(job.cores, self.cores)
        return spent / self.cores

    def run(self, on_tick: Callable[[], None] = lambda: None, poll_s: float = POLL_S) -> None:
        """Until all are done or have failed. Whatever ends it, no job goes on running."""
        waiting = [job for job in self.jobs if self.shares[job.name] < 1]
        try:
            while waiting or self._running:
                waiting = self._begin(waiting)
                on_tick()
                began = time.monotonic()
                time.sleep(poll_s)
                self._look(time.monotonic() - began)
        finally:
            self._stop()

    def _begin(self, waiting: list[Job]) -> list[Job]:
        """Start what can be started, in order; what still waits."""
        still = []
        for job in waiting:
            free = self.cores - sum(min(other.cores, self.cores) for other, _ in self._running.values())
            if any(name in self.failed for name in job.after):
                self.failed.append(job.name)
            elif min(job.cores, self.cores) <= free and all(self.shares[name] >= 1 for name in job.after):
                self._running[job.name] = (job, _started(job))
            else:
                still.append(job)
        return still

    def _look(self, passed_s: float) -> None:
        for job, process in list(self._running.values()):
            ended, before = not process.is_alive(), self.shares[job.name]
            self.shares[job.name] = job.share()
            self._paces[job.kind][0] += max(0.0, self.shares[job.name] - before) * job.cost_s
            self._paces[job.kind][1] += passed_s
            if ended:
                del self._running[job.name]
                if self.shares[job.name] < 1:
                    self.failed.append(job.name)

    def _stop(self) -> None:
        """Ask all to end, so that a training saves itself; who does not is killed."""
        for _, process in self._running.values():
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGINT)
        for _, process in self._running.values():
            process.join(ENDING_S)
            if process.is_alive():
                process.kill()
        self._running.clear()


def _started(job: Job) -> BaseProcess:
    job.log.parent.mkdir(parents=True, exist_ok=True)
    # spawn: a forked child would share this process's threads; no daemon: a training has children of its own
    process = get_context("spawn").Process(target=_work, args=(job.work, job.log, os.getpid()), name=job.name)
    process.start()
    return process


def _work(work: Callable[[], object], log: Path, parent: int) -> None:
    """The life of one job. Ctrl-C at the terminal reaches the study alone, which passes it on once."""
    os.setsid()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with log.open("a", encoding="utf-8") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
        work()


def _end_with(parent: int) -> None:
    """End this process once its parent is gone, asking first."""
    while os.getppid() == parent:
        time.sleep(POLL_S)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(ENDING_S)
    os._exit(1)


def last_words(log: Path, lines: int = 3) -> str:
    """The end of a job's output, for whoever asks why it failed."""
    text = log.read_text("utf-8", errors="replace") if log.exists() else ""
    return "\n".join(text.strip().splitlines()[-lines:])
