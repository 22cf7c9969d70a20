"""Writes demonstrations as a LeRobot v3.0 dataset, several episodes a file, appending to what is there.

A file's parts are written beside their places and then moved there one by one, info.json last: a writer that is
killed at any moment leaves a dataset that is whole and readable, with or without the last file. What a killed writer
left over is removed by the next. Not for: reading (skills.dataset).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from skills import dataset_statistics as statistics
from skills import dataset_tables as tables
from skills.dataset_episode import Episode
from skills.dataset_format import (
    CAMERA_PREFIX,
    COUNTERS,
    DATA,
    EPISODES,
    INFO,
    STATS,
    TASKS,
    VERSION,
    VIDEO,
    DatasetError,
    Info,
    Number,
    Schema,
    read_info,
)  # fmt: skip
from skills.dataset_records import RECORD_TYPES, EpisodeRow, read_episode_rows, read_statistics
from skills.dataset_video import VIDEO_INFO, write_pictures

EPISODES_PER_FILE = 50  # about 50 MB of pictures in memory
LOCK = ".writing"


@dataclass(frozen=True)
class _Placed:
    """An episode that waits to be written, and where its frames come to lie."""

    episode: Episode
    index: int
    first_frame: int
    first_in_file: int
    columns: Mapping[str, NDArray[Any]]
    statistics: Mapping[str, statistics.Statistics]


class DatasetWriter:
    """Appends episodes to the dataset at `folder`, which is made where there is none. Use as a context manager.

    Leaving the context writes what has been added, also when an exception ends it. Raises DatasetError where the folder
    holds a dataset of another schema, something else, or is being written to by someone else.
    """

    def __init__(self, folder: Path, schema: Schema, *, episodes_per_file: int = EPISODES_PER_FILE) -> None:
        tables.arrow()
        self._folder, self._schema, self._per_file = folder, schema, episodes_per_file
        self._features = schema.features(VIDEO_INFO)
        self._waiting: list[_Placed] = []
        if not (folder / INFO).exists() and any(map(_is_of_somebody, folder.rglob("*"))):
            raise DatasetError(f"{folder} is no LeRobot dataset, and not empty either")
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder)
        self._tasks: dict[int, str] = {}  # sentences by task_index
        self._stats: Mapping[str, statistics.Statistics] = {}
        self._next = 0
        try:
            self._info = self._begin()
        except BaseException:
            self._lock.close()
            raise

    @property
    def total_episodes(self) -> int:
        """Episodes added so far, those of earlier writers included."""
        return self._info.total_episodes + len(self._waiting)

    def add(self, episode: Episode) -> int:
        """Its index. It is on disk once its file is full, or after `flush`. Raises DatasetError for a misfit."""
        episode.check(self._schema)
        before = self._waiting[-1] if self._waiting else None
        first = self._info.total_frames if before is None else before.first_frame + len(before.episode)
        columns = self._columns(episode, self.total_episodes, first)
        stats = {f"{CAMERA_PREFIX}{name}": statistics.of_pictures(images) for name, images in episode.images.items()}
        stats |= {key: statistics.of_vectors(values) for key, values in columns.items()}
        self._waiting.append(
            _Placed(episode, self.total_episodes, first, first - self._info.total_frames, columns, stats)
        )
        if len(self._waiting) >= self._per_file:
            self.flush()
        return self.total_episodes - 1

    def flush(self) -> None:
        """Write all waiting episodes as one more file."""
        if not self._waiting:
            return
        number, size = Number.of(self._next, self._info.chunks_size), self._info.chunks_size
        data, episodes = self._folder / number.path(DATA), self._folder / number.path(EPISODES)
        info, stats = self._info_after(), self._statistics_after()
        moves = [
            *self._write_videos(number),
            (tables.whole(self._folder / TASKS, lambda p: tables.write_tasks(p, self._tasks)), self._folder / TASKS),
            (tables.whole(episodes, partial(self._write_rows, number)), episodes),
            (tables.whole(data, lambda p: tables.write_row_groups(p, self._tables())), data),
        ]
        for made, place in moves:
            os.replace(made, place)
        tables.write_json(self._folder / STATS, statistics.to_json(stats))
        tables.write_json(self._folder / INFO, info.model_dump(mode="json", exclude_none=False))
        self._info, self._stats, self._next, self._waiting = info, stats, number.count(size) + 1, []

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self.flush()
        finally:
            self._lock.close()

    def _begin(self) -> Info:
        """What is there already; leftovers of a killed writer are removed."""
        if not (self._folder / INFO).exists():
            info = Info(
                codebase_version=VERSION, fps=self._schema.fps, robot_type=self._schema.robot_type,
                features=self._features,
            )  # fmt: skip
            tables.write_json(self._folder / INFO, info.model_dump(mode="json"))
            return info
        info = read_info(self._folder)
        self._check_same(info)
        if info.total_episodes:
            rows = read_episode_rows(self._folder, info)
            self._tasks = tables.read_tasks(self._folder)
            self._stats = read_statistics(self._folder, info)  # stats.json may count what a killed writer lost
            self._next = 1 + max(number.count(info.chunks_size) for row in rows for number in row.numbers)
        self._remove_leftovers(info)
        return info

    def _check_same(self, info: Info) -> None:
        ours = {key: (f.dtype, f.shape, f.entries) for key, f in self._features.items()}
        theirs = {key: (f.dtype, f.shape, f.entries) for key, f in info.features.items()}
        if ours != theirs or info.fps != self._schema.fps:
            different = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
            said = "; ".join(f"{key}: there {theirs.get(key)}, here {ours.get(key)}" for key in different)
            said = said or f"{info.fps:g} frames a second there, {self._schema.fps} here"
            raise DatasetError(f"{self._folder} holds episodes of another kind: {said}")

    def _remove_leftovers(self, info: Info) -> None:
        whole = [Number.of(k, info.chunks_size) for k in range(self._next)]
        known = {self._folder / n.path(t) for n in whole for t in (DATA, EPISODES)}
        known |= {self._folder / n.path(VIDEO, key) for n in whole for key in self._features}
        for tree in ("data", "meta/episodes", "videos"):
            for path in sorted((self._folder / tree).rglob("*")):
                if path.is_file() and path not in known:
                    path.unlink()

    def _columns(self, episode: Episode, index: int, first: int) -> dict[str, NDArray[Any]]:
        """Every column of the data file but the pictures; tasks not met before get a number."""
        n = len(episode)
        for sentence in dict.fromkeys(episode.sentences):
            if sentence not in self._tasks.values():
                self._tasks[1 + max(self._tasks, default=-1)] = sentence
        index_of = {sentence: index for index, sentence in self._tasks.items()}
        counters: Mapping[str, NDArray[Any]] = {
            "timestamp": np.arange(n) / self._schema.fps,
            "frame_index": np.arange(n),
            "episode_index": np.full(n, index),
            "index": np.arange(first, first + n),
            "task_index": np.array([index_of[s] for s in episode.sentences]),
        }
        return {
            **{key: episode.vectors[key] for key in self._schema.vectors},
            **{key: counters[key].astype(dtype) for key, dtype in COUNTERS.items()},
        }

    def _write_videos(self, number: Number) -> Iterable[tuple[Path, Path]]:
        for name in self._schema.cameras:
            place = self._folder / number.path(VIDEO, f"{CAMERA_PREFIX}{name}")
            clips = [placed.episode.images[name] for placed in self._waiting]

            def write(path: Path, clips: list[NDArray[np.uint8]] = clips) -> None:
                write_pictures(path, clips, self._schema.fps)

            yield tables.whole(place, write), place

    def _tables(self) -> Iterable[Any]:
        for placed in self._waiting:
            yield tables.arrow().table({key: tables.column(values) for key, values in placed.columns.items()})

    def _write_rows(self, number: Number, path: Path) -> None:
        tables.write_episode_rows(path, self._rows(number), RECORD_TYPES)

    def _rows(self, number: Number) -> list[dict[str, Any]]:
        return [self._row(placed, number) for placed in self._waiting]

    def _row(self, placed: _Placed, number: Number) -> dict[str, Any]:
        n, fps = len(placed.episode), self._schema.fps
        row = EpisodeRow(
            index=placed.index,
            tasks=tuple(dict.fromkeys(placed.episode.sentences)),
            frames=(placed.first_frame, placed.first_frame + n),
            data=number,
            meta=number,
            videos={f"{CAMERA_PREFIX}{name}": number for name in self._schema.cameras},
            from_s={f"{CAMERA_PREFIX}{name}": placed.first_in_file / fps for name in self._schema.cameras},
            record=placed.episode.record,
        )
        flat = {
            f"stats/{key}/{name}": value.tolist() for key, s in placed.statistics.items() for name, value in s.items()
        }
        return {**row.to_columns(fps), **flat}

    def _info_after(self) -> Info:
        episodes, frames = self.total_episodes, self._info.total_frames + sum(len(p.episode) for p in self._waiting)
        totals = {"total_episodes": episodes, "total_frames": frames, "total_tasks": len(self._tasks)}
        return self._info.model_copy(update={**totals, "splits": {"train": f"0:{episodes}"}})

    def _statistics_after(self) -> Mapping[str, statistics.Statistics]:
        parts = [self._stats] if self._stats else []
        parts += [placed.statistics for placed in self._waiting]
        return {key: statistics.pooled([part[key] for part in parts]) for key in self._features}


def _is_of_somebody(path: Path) -> bool:
    """Not a mere folder, nor what a writer leaves that was killed at its very beginning."""
    return path.is_file() and path.name != LOCK and path.suffix != ".partial"


def _locked(folder: Path) -> IO[str]:
    """Holds the folder until closed, or until this process ends in whatever way."""
    file = (folder / LOCK).open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise DatasetError(f"{folder} is being written to by another process") from error
    return file
