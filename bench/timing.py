"""Interleaved timing: every round runs each case once in turn, so that whatever slows the machine slows all alike.

Processor time of this thread, not time on the wall: no case uses another thread or waits for anything, and what else
the machine does then counts less.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from statistics import median, quantiles

from bench.cases import Case

WARM_UP = 2


def interleaved_ms(cases: Mapping[str, Case], rounds: Iterable[int]) -> dict[str, list[float]]:
    """Milliseconds of each case, one per round; the first WARM_UP rounds (0, 1) do not count."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for turn in rounds:
        for name, case in cases.items():
            start = time.thread_time()
            case()
            if turn >= WARM_UP:
                times[name].append(1000.0 * (time.thread_time() - start))
    return times


def typical(values: list[float]) -> float:
    return median(values)


def middle_half(values: list[float]) -> tuple[float, float]:
    """First and third quartile."""
    low, _, high = quantiles(values, n=4)
    return low, high
