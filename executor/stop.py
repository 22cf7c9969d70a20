"""StopToken: how a person, a signal or a study stops a run; looked at before every control step.

Not for: stopping the robot itself (Robot.stop) or the limits of the safety envelope (robots.safety).
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class StopToken:
    """Set from any thread or signal handler; once set it stays set. `reason` says who asked."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._reason = ""
        self._halts: list[Callable[[str], None]] = []

    def halts(self, halt: Callable[[str], None]) -> None:
        """`halt(reason)` is called when the token is set: for what runs long without a look at the token."""
        self._halts.append(halt)

    def set(self, reason: str) -> None:
        """Ask for a stop. The first reason is kept."""
        if not self._event.is_set():
            self._reason = reason
            self._event.set()
            for halt in self._halts:
                halt(reason)

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    @property
    def reason(self) -> str:
        return self._reason
