"""Two arms on the same cases: how much more often one succeeds, with an interval that uses that they are paired.

Not for: rates of one arm (skills.rates).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from skills.rates import Rate


@dataclass(frozen=True)
class Difference:
    """Success of the first arm minus that of the second over n pairs; low, high: 95 %. Shares, not points."""

    n: int
    only_first: int
    only_second: int
    value: float
    low: float
    high: float

    @property
    def direction(self) -> int:
        """1 or -1 where the interval leaves out zero, else 0."""
        return (self.low > 0) - (self.high < 0)


def paired_difference(pairs: Iterable[tuple[bool, bool]]) -> Difference:
    """The difference with Newcombe's hybrid score interval for paired proportions.

    Method 10 of Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
    paired data", Statistics in Medicine 17 (1998) 2635. Raises ValueError where there is no pair.
    """
    counts = {(a, b): 0 for a in (True, False) for b in (True, False)}
    for pair in pairs:
        counts[pair] += 1
    both, first, second, neither = (counts[k] for k in ((True, True), (True, False), (False, True), (False, False)))
    n = both + first + second + neither
    if not n:
        raise ValueError("no pairs to compare")
    rates = Rate.of(both + first, n), Rate.of(both + second, n)
    (p1, (l1, u1)), (p2, (l2, u2)) = (((rate.rate or 0.0), rate.wilson95) for rate in rates)
    phi = _correlation(both, first, second, neither)
    value = p1 - p2
    below = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    low, high = value - sqrt(max(0.0, below)), value + sqrt(max(0.0, above))
    return Difference(n, first, second, value, max(-1.0, low), min(1.0, high))


def _correlation(both: int, first: int, second: int, neither: int) -> float:
    """The phi coefficient, a positive one corrected for continuity."""
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if not margins:
        return 0.0
    cross = float(both * neither - first * second)
    if cross > 0:
        cross = max(0.0, cross - (both + first + second + neither) / 2)
    return cross / sqrt(margins)
