"""EventLog: stamps each event, writes it to events.jsonl, and only then tells the onlookers.

An event is one line, written with one system call before its effect takes place: a process killed at any moment leaves
every event whole, or a torn last line that `read_log` takes away. What cannot be written ends the run.
Not for: what events there are (forehand.events), the rest of the run folder (forehand.runs).
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from executor.skill_executor import ControlStep, OnControlStep
from forehand.events import EVENT, Checkpointed, Event, PartFailed, Resumed, RunEnded, RunStarted
from forehand.watching import Watcher

if TYPE_CHECKING:
    from forehand.workplace import Workplace

MUST_SURVIVE_POWER_LOSS = (RunStarted, Checkpointed, Resumed, RunEnded)


class RunFolderError(ValueError):
    """A run folder that cannot be written or read; the message says what was expected. Exit code 2."""


class EventLog:
    """The one place where events come into being. path=None keeps them in memory only (`events`).

    clock: Unix seconds. robot_clock: seconds of robot time, None while there is none.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        clock: Callable[[], float],
        robot_clock: Callable[[], float | None] = lambda: None,
        earlier: Sequence[Event] = (),
    ) -> None:
        """earlier: what the log holds already. Raises RunFolderError."""
        self.events: list[Event] = list(earlier)
        self._path, self.clock, self._robot_clock = path, clock, robot_clock
        self._watchers: list[Watcher] = []
        self.unattached: list[PartFailed] = []  # told after the first event, which opens the run
        self._file = _open(path) if path is not None else None

    def attach(self, watchers: Sequence[Watcher], workplace: Workplace) -> None:
        """From now on they hear of every event. One that cannot be attached is told and left out."""
        for watcher in watchers:
            try:
                watcher.attach(workplace)
            except Exception as error:
                self.unattached.append(part_failed(watcher.name, error))
            else:
                self._watchers.append(watcher)

    @property
    def last_seq(self) -> int:
        return self.events[-1].seq if self.events else 0

    def emit(self, event: Event) -> Event:
        """Stamps, writes, tells the watchers; returns the stamped event. Raises RunFolderError where it cannot."""
        stamp = {"seq": self.last_seq + 1, "wall_time_s": self.clock(), "robot_time_s": self._robot_clock()}
        stamped = event.model_copy(update=stamp)
        if self._file is not None:
            line = (stamped.model_dump_json(by_alias=True) + "\n").encode()
            _append(self._file, line, self._path, sync=isinstance(event, MUST_SURVIVE_POWER_LOSS))
        self.events.append(stamped)
        self._tell(lambda watcher: watcher.on_event(stamped))
        while self.unattached:
            self.emit(self.unattached.pop(0))
        return stamped

    @property
    def on_control_step(self) -> OnControlStep | None:
        """What the executor is to call at each control step; None where nobody wants to know."""
        if not any(watcher.wants_control_steps for watcher in self._watchers):
            return None
        return self._control_step

    def _control_step(self, step: ControlStep) -> None:
        self._tell(lambda watcher: watcher.on_control_step(step) if watcher.wants_control_steps else None)

    def _tell(self, what: Callable[[Watcher], None]) -> None:
        """A watcher that raises is dropped; the run goes on. The others hear of it after they heard the rest."""
        failures: list[PartFailed] = []
        for watcher in tuple(self._watchers):
            try:
                what(watcher)
            except Exception as error:
                self._watchers.remove(watcher)
                failures.append(part_failed(watcher.name, error))
        for failure in failures:
            self.emit(failure)

    def close(self) -> None:
        """Closes the file and the watchers."""
        for watcher in self._watchers:
            try:
                watcher.close()
            except Exception as error:
                self.events.append(part_failed(watcher.name, error))
        self._watchers.clear()
        if self._file is not None:
            os.close(self._file)
            self._file = None


def part_failed(part: str, error: BaseException) -> PartFailed:
    """The event of an exception: one line for people, the trace for developers."""
    trace = "".join(traceback.format_exception(error)[-6:])
    return PartFailed(part=part, reason=said(error), trace=trace)


def said(error: BaseException) -> str:
    """An exception in one line; its class only where its message says nothing."""
    text = " ".join(str(error).split())
    return text if text and not isinstance(error, KeyError) else f"{type(error).__name__}: {text}".rstrip(": ")


@dataclass(frozen=True)
class LogRead:
    """What a log file holds. torn_bytes: length of a last line that was cut off while being written."""

    events: tuple[Event, ...]
    torn_bytes: int = 0


def read_log(path: Path) -> LogRead:
    """The events of a log file. Raises RunFolderError naming the line that is no event, or out of sequence."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be read: {error.strerror}") from error
    *lines, tail = content.split(b"\n")
    events: list[Event] = []
    for number, line in enumerate(lines, start=1):
        events.append(_read_line(path, number, line, after=events[-1].seq if events else 0))
    return LogRead(tuple(events), torn_bytes=len(tail))


def cut_torn_line(path: Path, torn_bytes: int) -> None:
    """Takes a half-written last line away, so that the next event starts a line of its own."""
    os.truncate(path, path.stat().st_size - torn_bytes)


def _read_line(path: Path, number: int, line: bytes, after: int) -> Event:
    try:
        event = EVENT.validate_json(line)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise RunFolderError(f"{path}, line {number}: corrupt, expected one event as JSON: {reason}") from error
    if event.seq != after + 1:
        raise RunFolderError(f"{path}, line {number}: corrupt, expected seq {after + 1}, found {event.seq}")
    return event


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be written: {error.strerror}") from error


def _append(file: int, line: bytes, path: Path | None, *, sync: bool) -> None:
    size = os.fstat(file).st_size
    try:
        written = os.write(file, line)
        if written < len(line):  # the disk is all but full
            raise OSError(28, "no space left on the device")
        if sync:
            os.fsync(file)
    except OSError as error:
        _shorten(file, size)
        raise RunFolderError(f"{path}: an event could not be written: {error.strerror}") from error


def _shorten(file: int, size: int) -> None:
    try:
        os.ftruncate(file, size)
    except OSError:
        return  # a device or a disk that is gone: nothing more can be done, and the write's own error is told
