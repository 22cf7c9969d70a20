"""The record that a dataset keeps of each episode: where its frames lie, in which files, and what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skills.dataset_episode import EpisodeRecord
from skills.dataset_format import DatasetError, Info, Number
from skills.dataset_statistics import Statistics, pooled
from skills.dataset_tables import read_table

RECORD_TYPES: Mapping[str, str] = {
    "success": "bool",
    "seed": "int64",
    "scene": "string",
    "skill_call": "string",
    "ended_by": "string",
    "driver": "string",
}  # as Parquet keeps the fields of an EpisodeRecord


@dataclass(frozen=True)
class EpisodeRow:
    """frames: from and to (exclusive) in the whole dataset. data, meta, videos: numbers of the files it lies in.

    from_s: where in a camera's video file the episode starts, by feature.
    """

    index: int
    tasks: tuple[str, ...]
    frames: tuple[int, int]
    data: Number
    meta: Number
    videos: Mapping[str, Number]
    from_s: Mapping[str, float]
    record: EpisodeRecord

    def __len__(self) -> int:
        return self.frames[1] - self.frames[0]

    @property
    def numbers(self) -> tuple[Number, ...]:
        return (self.data, self.meta, *self.videos.values())

    def to_columns(self, fps: float) -> dict[str, Any]:
        """Columns of meta/episodes, under the names that LeRobot gives them."""
        columns: dict[str, Any] = {
            "episode_index": self.index,
            "tasks": list(self.tasks),
            "length": len(self),
            "dataset_from_index": self.frames[0],
            "dataset_to_index": self.frames[1],
            "data/chunk_index": self.data.chunk,
            "data/file_index": self.data.file,
            "meta/episodes/chunk_index": self.meta.chunk,
            "meta/episodes/file_index": self.meta.file,
        }
        for key, number in self.videos.items():
            columns[f"videos/{key}/chunk_index"] = number.chunk
            columns[f"videos/{key}/file_index"] = number.file
            columns[f"videos/{key}/from_timestamp"] = self.from_s[key]
            columns[f"videos/{key}/to_timestamp"] = self.from_s[key] + len(self) / fps
        return {**columns, **dataclasses.asdict(self.record)}

    @classmethod
    def from_columns(cls, row: Mapping[str, Any], videos: tuple[str, ...]) -> EpisodeRow:
        """Raises KeyError for a column that is not there, TypeError or ValueError where it holds no number."""

        def number(tree: str) -> Number:
            return Number(int(row[f"{tree}/chunk_index"]), int(row[f"{tree}/file_index"]))

        return cls(
            index=int(row["episode_index"]),
            tasks=tuple(row["tasks"] or ()),
            frames=(int(row["dataset_from_index"]), int(row["dataset_to_index"])),
            data=number("data"),
            meta=number("meta/episodes"),
            videos={k: number(f"videos/{k}") for k in videos},
            from_s={k: float(row[f"videos/{k}/from_timestamp"]) for k in videos},
            record=EpisodeRecord(**{f.name: row.get(f.name) for f in dataclasses.fields(EpisodeRecord)}),
        )


def read_statistics(folder: Path, info: Info) -> dict[str, Statistics]:
    """Of the episodes that info.json counts, by feature, pooled from what is kept of each."""
    parts: dict[str, list[Statistics]] = {key: [] for key in info.features}
    for path in sorted((folder / "meta/episodes").glob("*/*.parquet")):
        table = read_table(path)
        wanted = [name for name in table.column_names if name.startswith("stats/") or name == "episode_index"]
        for row in table.select(wanted).to_pylist():
            if row["episode_index"] >= info.total_episodes:
                continue
            for key, kept in parts.items():
                names = (name for name in row if name.rpartition("/")[0] == f"stats/{key}")
                kept.append({name.rpartition("/")[2]: np.asarray(row[name]) for name in names})
    return {key: pooled(kept) for key, kept in parts.items()}


def read_episode_rows(folder: Path, info: Info) -> list[EpisodeRow]:
    """One for each episode that info.json counts, in order; more, of a writer that was killed, are left out.

    Raises DatasetError where fewer are there, a column is missing, or the frames of one do not follow on the last's.
    """
    videos = tuple(key for key, feature in info.features.items() if feature.dtype == "video")
    found: list[tuple[EpisodeRow, Path]] = []
    for path in sorted((folder / "meta/episodes").glob("*/*.parquet")):
        table = read_table(path)
        wanted = [name for name in table.column_names if not name.startswith("stats/")]
        try:
            found += [(EpisodeRow.from_columns(row, videos), path) for row in table.select(wanted).to_pylist()]
        except KeyError as error:
            raise DatasetError(f"{path}: no column {error}; is it a dataset of LeRobot v3.0?") from error
        except (TypeError, ValueError) as error:
            raise DatasetError(f"{path}: an episode lacks a number: {error}") from error
    if len(found) < info.total_episodes:
        raise DatasetError(f"{folder}: {len(found)} of {info.total_episodes} episodes are recorded; files are missing")
    found = sorted(found, key=lambda pair: pair[0].index)[: info.total_episodes]
    end = 0
    for index, (row, path) in enumerate(found):
        if (row.index, row.frames[0]) != (index, end) or row.frames[1] <= end:
            found_there = f"episode {row.index} with frames from {row.frames[0]} to {row.frames[1]}"
            raise DatasetError(f"{path}: {found_there}; expected episode {index} with frames from {end} on")
        end = row.frames[1]
    return [row for row, _ in found]
