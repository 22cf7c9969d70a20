"""Frames: the record of one training moment of robot data, and the shard files that collectors and trainer share.

A shard is one .npy file of a structured array; it appears under its name only when it is whole, so that a reader and a
writer need no lock and a killed writer leaves nothing half-written. Not for: exchange with others (skills.dataset).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

CELL_PIXELS = 8  # side of the square of a picture that one cell of a label grid stands for
IGNORED_CELL = 255
ACTION_SIZE = 8
SENTENCE_BYTES = 160
SCENE_EPISODES = 100  # so many numbers of `episode` in a row are of one scene
HELD_OUT_EVERY = 50  # of so many scenes one is never learned from, and tells what was only learned by heart

Frames = NDArray[Any]


@dataclass(frozen=True)
class FrameLayout:
    """What a frame of one training run holds.

    cameras: name → (width, height) in pixels, multiples of CELL_PIXELS. state: names of the proprioceptive entries.
    auxiliary: names of the numbers that the model learns to tell beside the action. cell_names: what the numbers in the
    label grids stand for.
    """

    cameras: Mapping[str, tuple[int, int]]
    state: Sequence[str]
    auxiliary: Sequence[str]
    cell_names: Sequence[str]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The structured dtype. For each camera CAM:

        image.CAM (h, w, 3) uint8; point.CAM (3,) float32: target's visible centre (x, y in 0..1 of the picture) and 1
        where it is visible, else 0; cells.CAM (h/8, w/8) uint8: index into cell_names of what covers most of the cell,
        IGNORED_CELL for unknown. Then state (S,) float32; action (8,) float32: what the expert would do (terminate, m,
        rad, closedness); auxiliary (A,) float32, NaN where it does not apply; sentence and skill as bytes;
        episode, step; driver: 0 expert, 1 noisy expert, 2 policy.
        """
        fields: list[tuple[Any, ...]] = []
        for name, (width, height) in self.cameras.items():
            fields += [
                (f"image.{name}", np.uint8, (height, width, 3)),
                (f"point.{name}", np.float32, (3,)),
                (f"cells.{name}", np.uint8, (height // CELL_PIXELS, width // CELL_PIXELS)),
            ]
        fields += [
            ("state", np.float32, (len(self.state),)),
            ("action", np.float32, (ACTION_SIZE,)),
            ("auxiliary", np.float32, (len(self.auxiliary),)),
            ("sentence", f"S{SENTENCE_BYTES}"),
            ("skill", "S24"),
            ("episode", np.int64),
            ("step", np.int32),
            ("driver", np.uint8),
        ]
        return np.dtype(fields)


def write_shard(folder: Path, frames: Frames) -> Path:
    """Put frames into a new shard file of `folder`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{uuid.uuid4().hex}.npy"
    whole, partial = folder / name, folder / f".{name}.partial"
    with partial.open("wb") as file:
        np.save(file, frames)
    os.replace(partial, whole)
    return whole


class ShardReader:
    """All frames of a folder's shards, memory-mapped; `refresh` finds those that have appeared since, and lets go of
    those that were deleted. dropped: how many frames were. Batches hold no frames of the scenes that are held out."""

    def __init__(self, folder: Path, dtype: np.dtype[Any]) -> None:
        self._folder, self._dtype = folder, dtype
        self._shards: dict[str, Frames] = {}  # in order of appearance
        self._ordered: list[Frames] = []
        self._ends: NDArray[np.int64] = np.zeros(0, np.int64)
        self._held_out: dict[str, NDArray[np.bool_]] = {}  # of each shard's frames
        self._to_learn, self._to_test = _NO_PLACES, _NO_PLACES
        self.dropped = 0

    def refresh(self) -> int:
        """Number of frames there are now. Raises ValueError for a shard of another layout."""
        there = self._names()
        for name in [name for name in self._shards if name not in there]:
            self.dropped += len(self._shards.pop(name))
        for name in sorted(there.keys() - self._shards.keys(), key=lambda n: (there[n], n)):
            shard = self._opened(self._folder / name)
            if shard is not None:
                self._shards[name] = shard
        self._ordered = list(self._shards.values())
        self._ends = np.cumsum([len(s) for s in self._ordered], dtype=np.int64)
        known = self._held_out
        self._held_out = {
            name: known[name] if name in known else _is_held_out(shard) for name, shard in self._shards.items()
        }
        held_out = np.concatenate([np.zeros(0, np.bool_), *self._held_out.values()])
        self._to_learn, self._to_test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        return len(self)

    def _names(self) -> dict[str, int]:
        """Name of each shard file → when it was written, in nanoseconds."""
        there: dict[str, int] = {}
        for path in self._folder.glob("*.npy"):
            with suppress(FileNotFoundError):  # a collector has just made room
                there[path.name] = path.stat().st_mtime_ns
        return there

    def _opened(self, path: Path) -> Frames | None:
        try:
            shard = open_memmap(path, mode="r")
        except FileNotFoundError:
            return None
        if shard.dtype != self._dtype:
            raise ValueError(f"{path}: frames of another layout; expected {self._dtype}, found {shard.dtype}")
        return shard

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """(count,) places of frames for a batch, each frame as likely as any other."""
        return _drawn(self._to_learn, rng, count)

    def draw_held_out(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """(count,) places of frames of the scenes that are held out; (0,) where there are none."""
        return _drawn(self._to_test, rng, count)

    def take(self, indices: NDArray[np.int64]) -> Frames:
        """(n,) frames by their place in order of appearance, copied out of the files."""
        shard_of = np.searchsorted(self._ends, indices, side="right")
        starts = np.concatenate(([0], self._ends[:-1]))
        taken = np.empty(len(indices), self._dtype)
        for k, (index, shard) in enumerate(zip(indices, shard_of, strict=True)):
            taken[k] = self._ordered[shard][index - starts[shard]]
        return taken


class FavouringReader(ShardReader):
    """A reader whose batches hold a share of frames of certain skills, however few those are; the rest are of all.

    share: of each batch, as soon as there are such frames.
    """

    def __init__(self, folder: Path, dtype: np.dtype[Any], skills: Sequence[str], share: float) -> None:
        super().__init__(folder, dtype)
        self._skills, self._share = np.array([skill.encode() for skill in skills]), share
        self._own: dict[str, NDArray[np.int64]] = {}  # places within each shard
        self._favoured: NDArray[np.int64] = np.zeros(0, np.int64)

    def refresh(self) -> int:
        count = super().refresh()
        own = {name: self._places(name, shard) for name, shard in self._shards.items()}
        starts = np.concatenate(([0], self._ends[:-1])) if own else ()
        places = [start + own[name] for start, name in zip(starts, self._shards, strict=True)]
        self._own, self._favoured = own, np.concatenate(places) if places else np.zeros(0, np.int64)
        return count

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """(count,) places of frames, a share of them of the favoured skills."""
        drawn = super().draw(rng, count)
        if len(self._favoured):
            chosen = rng.random(count) < self._share
            drawn[chosen] = _drawn(self._favoured, rng, int(chosen.sum()))
        return drawn

    def _places(self, name: str, shard: Frames) -> NDArray[np.int64]:
        known = self._own.get(name)
        if known is not None:
            return known
        return np.flatnonzero(np.isin(shard["skill"], self._skills) & ~self._held_out[name])


_NO_PLACES: NDArray[np.int64] = np.zeros(0, np.int64)


def _is_held_out(shard: Frames) -> NDArray[np.bool_]:
    return np.asarray(shard["episode"] // SCENE_EPISODES % HELD_OUT_EVERY == HELD_OUT_EVERY - 1)


def _drawn(places: NDArray[np.int64], rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    return places[rng.integers(0, len(places), count)] if len(places) else places
