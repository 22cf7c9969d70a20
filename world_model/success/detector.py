"""The SuccessDetector protocol: what judges a step.

Not for: what follows from a verdict (planner.recovery).
"""

from __future__ import annotations

from typing import Protocol

from skills.skill import SkillCall
from world_model.results import Verdict
from world_model.scene import Scene


class SuccessDetector(Protocol):
    """Judges one carried-out skill call by the scene before and after it; keeps no state between calls."""

    @property
    def name(self) -> str: ...

    def judge(self, call: SkillCall, before: Scene, after: Scene, *, attempt: int = 1) -> Verdict:
        """attempt: the how-many-eth time this very call is judged in the run, 1 for the first.

        Raises SkillCallError for a skill that is not in the library.
        """
        ...
