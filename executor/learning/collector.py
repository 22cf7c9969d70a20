"""The collectors of a training run: processes that practise beside the trainer, and a command to try one.

`python -m executor.learning.collector --frames 5000 --out DIR` collects so many frames and says how fast.
Not for: what one of them does (executor.learning.practice).
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from executor.learning.frame_store import FrameStore
from executor.learning.labels import LAYOUT
from executor.learning.practice import CollectorConfig, Tally, collect
from rt2.training.errors import TrainingError

__all__ = ["CollectorConfig", "Collectors", "collect", "start_collectors"]

LOG = logging.getLogger(__name__)
POLL_S = 1.0
RESTART_AFTER_S = 3.0
AT_ONCE_S = 30.0  # a collector that ends within that of its start did no work
MOST_AT_ONCE = 5  # so often in a row, and the next would end so too
STOPPING_S = 10.0


class Collectors:
    """Running collectors, watched by a thread that starts anew what has crashed."""

    def __init__(self, config: CollectorConfig, folder: Path, workers: int, niceness: int) -> None:
        self._config, self._folder, self._niceness = config, folder, niceness
        self._ending = threading.Event()
        self._started_at = [0.0] * workers
        self._at_once = [0] * workers  # ends right after the start, in a row
        self._processes = [self._start(worker) for worker in range(workers)]
        self._watch = threading.Thread(target=self._keep_alive, name="collectors", daemon=True)
        self._watch.start()

    @property
    def alive(self) -> int:
        """How many are running now."""
        return sum(process.is_alive() for process in self._processes)

    def check(self) -> None:
        """Raises TrainingError once a collector has ended right after its start again and again."""
        if max(self._at_once, default=0) >= MOST_AT_ONCE:
            path = _log_path(self._folder)
            last = path.read_text("utf-8").rstrip().splitlines()[-1:] if path.exists() else []
            raise TrainingError(
                f"the collectors of robot frames cannot work: ended {MOST_AT_ONCE} times right after their start"
                f"{''.join(f': {line}' for line in last)} (more in {path})"
            )

    def stop(self) -> None:
        """End them all; what they have gathered since their last shards is lost."""
        self._ending.set()
        self._watch.join()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(STOPPING_S)

    def _start(self, worker: int) -> BaseProcess:
        self._started_at[worker] = time.monotonic()
        process = multiprocessing.get_context("spawn").Process(
            target=_work,
            args=(self._config, self._folder, worker, os.getpid(), self._niceness),
            name=f"collector-{worker}",
            daemon=True,
        )
        process.start()
        return process

    def _keep_alive(self) -> None:
        while not self._ending.wait(POLL_S):
            for worker, process in enumerate(self._processes):
                if process.exitcode is None or self._at_once[worker] >= MOST_AT_ONCE:
                    continue
                lived_s = time.monotonic() - self._started_at[worker]
                self._at_once[worker] = self._at_once[worker] + 1 if lived_s < AT_ONCE_S else 0
                LOG.warning("%s ended with %s; see %s", process.name, process.exitcode, _log_path(self._folder))
                if self._at_once[worker] < MOST_AT_ONCE and not self._ending.wait(RESTART_AFTER_S):
                    self._processes[worker] = self._start(worker)


def start_collectors(config: CollectorConfig, folder: Path, workers: int = 1, *, niceness: int = 0) -> Collectors:
    """Start processes that collect into `folder` until `stop`, or until this process is gone.

    niceness: added to theirs, where the trainer is to come first. Why one crashed is told in folder/collectors.log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return Collectors(config, folder, workers, niceness)


def _work(config: CollectorConfig, folder: Path, worker: int, parent: int, niceness: int) -> None:
    """The life of one collector."""
    os.nice(niceness)
    try:
        collect(config, folder, worker, lambda: os.getppid() != parent)
    except Exception:
        with _log_path(folder).open("a") as log:
            log.write(f"{time.strftime('%FT%TZ', time.gmtime())} collector {worker}\n{traceback.format_exc()}\n")
        raise SystemExit(1) from None


def _log_path(folder: Path) -> Path:
    return folder / "collectors.log"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m executor.learning.collector",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--frames", type=int, default=5000, help="how many to collect")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; a policy in it drives, too")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    console, config, start = Console(), CollectorConfig(seed=options.seed), time.monotonic()
    with Progress(console=console) as progress:
        task = progress.add_task("frames", total=options.frames)

        def show(frames: int) -> None:
            progress.update(task, completed=frames)

        if options.workers == 1:
            tally = _collect_here(config, options.out, options.frames, show)
            frames = tally.frames
        else:
            tally, frames = None, _collect_beside(config, options.out, options.frames, options.workers, show)
    seconds = time.monotonic() - start
    console.print(f"{frames} frames in {seconds:.0f} s: {frames / seconds:.1f} a second")
    if tally is not None:
        console.print(_table(tally))


def _collect_here(config: CollectorConfig, folder: Path, frames: int, show: Callable[[int], None]) -> Tally:
    tally = Tally()

    def stop() -> bool:
        show(tally.frames)
        return False

    return collect(config, folder, 0, stop, frames, tally=tally)


def _collect_beside(
    config: CollectorConfig, folder: Path, frames: int, workers: int, show: Callable[[int], None]
) -> int:
    store = FrameStore(folder / "frames", LAYOUT.dtype, 1)
    before, collectors = store.frames(), start_collectors(config, folder, workers)
    try:
        while (now := store.frames() - before) < frames:
            show(now)
            collectors.check()
            time.sleep(POLL_S)
    finally:
        collectors.stop()
    return now


def _table(tally: Tally) -> Table:
    table = Table(title=f"{tally.worlds} worlds")
    for column in ("skill", "driver", "ended", "runs"):
        table.add_column(column)
    for (skill, kind, ended), count in sorted(tally.parts.items()):
        table.add_row(skill, ("expert", "noisy expert", "policy")[kind], ended, str(count))
    return table


if __name__ == "__main__":
    main()
