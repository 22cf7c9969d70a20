"""The Policy protocol: observation and skill sentence → a chunk of RT-2 actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from robots.robot import Action, Observation
from skills.skill import SkillCall


class Policy(Protocol):
    """Drives one skill at a time. `cameras` names the images it needs; empty for a policy that needs none."""

    name: str
    cameras: tuple[str, ...]

    def begin(self, call: SkillCall, sentence: str) -> None:
        """A new skill call starts; forget the last one."""
        ...

    def act(self, observation: Observation) -> Sequence[Action]:
        """At least one action, to be executed in order, one per control step. A long chunk is cut (skill_executor)."""
        ...
