"""Reads LeRobot v3.0 datasets: ours (skills.dataset_writer) and other people's.

Layout: huggingface/lerobot, src/lerobot/datasets, codebase version v3.0. Not for: training's own shards
(rt2.training.frames), or fetching from a hub: a dataset is a folder.
"""

from __future__ import annotations

import io
import reprlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from skills.dataset_episode import Episode, EpisodeRecord
from skills.dataset_format import INFO, TASKS, DatasetError, Feature, Info, Schema, read_info
from skills.dataset_records import EpisodeRow, read_episode_rows
from skills.dataset_tables import cells, numbers, read_table, read_tasks
from skills.dataset_video import VideoReader
from skills.dataset_writer import DatasetWriter
from skills.skill import did_you_mean

__all__ = ["Dataset", "DatasetError", "DatasetWriter", "Episode", "EpisodeRecord", "Frame", "Schema"]

TABLES_KEPT = 4  # data files whose numbers stay in memory


@dataclass(frozen=True)
class Frame:
    """One moment: episode and step in it, sentence, pictures (height, width, 3), vectors (d,) float32."""

    episode: int
    step: int
    sentence: str
    images: dict[str, NDArray[np.uint8]]
    vectors: dict[str, NDArray[np.float32]]


class Dataset:
    """Random access to the frames and episodes of the dataset in `folder`.

    Raises DatasetError where there is none, where it is of another version, or a file is missing or cut short; what is
    wrong with a single file shows when it is read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info: Info = read_info(folder)
        self.rows: Sequence[EpisodeRow] = read_episode_rows(folder, self.info) if self.info.total_episodes else ()
        self._ends = np.array([row.frames[1] for row in self.rows], np.int64)
        self._tables: OrderedDict[Path, dict[str, Any]] = OrderedDict()
        self._videos = VideoReader()

    def __len__(self) -> int:
        """Number of frames."""
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(self.info.cameras)

    @cached_property
    def tasks(self) -> Mapping[int, str]:
        """Sentences by task index, which may have gaps."""
        return read_tasks(self.folder)

    def size_of(self, camera: str) -> tuple[int, int]:
        """(width, height) of a camera's pictures. Raises DatasetError for a name or a shape that is no camera's."""
        key, feature = self._camera(camera)
        if len(feature.shape) != 3:
            wanted = "(height, width, channels) or (channels, height, width)"
            raise DatasetError(f"{self.folder / INFO}: {key} has shape {feature.shape}; expected {wanted}")
        return feature.size

    def frame(self, index: int, cameras: Sequence[str] | None = None) -> Frame:
        """The frame of that number in the whole dataset. cameras: those wanted; None for all.

        Raises IndexError outside 0 ≤ index < len.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"no frame {index}; there are {len(self)}")
        row = self.rows[int(np.searchsorted(self._ends, index, side="right"))]
        step = index - row.frames[0]
        part = self._read(row, step, 1, cameras)
        return Frame(
            row.index,
            step,
            part.sentences[0],
            {name: images[0] for name, images in part.images.items()},
            {key: values[0] for key, values in part.vectors.items()},
        )

    def episode(self, index: int, cameras: Sequence[str] | None = None) -> Episode:
        """A whole episode. Raises IndexError for one that is not there."""
        if not 0 <= index < len(self.rows):
            raise IndexError(f"no episode {index}; there are {len(self.rows)}, from 0 on")
        row = self.rows[index]
        return self._read(row, 0, len(row), cameras)

    def close(self) -> None:
        """Close the video files that are kept open."""
        self._videos.close()

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, row: EpisodeRow, step: int, count: int, cameras: Sequence[str] | None) -> Episode:
        path = self.folder / row.data.path(self.info.data_path)
        table = self._table(path)
        first = int(np.searchsorted(table["index"], row.frames[0] + step))
        rows = slice(first, first + count)
        if table["index"][rows].tolist() != list(range(row.frames[0] + step, row.frames[0] + step + count)):
            raise DatasetError(f"{path}: frames of episode {row.index} are missing")
        images = {name: self._pictures(name, row, step, table, rows) for name in cameras or self.cameras}
        sentences = tuple(self._sentence(int(k)) for k in table["task_index"][rows])
        return Episode(sentences, images, {key: table[key][rows] for key in self.info.vectors}, row.record)

    def _sentence(self, task: int) -> str:
        if task not in self.tasks:
            has = reprlib.repr(sorted(self.tasks))
            raise DatasetError(f"{self.folder / TASKS}: no sentence for task_index {task}; has those of {has}")
        return self.tasks[task]

    def _pictures(
        self, camera: str, row: EpisodeRow, step: int, table: dict[str, Any], rows: slice
    ) -> NDArray[np.uint8]:
        key, feature = self._camera(camera)
        if feature.dtype == "image":
            try:
                return np.stack([_decoded(cell, self.folder) for cell in table[key][rows]])
            except (OSError, SyntaxError, ValueError) as error:  # SyntaxError: Pillow's of a broken PNG
                path = self.folder / row.data.path(self.info.data_path)
                raise DatasetError(f"{path}: column '{key}', episode {row.index}: {error}") from error
        if self.info.video_path is None:
            raise DatasetError(f"{self.folder}: {key} is a video, but info.json names no video_path")
        path = self.folder / row.videos[key].path(self.info.video_path, key)
        start_s = row.from_s[key] + step / self.info.fps
        return self._videos.pictures(path, start_s, rows.stop - rows.start, self.info.fps)

    def _camera(self, name: str) -> tuple[str, Feature]:
        """Its feature; a feature's own name does as well."""
        key = self.info.cameras.get(name, name)
        if key not in self.info.cameras.values():
            raise DatasetError(f"{self.folder}: no camera '{name}'{did_you_mean(name, list(self.info.cameras))}")
        return key, self.info.features[key]

    def _table(self, path: Path) -> dict[str, Any]:
        """Columns of a data file: vectors (n, d) float32, counters (n,), and cells of pictures as they are."""
        if path not in self._tables:
            features, counters = self.info.features, ("index", "task_index")
            pictures = [key for key in self.info.cameras.values() if features[key].dtype == "image"]
            table = read_table(path, [*self.info.vectors, *counters, *pictures])
            columns: dict[str, Any] = {key: numbers(table, key, path)[:, 0] for key in counters}
            with np.errstate(over="ignore"):  # too large for float32 is infinite, which training refuses
                for key in self.info.vectors:
                    columns[key] = numbers(table, key, path, features[key].shape[0]).astype(np.float32)
            self._tables[path] = columns | {key: cells(table, key, path) for key in pictures}
            if len(self._tables) > TABLES_KEPT:
                self._tables.popitem(last=False)
        self._tables.move_to_end(path)
        return self._tables[path]


def _decoded(cell: object, folder: Path) -> NDArray[np.uint8]:
    """(height, width, 3) of the cell's bytes or else of its file in `folder`.

    Raises OSError, SyntaxError or ValueError where there is no whole picture.
    """
    match cell:
        case {"bytes": bytes(data)}:
            source: io.BytesIO | Path = io.BytesIO(data)
        case {"path": str(name)}:
            source = folder / name
        case _:
            raise ValueError("a picture has neither bytes nor path")
    with Image.open(source) as picture:
        return np.asarray(picture.convert("RGB"))
