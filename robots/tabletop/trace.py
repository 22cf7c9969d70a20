"""The trace of a run: joints and object poses after each control step, one JSON line each.

Written while the run goes on and flushed line by line, so that a video can be drawn at any time, also of a run that
was killed. A run that is resumed goes back to its last snapshot: frames recorded again replace those after it.
Not for: pictures (video) or exact snapshots (world); poses are rounded to a hundredth of a millimetre.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from robots.robot import Quaternion, Vector3
from robots.tabletop.world import TabletopWorld

DIGITS = 5


class TraceError(ValueError):
    """A trace that cannot be read; the message names file and line."""


@dataclass(frozen=True)
class TracedObject:
    """Category as in ObjectState, centre (m) and orientation."""

    category: str
    position_m: Vector3
    orientation: Quaternion


@dataclass(frozen=True)
class TraceFrame:
    """What a renderer needs of one moment. joints_rad: seven of the arm. slides: drawer and button, metres."""

    time_s: float
    joints_rad: tuple[float, ...]
    gripper_opening_m: float
    objects: Mapping[str, TracedObject]
    slides: Mapping[str, float]
    lamp: bool | None


def frame_of(world: TabletopWorld) -> TraceFrame:
    """The world as it stands now."""
    state, body = world.physical_state(), world.proprioception()
    objects = {o.name: TracedObject(o.category, o.position_m, o.orientation) for o in state.objects.values()}
    return TraceFrame(
        state.time_s,
        body.joint_positions_rad,
        body.gripper_opening_m,
        objects,
        dict(state.joints),
        state.switches.get("lamp"),
    )


class TraceWriter:
    """Appends frames to a file; a line torn by a kill is cut off first. Use as a context manager, or `close()`."""

    def __init__(self, path: Path) -> None:
        _cut_torn_line(path)
        self._file: IO[str] = path.open("a", encoding="utf-8")

    def write(self, frame: TraceFrame) -> None:
        self._file.write(json.dumps(_to_json(frame), separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_trace(path: Path) -> list[TraceFrame]:
    """All frames in the order of time. A torn last line is left out; raises TraceError for any other broken line."""
    lines = path.read_text(encoding="utf-8").split("\n")
    frames: list[TraceFrame] = []
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last line break is torn, or nothing
        try:
            frame = _from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise TraceError(f"{path}, line {number}: not a trace frame ({error})") from error
        while frames and frames[-1].time_s >= frame.time_s:
            frames.pop()
        frames.append(frame)
    return frames


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)


def _to_json(frame: TraceFrame) -> dict[str, Any]:
    return {
        "t": round(frame.time_s, DIGITS),
        "q": _rounded(frame.joints_rad),
        "g": round(frame.gripper_opening_m, DIGITS),
        "o": {n: [o.category, *_rounded((*o.position_m, *o.orientation))] for n, o in frame.objects.items()},
        "s": {name: round(value, DIGITS) for name, value in frame.slides.items()},
        "l": frame.lamp,
    }


def _from_json(record: Mapping[str, Any]) -> TraceFrame:
    objects = {
        name: TracedObject(str(o[0]), (o[1], o[2], o[3]), (o[4], o[5], o[6], o[7])) for name, o in record["o"].items()
    }
    return TraceFrame(
        float(record["t"]), tuple(record["q"]), float(record["g"]), objects, dict(record["s"]), record["l"]
    )


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(v, DIGITS) for v in values]
