"""Rates: k of n with Wilson's interval. Not for: what is counted."""

from __future__ import annotations

from math import sqrt

from pydantic import BaseModel, ConfigDict

Z95 = 1.959963984540054


class Rate(BaseModel):
    """k of n, with Wilson's 95 % score interval (Wilson 1927), which stays inside [0, 1] at k = 0 and k = n."""

    model_config = ConfigDict(frozen=True)

    n: int
    k: int
    rate: float | None  # None where n is 0
    wilson95: tuple[float, float]

    @classmethod
    def of(cls, k: int, n: int) -> Rate:
        """Raises ValueError unless 0 <= k <= n."""
        if not 0 <= k <= n:
            raise ValueError(f"expected 0 <= k <= n, got k={k}, n={n}")
        if n == 0:
            return cls(n=0, k=0, rate=None, wilson95=(0.0, 1.0))
        p, z2 = k / n, Z95**2
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return cls(n=n, k=k, rate=p, wilson95=(max(0.0, centre - half), min(1.0, centre + half)))

    def __str__(self) -> str:
        if self.rate is None:
            return "none"
        low, high = self.wilson95
        return f"{self.k}/{self.n} = {self.rate:.1%} [{low:.1%}, {high:.1%}]"
