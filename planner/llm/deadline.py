"""Waiting for a blocking call no longer than allowed, and stopping to wait when told.

The call runs on a daemon thread, so that Ctrl-C reaches the waiting thread at once and nothing a server does (a name
look-up that hangs, headers that drip) outlasts the deadline. What comes after it is dropped.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")
_SLICE_S = 0.05


class DeadlineError(TimeoutError):
    """The call did not return in time."""


class CancelledError(RuntimeError):
    """Somebody set the `cancelled` event."""


def call_within(call: Callable[[], T], seconds: float, cancelled: threading.Event) -> T:
    """call()'s result or exception. Raises DeadlineError after `seconds`, CancelledError when told to stop."""
    results: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put((call(), None))
        except BaseException as error:  # handed to the waiting thread whole
            results.put((None, error))

    threading.Thread(target=work, name="language-model call", daemon=True).start()
    give_up_s = time.monotonic() + seconds
    while True:
        left_s = give_up_s - time.monotonic()
        if left_s <= 0:
            raise DeadlineError(f"no answer within {seconds:g} s")
        if cancelled.is_set():
            raise CancelledError("stopped")
        with contextlib.suppress(queue.Empty):
            result, error = results.get(timeout=min(_SLICE_S, left_s))
            break
    if error is not None:
        raise error
    return cast(T, result)
