"""Watcher: whoever looks on at a run (terminal view, video, a study) without being able to harm it.

Not for: the event log, which is no onlooker: a run that cannot write its log must not go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from executor.skill_executor import ControlStep
from forehand.events import Event

if TYPE_CHECKING:
    from forehand.workplace import Workplace


class Watcher:
    """Override what you need. An exception in any method is reported once as `part_failed`; the watcher is dropped.

    wants_control_steps: True to be called at each control step (0.1 s); it costs nothing where nobody wants it.
    """

    name: str = "watcher"
    wants_control_steps: bool = False

    def attach(self, workplace: Workplace) -> None:
        """Before the first event: the world, robot and library of this run, to look at, never to change."""

    def on_event(self, event: Event) -> None:
        """After the event is on disk, before its effect."""

    def on_control_step(self, step: ControlStep) -> None:
        """After the robot took the step."""

    def close(self) -> None:
        """After the last event, also when the run was stopped."""
