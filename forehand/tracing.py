"""TraceRecorder: writes where everything was after each control step, so that a video can be drawn afterwards.

Not for: the format (robots.tabletop.trace) or the pictures (forehand.pictures).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from executor.skill_executor import ControlStep
from forehand.watching import Watcher
from robots.tabletop.trace import TraceWriter, frame_of
from robots.tabletop.world import TabletopWorld

if TYPE_CHECKING:
    from forehand.workplace import Workplace

TRACE = "trace.jsonl"


class TraceRecorder(Watcher):
    """Records the world of a run into its folder."""

    name = "trace"
    wants_control_steps = True

    def __init__(self, folder: Path) -> None:
        self._path = folder / TRACE
        self._world: TabletopWorld | None = None
        self._writer: TraceWriter | None = None

    def attach(self, workplace: Workplace) -> None:
        self._world = workplace.world

    def on_control_step(self, step: ControlStep) -> None:  # noqa: ARG002
        assert self._world is not None
        if self._writer is None:  # the folder is there once the first event is written
            self._writer = TraceWriter(self._path)
        self._writer.write(frame_of(self._world))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
