"""This process while it trains: threads, memory, Ctrl-C, and children that Ctrl-C does not reach.

Not for: what is trained (forehand.training.run).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType

# glibc's mallopt: a step's tensors would go back to the kernel and come again, page by page, at every step
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES = {M_MMAP_THRESHOLD: 1_000_000_000, M_TRIM_THRESHOLD: 2_000_000_000, M_TOP_PAD: 100_000_000}


@contextmanager
def prepared_for_training() -> Iterator[None]:
    """One thread (two beside a collector are slower than one), no denormal numbers meanwhile, memory that is kept."""
    import torch

    use_threads(1)
    keep_memory()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def use_threads(count: int) -> None:
    """So many for one step's arithmetic, but no more than there are cores."""
    import torch

    torch.set_num_threads(max(1, min(count, len(os.sched_getaffinity(0)))))


def keep_memory() -> bool:
    """Whether the C library could be told to keep freed memory for the next step; only glibc can."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(option, value) == 1 for option, value in KEPT_BYTES.items())


class Stop:
    """Says when a person wants the training to stop: the first Ctrl-C asks, a second one interrupts."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked

    @contextmanager
    def on_ctrl_c(self) -> Iterator[Stop]:
        def asked(_number: int, _frame: FrameType | None) -> None:
            if self.asked:
                raise KeyboardInterrupt
            self.asked = True

        before = signal.signal(signal.SIGINT, asked)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)


@contextmanager
def children_deaf_to_ctrl_c() -> Iterator[None]:
    """Processes and threads begun in here, and their children, never get a Ctrl-C: whoever began them ends them."""
    resource_tracker.ensure_running()  # it would change the mask when the first child makes it start
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
