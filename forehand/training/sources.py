"""Where a training's data come from: frames brought into its folder, and sources of vision-language examples.

Not for: collecting (executor.learning.collector), or what a batch is (rt2.training).
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from executor.learning.demonstrations import frames_of
from executor.learning.labels import LAYOUT
from executor.vla_inputs import IMAGE_SIZES
from forehand.config import ConfigError
from forehand.training.config import ImageTextData, RobotData, TrainConfig, VisionLanguageData
from rt2.minilm import check_files, find_minilm
from rt2.training.examples import TextExample, read_image_text
from rt2.training.frames import Frames, write_shard
from rt2.training.mixture import ExampleFolder, ExampleMixture, ExampleSource, FixedExamples
from skills.dataset import Dataset

FRAMES, EXAMPLES = "frames", "examples"
GIVEN = ".given"  # in the frames' folder: what is given from elsewhere is all there
SHARD_FRAMES = 400
LOWEST_PRIORITY = 15
POLL_S = 1.0


def check_sources(config: TrainConfig) -> None:
    """Raises ConfigError, SkillCallError, CheckpointError, DatasetError or ExampleError, naming what is wrong, for what
    cannot be learned from."""
    robot, there = config.robot, 0
    library = robot.collect.library()
    for name in robot.collect.skills:
        library.skill(name)
    unknown = sorted(config.training.loss.emphasis.keys() - set(LAYOUT.auxiliary))
    if unknown:
        raise ConfigError(
            f"training.loss.emphasis: no auxiliary number '{unknown[0]}'; have: {', '.join(LAYOUT.auxiliary)}"
        )
    if config.model.language == "minilm" and config.model.backbone is None:
        check_files(find_minilm())
    if robot.frames is not None:
        there += sum(len(_opened(shard)) for shard in _shards(robot.frames))
    for path in robot.datasets:
        with Dataset(path) as dataset:
            next(frames_of(dataset, LAYOUT), None)
            there += len(dataset)
    if not robot.workers and there < config.training.least_frames:
        raise ConfigError(
            f"{there} robot frames are given, but training.least_frames is {config.training.least_frames}, and "
            "robot.workers is 0: nobody collects more"
        )
    for source in config.vision_language.datasets:
        next(_rows(source, limit=1))


def bring_frames(robot: RobotData, folder: Path) -> None:
    """Frames of other folders and datasets into folder/frames, once for a training."""
    target = folder / FRAMES
    if (target / GIVEN).exists():
        return
    target.mkdir(parents=True, exist_ok=True)
    if robot.frames is not None:
        for shard in _shards(robot.frames):
            if not (target / shard.name).exists():
                link(shard.resolve(), target / shard.name)
    for number, dataset in enumerate(robot.datasets):
        _convert(dataset, target, number)
    (target / GIVEN).touch()


def _shards(folder: Path) -> list[Path]:
    shards = sorted(folder.glob("*.npy"))
    if not shards:
        raise ConfigError(f"robot.frames: no frames (*.npy) in {folder}")
    return shards


def _opened(shard: Path) -> Frames:
    try:
        frames = open_memmap(shard, mode="r")
    except (OSError, ValueError) as error:
        raise ConfigError(f"robot.frames: {shard}: cannot be read: {error}") from error
    if frames.dtype != LAYOUT.dtype:
        raise ConfigError(f"robot.frames: {shard} holds frames of another layout than this robot's")
    return frames


def link(source: Path, target: Path) -> None:
    """The same file under another name: nothing is copied where the disk is the same."""
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without hard links
        target.symlink_to(source)


def _convert(source: Path, target: Path, number: int) -> None:
    """A dataset's frames as shards; a killed conversion begins anew and ends the same."""
    partial = target / f".dataset-{number}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    with Dataset(source) as dataset:
        for part, frames in enumerate(_gathered(frames_of(dataset, LAYOUT))):
            os.replace(write_shard(partial, frames), target / f"dataset-{number}-{part:05d}.npy")
    shutil.rmtree(partial, ignore_errors=True)


def _gathered(episodes: Iterator[Frames]) -> Iterator[Frames]:
    held: list[Frames] = []
    for episode in episodes:
        held.append(episode)
        if sum(map(len, held)) >= SHARD_FRAMES:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)


def example_mixture(data: VisionLanguageData, folder: Path) -> ExampleMixture:
    """All sources of examples with their weights. Raises ExampleError for a dataset that cannot be read."""
    sources: list[tuple[ExampleSource, float]] = []
    if data.examples:
        sources.append((ExampleFolder(folder / EXAMPLES), data.weight))
    sources += [(_read(dataset), dataset.weight) for dataset in data.datasets]
    return ExampleMixture(sources)


def _read(dataset: ImageTextData) -> FixedExamples:
    return FixedExamples(list(_rows(dataset, dataset.limit)))


def _rows(dataset: ImageTextData, limit: int) -> Iterator[TextExample]:
    columns = dataset.model_dump(exclude={"source", "weight", "limit"})
    return read_image_text(dataset.source, size=next(iter(IMAGE_SIZES.values())), limit=limit, **columns)


def start_example_writer(data: VisionLanguageData, folder: Path) -> BaseProcess:
    """A process of low priority that writes examples of the tabletop into folder/examples, then ends."""
    process = get_context("spawn").Process(
        target=_write_examples, args=(folder, data.examples, data.seed, os.getpid()), name="examples", daemon=True
    )
    process.start()
    return process


def _write_examples(folder: Path, count: int, seed: int, parent: int) -> None:
    from executor.learning.visual_questions import write_examples

    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    os.nice(LOWEST_PRIORITY)
    (folder / EXAMPLES).mkdir(parents=True, exist_ok=True)
    with (folder / "examples.log").open("a") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
        write_examples(folder / EXAMPLES, count, seed, workers=1)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_S)
    os._exit(1)


def missing_examples(process: BaseProcess | None, folder: Path) -> str | None:
    """What to tell where the process that writes examples has failed."""
    if process is None or process.exitcode in (None, 0):
        return None
    return f"no more examples are being written: the process ended with {process.exitcode}; see {folder}/examples.log"
