"""RunFolder: what a run leaves on disk, and what another process needs to go on with it.

    run.json         the configuration, resolved: the scene and graph stand in it, not where to find them
    events.jsonl     every event, append-only; the one truth that result, report and replay are read from
    snapshots/N.json the whole run as it stood right after event N; the newest two are kept
    result.json      the result object, once the run has ended
    lock             held by the process that runs it

Pictures, trace and report are put beside these by their own rooms.
Not for: what is in a snapshot (forehand.assembly gathers each part's).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from forehand.config import RunConfig
from forehand.event_log import LogRead, RunFolderError, cut_torn_line, read_log
from forehand.events import Event
from forehand.results import RunResult

NEEDED_BYTES = 20_000_000  # a long run with its video is about half of that
SNAPSHOTS_KEPT = 2  # the newest may be half on its way to the disk when the power goes

LOG = "events.jsonl"


@dataclass(frozen=True)
class Found:
    """What a folder holds of a run that has not ended. from_seq: the event right after which `snapshot` was taken.

    snapshot is None (and from_seq 0) where the run was killed before the first. note: what had to be mended.
    """

    events: tuple[Event, ...]
    from_seq: int
    snapshot: Any
    note: str = ""


@contextmanager
def reading_snapshot(found: Found) -> Iterator[None]:
    """What a part cannot read of its snapshot becomes a RunFolderError: another version wrote it, or it is broken."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).partition("\n")[0]
        raise RunFolderError(f"snapshot {snapshot_name(found.from_seq)} cannot be restored: {reason}") from error


class RunFolder:
    """One run's folder, locked by this process; a context manager."""

    def __init__(self, path: Path, lock: int, made: Sequence[Path] = ()) -> None:
        """Use `create` or `open`. made: the folders that this run brought into being."""
        self.path = path
        self._lock = lock
        self._made = list(made)

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> RunFolder:
        """A new folder with its run.json. Raises RunFolderError, and then leaves nothing behind."""
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            found = (
                "not empty; name a new folder, or `forehand resume` it" if path.is_dir() else "a file; name a folder"
            )
            raise RunFolderError(f"{path}: is {found}")
        made = _missing_parents(path)
        try:
            (path / "snapshots").mkdir(parents=True)
            _check_space(path)
            write_atomically(path / "run.json", config.model_dump_json(indent=1, by_alias=True).encode())
            return cls(path, _lock(path), made)
        except (OSError, RunFolderError) as error:
            _remove(path, made)
            if isinstance(error, RunFolderError):
                raise
            raise RunFolderError(f"{path}: cannot be written: {error.strerror}") from error

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing folder, to go on with. Raises RunFolderError, also where another process runs it."""
        if not (path / "run.json").is_file():
            raise RunFolderError(f"{path}: no run folder (it has no run.json)")
        _check_space(path)
        return cls(path, _lock(path))

    @property
    def log_path(self) -> Path:
        return self.path / LOG

    def config(self) -> RunConfig:
        """Raises RunFolderError where run.json is not what a run writes."""
        return read_config(self.path)

    def found(self) -> Found:
        """The run so far, to go on with; a torn last line is cut off. Raises RunFolderError where it is corrupt."""
        read = read_log(self.log_path) if self.log_path.exists() else LogRead(())
        if read.torn_bytes:
            cut_torn_line(self.log_path, read.torn_bytes)
        note = f"a half-written last line of {read.torn_bytes} bytes was cut off" if read.torn_bytes else ""
        last_seq = read.events[-1].seq if read.events else 0
        return Found(read.events, *self._newest_snapshot(last_seq), note)

    def save_snapshot(self, seq: int, data: Any) -> None:
        """Writes the snapshot taken right after event `seq`, whole or not at all. Raises RunFolderError."""
        write_atomically(self.path / "snapshots" / snapshot_name(seq), json.dumps(data, allow_nan=False).encode())
        for old in self._snapshots()[:-SNAPSHOTS_KEPT]:
            old.unlink(missing_ok=True)

    def _newest_snapshot(self, last_seq: int) -> tuple[int, Any]:
        """The newest one that can be read and that the log reaches; (0, None) where there is none."""
        found: tuple[int, Any] = (0, None)
        for path in self._snapshots():
            seq = int(path.stem)
            if seq > last_seq:  # its event went with the power; another will come to bear that number
                path.unlink()
                continue
            try:
                found = seq, json.loads(path.read_bytes())
            except (OSError, ValueError):
                continue
        return found

    def write_result(self, result: RunResult) -> None:
        """Raises RunFolderError."""
        write_atomically(self.path / "result.json", result.model_dump_json(indent=2, by_alias=True).encode() + b"\n")

    def discard(self) -> None:
        """Take a run that never began off the disk again."""
        for written in (self.log_path, *self._snapshots()):
            written.unlink(missing_ok=True)
        _remove(self.path, self._made)

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def _snapshots(self) -> list[Path]:
        """Oldest first."""
        return sorted(
            (p for p in (self.path / "snapshots").glob("*.json") if p.stem.isdigit()), key=lambda p: int(p.stem)
        )


def snapshot_name(seq: int) -> str:
    return f"{seq:06d}.json"


def read_config(path: Path) -> RunConfig:
    """The configuration of the run in this folder. Raises RunFolderError."""
    try:
        return RunConfig.model_validate_json((path / "run.json").read_bytes())
    except OSError as error:
        raise RunFolderError(f"{path}: no run folder (run.json cannot be read: {error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RunFolderError(f"{path}/run.json: corrupt at '{where}': {first['msg']}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """The whole file or none of it, also when the power goes. Raises RunFolderError."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunFolderError(f"{path}: cannot be written: {error.strerror}") from error


def _check_space(path: Path) -> None:
    free = shutil.disk_usage(path).free
    if free < NEEDED_BYTES:
        raise RunFolderError(
            f"{path}: the disk is full: {free / 1e6:.1f} MB free, a run needs {NEEDED_BYTES / 1e6:.0f} MB"
        )


def _lock(path: Path) -> int:
    """Held until closed, or until the process is gone, however it went."""
    try:
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise RunFolderError(f"{path}: another process is running it") from error
    return lock


def _missing_parents(path: Path) -> list[Path]:
    """The folders that `create` will have to make, outermost last."""
    return [folder for folder in (path, *path.parents) if not folder.exists()]


def _remove(path: Path, made: list[Path]) -> None:
    """Takes back what `create` made, and nothing else."""
    if not path.is_dir():
        return
    for name in ("run.json", "lock"):
        (path / name).unlink(missing_ok=True)
    for folder in (path / "snapshots", *made):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
