"""How long the rest of a suite will take: from the seconds of the episodes that have ended, arm by arm.

Not for: single skills, or running anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from forehand.studies.tabletop_page import Arm

PRIOR_S: Mapping[str, float] = {"expert": 5.0, "rt2": 20.0}  # an episode, before one was timed; rt2 renders pictures
FAULTS_COST = 1.5  # more attempts; until an arm with faults was timed itself


class SuiteClock:
    """Each arm has so many episodes, `workers` of which run at a time."""

    def __init__(self, arms: Sequence[Arm], episodes: int, workers: int) -> None:
        self._seconds: dict[Arm, list[float]] = {arm: [] for arm in arms}
        self._episodes, self._workers = episodes, workers

    def add(self, arm: Arm, seconds: float) -> None:
        """An episode of this arm has ended."""
        self._seconds[arm].append(seconds)

    def done(self, arm: Arm) -> int:
        return len(self._seconds[arm])

    def left_s(self) -> float:
        """Expected seconds until all arms are through."""
        return sum((self._episodes - self.done(arm)) * self._expected_s(arm) for arm in self._seconds) / self._workers

    def _expected_s(self, arm: Arm) -> float:
        """Its own mean, else that of arms of the same policy, else a guess."""
        if self._seconds[arm]:
            return fmean(self._seconds[arm])
        alike = [s for other, times in self._seconds.items() if other.policy == arm.policy for s in times]
        mean = fmean(alike) if alike else PRIOR_S[arm.policy]
        return mean * (1.0 if arm.faults == "none" else FAULTS_COST)
