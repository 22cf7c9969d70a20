"""The LeRobot dataset layout, version 3.0: file names, what info.json says, and the features our demonstrations have.

Every file is numbered alike in its own tree: `data/chunk-000/file-004.parquet` and its videos and episode records.
Not for: reading or writing (skills.dataset, skills.dataset_writer).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

VERSION = "v3.0"
INFO, STATS, TASKS = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
CHUNK_SIZE = 1000  # files in one chunk folder
MOST_CHANNELS = 4  # of a picture: red, green, blue, opacity
CAMERA_PREFIX = "observation.images."
STATE_KEY, ACTION_KEY, EXECUTED_KEY = "observation.state", "action", "executed_action"
COUNTERS: Mapping[str, str] = {  # columns that every dataset has, with their types
    "timestamp": "float32", "frame_index": "int64", "episode_index": "int64", "index": "int64", "task_index": "int64",
}  # fmt: skip


class DatasetError(ValueError):
    """A dataset that is not there, not whole or not of this layout; the message names the file and what to do."""


class Feature(BaseModel):
    """One column or video. shape: of one frame; (height, width, 3) of our pictures, others may put channels first."""

    model_config = ConfigDict(frozen=True, extra="allow")  # others' datasets say more

    dtype: str
    shape: tuple[int, ...]
    names: Any = None
    info: dict[str, Any] | None = None

    @property
    def entries(self) -> tuple[str, ...] | None:
        """Names of a vector's entries; None where `names` tells none, or does not name each entry once.

        Known are a list, {name: place} and groups one after the other: {"arm": [...], "gripper": [...]}.
        """
        names = self.names
        if isinstance(names, dict):
            groups = [value for value in names.values() if isinstance(value, list)]
            by_place = {value: name for name, value in names.items() if isinstance(value, int)}
            names = [name for group in groups for name in group] or [by_place.get(k) for k in range(len(names))]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return None
        return tuple(names) if self.shape == (len(names),) == (len(set(names)),) else None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of pictures, whose shape has three numbers."""
        channels_first = self.shape[2] > MOST_CHANNELS
        height, width = self.shape[1:] if channels_first else self.shape[:2]
        return width, height


class Info(BaseModel):
    """meta/info.json. Totals count only what is whole: they are written last."""

    model_config = ConfigDict(frozen=True, extra="allow")

    codebase_version: str
    fps: int | float = Field(gt=0)
    features: dict[str, Feature]
    total_episodes: int = Field(default=0, ge=0)
    total_frames: int = Field(default=0, ge=0)
    total_tasks: int = Field(default=0, ge=0)
    chunks_size: int = Field(default=CHUNK_SIZE, gt=0)
    data_files_size_in_mb: int = 100
    video_files_size_in_mb: int = 200
    data_path: str = DATA
    video_path: str | None = VIDEO
    robot_type: str | None = None
    splits: dict[str, str] = {}

    @property
    def cameras(self) -> dict[str, str]:
        """Camera's name → feature: "front" → "observation.images.front"."""
        pictures = [k for k, f in self.features.items() if f.dtype in ("video", "image")]
        return {k.removeprefix(CAMERA_PREFIX).removeprefix("observation."): k for k in pictures}

    @property
    def vectors(self) -> tuple[str, ...]:
        """The features that are vectors of numbers: state, action and what else was recorded."""
        columns = {k: f for k, f in self.features.items() if len(f.shape) == 1 and k not in COUNTERS}
        return tuple(k for k, f in columns.items() if re.fullmatch(r"(float|u?int)\d+", f.dtype))


@dataclass(frozen=True)
class Schema:
    """What the episodes of one of our datasets hold.

    cameras: name → (width, height) in pixels, even numbers. vectors: feature → names of its entries.
    """

    fps: int
    robot_type: str
    cameras: Mapping[str, tuple[int, int]]
    vectors: Mapping[str, tuple[str, ...]]

    def features(self, video_info: Mapping[str, Any]) -> dict[str, Feature]:
        """video_info: what is known of every video but its size (skills.dataset_video)."""
        features = {
            f"{CAMERA_PREFIX}{name}": Feature(
                dtype="video",
                shape=(height, width, 3),
                names=["height", "width", "channels"],
                info={"video.height": height, "video.width": width, "video.fps": self.fps, **video_info},
            )
            for name, (width, height) in self.cameras.items()
        }
        for key, names in self.vectors.items():
            features[key] = Feature(dtype="float32", shape=(len(names),), names=list(names))
        for key, dtype in COUNTERS.items():
            features[key] = Feature(dtype=dtype, shape=(1,), names=None)
        return features


@dataclass(frozen=True)
class Number:
    """The number of a file: the first is 0; a chunk folder holds `chunks_size` of them."""

    chunk: int
    file: int

    @classmethod
    def of(cls, count: int, chunks_size: int = CHUNK_SIZE) -> Number:
        return cls(*divmod(count, chunks_size))

    def count(self, chunks_size: int) -> int:
        return self.chunk * chunks_size + self.file

    def path(self, template: str, video_key: str = "") -> str:
        try:
            return template.format(chunk_index=self.chunk, file_index=self.file, video_key=video_key)
        except (KeyError, IndexError, ValueError) as error:
            raise DatasetError(
                f"{INFO} says files are at '{template}'; expected chunk_index, file_index and video_key in braces"
            ) from error


def read_info(folder: Path) -> Info:
    """Raises DatasetError where there is no dataset, or none of a version this can read."""
    path = folder / INFO
    if not path.is_file():
        raise DatasetError(f"no LeRobot dataset at {folder}: there is no {INFO}")
    try:
        data = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DatasetError(f"{path}: no JSON, perhaps cut short: {error}") from error
    version = data.get("codebase_version") if isinstance(data, dict) else None
    if not isinstance(version, str) or not version.startswith("v3."):
        raise DatasetError(
            f"{path}: dataset of version {version!r}, expected {VERSION}"
            "; lerobot's own script convert_dataset_v21_to_v30 brings older ones up to date"
        )
    try:
        return Info.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise DatasetError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
