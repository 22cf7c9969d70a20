"""The frames folder as collectors see it: gathering shards, how much there is, and making room.

Not for: reading frames for training (rt2.training.frames.ShardReader).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from executor.learning.drivers import POLICY
from rt2.training.frames import write_shard

WORKER_EPISODES = 10**9  # numbers of a frame's `episode` that a worker has for itself


class FrameStore:
    """One worker's way into a folder of shards."""

    def __init__(self, folder: Path, dtype: np.dtype[Any], shard_frames: int) -> None:
        self._folder, self._dtype = folder, dtype
        self._gathered: NDArray[Any] = np.zeros(shard_frames, dtype)
        self._count = 0
        self._kept: set[str] = set()  # shards known to be of the expert alone

    def add(self, fields: Mapping[str, Any], episode: int) -> None:
        """One more frame; a full shard is written. Raises ValueError for text that would be cut."""
        frame = self._gathered[self._count]
        for name, value in fields.items():
            if isinstance(value, bytes) and len(value) > self._dtype[name].itemsize:
                raise ValueError(f"a frame's {name} has at most {self._dtype[name].itemsize} bytes: {value!r}")
            frame[name] = value
        frame["episode"] = episode
        self._count += 1
        if self._count == len(self._gathered):
            self.flush()

    def flush(self) -> None:
        """Write what has been gathered; it need not be a whole shard."""
        if self._count:
            write_shard(self._folder, self._gathered[: self._count])
            self._count = 0

    def frames(self) -> int:
        """Frames in all shards of all workers, told from the files' sizes."""
        return sum(size for _, _, size in self._shards())

    def make_room(self, most_frames: int) -> None:
        """Delete the oldest shards in which a policy drove, until no more than so many frames are left.

        What the expert showed before there was a policy stays. A reader that has a shard mapped keeps what it maps.
        """
        shards = sorted(self._shards())
        excess = sum(size for *_, size in shards) - most_frames
        for _, path, size in shards:
            if excess <= 0:
                return
            if path.name in self._kept:
                continue
            with suppress(FileNotFoundError):  # another worker has just made room
                if not self._is_of_policy(path):
                    self._kept.add(path.name)
                    continue
                path.unlink()
            excess -= size

    def _is_of_policy(self, path: Path) -> bool:
        return bool((open_memmap(path, mode="r")["driver"] == POLICY).any())

    def _shards(self) -> list[tuple[float, Path, int]]:
        """Time of writing, path and frames of each shard."""
        if not self._folder.is_dir():
            return []
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(".npy"):
                    with suppress(FileNotFoundError):  # another worker has just made room
                        stat = entry.stat()
                        found.append((stat.st_mtime, Path(entry.path), stat.st_size // self._dtype.itemsize))
        return found
