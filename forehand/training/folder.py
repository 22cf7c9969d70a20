"""A training's folder: whose it is, that one process trains in it at a time, and whether the disk will do.

Not for: frames and policies in it (rt2.training.publishing tells the files).
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from executor.learning.labels import LAYOUT
from forehand.config import ConfigError
from forehand.training.config import TrainConfig
from forehand.training.reading import differences, read_recipe

CONFIG = "config.yaml"
LOCK = ".training"
CHECKPOINT = "checkpoint"
EXAMPLE_BYTES = 10_000  # of a vision-language example, compressed
REST_BYTES = 300_000_000  # policies, the trainer's state, logs


@contextmanager
def claimed(folder: Path, config: TrainConfig) -> Iterator[bool]:
    """The folder for this training alone; yields whether it goes on with one that was begun.

    Raises ConfigError where another process trains in it, or another training was begun there, and says what differs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{folder}: a training is running there already") from None
        begun = (folder / CONFIG).is_file()
        if begun:
            check_same(folder, config)
        else:
            _write(folder / CONFIG, config)
        yield begun


def begun_config(folder: Path) -> TrainConfig:
    """The configuration of the training begun in `folder`. Raises ConfigError where there is none."""
    if not (folder / CONFIG).is_file():
        raise ConfigError(f"{folder}: no training to go on with (it has no {CONFIG})")
    return read_recipe(folder / CONFIG)


def check_same(folder: Path, config: TrainConfig) -> None:
    """Raises ConfigError, saying what differs, where another training was begun in `folder`, or none."""
    before = begun_config(folder).model_dump(mode="json")
    found = differences(before, config.model_dump(mode="json"))
    if found:
        listed = "\n".join(f"  {line}" for line in found)
        raise ConfigError(f"{folder}: another training was begun there; give another folder. Differences:\n{listed}")


def _write(path: Path, config: TrainConfig) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(as_yaml(config), encoding="utf-8")
    os.replace(partial, path)


def as_yaml(config: TrainConfig) -> str:
    """Every field, also those left at their defaults."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def disk_shortage(folder: Path, config: TrainConfig) -> str | None:
    """A warning where the disk has less room than frames, examples and checkpoints may take."""
    robot, frames = config.robot, folder / "frames"
    held = sum(p.stat().st_size for p in frames.glob("*.npy")) if frames.is_dir() else 0
    wanted = robot.collect.most_frames_total * LAYOUT.dtype.itemsize - held if robot.workers else 0
    wanted = max(0, wanted) + config.vision_language.examples * EXAMPLE_BYTES + REST_BYTES
    free = shutil.disk_usage(folder).free
    if free >= wanted:
        return None
    return (
        f"{folder}: {free / 1e9:.1f} GB of disk are free, this training may take {wanted / 1e9:.1f} GB; "
        "robot.collect.most_frames_total limits it"
    )
