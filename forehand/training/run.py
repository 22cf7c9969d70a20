"""One training from configuration to checkpoint: data, collectors and trainer put together, resumable at any moment.

Not for: the updates themselves (rt2.training.trainer) or reading configurations (forehand.training.reading).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from rich.console import Console

from executor.learning.collector import Collectors, start_collectors
from executor.learning.labels import LAYOUT
from forehand.config import ConfigError
from forehand.training.build import first_vla
from forehand.training.config import TrainConfig
from forehand.training.curves import Curves
from forehand.training.finishing import finish
from forehand.training.folder import CHECKPOINT, claimed, disk_shortage
from forehand.training.on_policy_rates import on_policy_rates
from forehand.training.process import Stop, children_deaf_to_ctrl_c, prepared_for_training, use_threads
from forehand.training.report import facts_of
from forehand.training.sources import (
    FRAMES,
    bring_frames,
    check_sources,
    example_mixture,
    missing_examples,
    start_example_writer,
)
from forehand.training.view import TrainingView
from rt2.errors import InputError
from rt2.training.frames import FavouringReader, ShardReader
from rt2.training.text import TextTask
from rt2.training.trainer import Progress, Trainer
from rt2.vla import check_torch_device

RECENT_S = 300.0  # of on-policy runs in display and curves
LOG_EVERY_S = 10.0
LAST_S = 600.0  # of on-policy runs in the final table, at most


@dataclass(frozen=True)
class Training:
    """What is to be trained where. recipe: its name in words; device: "cpu" or "cuda"."""

    config: TrainConfig
    recipe: str
    folder: Path
    device: str
    console: Console


def train(training: Training) -> bool:
    """Train until the budget is used up, then write folder/checkpoint; False where Ctrl-C came first.

    Raises ConfigError, DatasetError, ExampleError or VLAError for what cannot be, before anything is trained.
    """
    tune = _tuner(training)
    check_sources(training.config)
    with prepared_for_training(), claimed(training.folder, training.config) as begun:
        if (training.folder / CHECKPOINT).is_dir():
            training.console.print(f"{training.folder}: this training is finished", soft_wrap=True)
            return True
        view = TrainingView(training.console, _title(training, begun))
        shortage = disk_shortage(training.folder, training.config)
        if shortage is not None:
            view.note(shortage)
        bring_frames(training.config.robot, training.folder)
        return tune(training, view)


def _tuner(training: Training) -> Callable[[Training, TrainingView], bool]:
    """Who trains this. Raises ConfigError where the extra for it is missing, ValidationError for its settings."""
    if training.config.model.backbone is None:
        return _train_small
    try:
        from forehand.training.backbone import tune_backbone, tune_config
    except ImportError as error:
        raise ConfigError(f"model.backbone needs the extra 'vlm': pip install 'forehand[vlm]' ({error})") from error
    tune_config(training.config, training.device)
    return tune_backbone


def check_device(device: str | None) -> str:
    """The device asked for, or the best there is. Raises ConfigError where it is not there."""
    import torch

    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        check_torch_device(device)
    except InputError as error:
        raise ConfigError(str(error)) from error
    return device


def new_trainer(training: Training) -> Trainer:
    """The trainer of a folder, where a killed one left it."""
    config = training.config
    settings = config.training
    vla = first_vla(config)
    text = None
    if settings.text_share:
        text = TextTask(example_mixture(config.vision_language, training.folder), vla.processor)
    return Trainer(
        settings, vla.model, vla.processor, vla.contract, training.folder, _reader(training), text,
        device=training.device, growing=config.robot.workers > 0, trained=config.learning is not None,
    )  # fmt: skip


def _reader(training: Training) -> ShardReader:
    frames, learning = training.folder / FRAMES, training.config.learning
    if learning is None:
        return ShardReader(frames, LAYOUT.dtype)
    unsaid = ("",) if learning.from_demos else ()  # other people's datasets do not say which skill they show
    return FavouringReader(frames, LAYOUT.dtype, (*learning.skills, *unsaid), learning.share)


def _train_small(training: Training, view: TrainingView) -> bool:
    trainer = new_trainer(training)
    if training.config.learning is not None and not trainer.version:
        trainer.publish()  # it drives the old skills from the first moment
    curves = Curves(training.folder, trainer.samples)
    if not curves.has_board:
        view.note("no TensorBoard curves: pip install 'forehand[train]'")
    stop = Stop()
    collecting = trainer.share < training.config.robot.until
    trainer.growing = trainer.growing and collecting
    with stop.on_ctrl_c(), _helpers(training, collecting) as helpers, view.shown():
        recorder = _Recorder(training, view, curves, helpers, trainer)
        trainer.run(recorder, stop, recorder.waiting)
        curves.close()
    if trainer.share < 1.0:
        training.console.print(
            f"stopped at {trainer.samples} samples; the same command goes on from there", highlight=False
        )
        return False
    last = trainer.progress(trainer.samples / max(1e-6, trainer.seconds))
    window = max(60.0, min(LAST_S, trainer.seconds / 4))
    rates = on_policy_rates(training.folder, window)
    parameters = sum(p.numel() for p in trainer.average.parameters())
    facts = facts_of(training.config, training.recipe, last, parameters, training.device, rates)
    finish(training.folder, training.config, trainer.vla, facts, rates, window)
    _say_finished(training)
    return True


def _say_finished(training: Training) -> None:
    for name in (CHECKPOINT, "table.md"):
        training.console.print(f"{name}: {training.folder / name}", highlight=False, soft_wrap=True)


def _title(training: Training, begun: bool) -> str:
    return f"{'going on with' if begun else 'training'} {training.recipe} in {training.folder}, on {training.device}"


@dataclass
class _Helpers:
    """The processes beside the trainer, while they run."""

    collectors: Collectors | None
    examples: BaseProcess | None


@contextmanager
def _helpers(training: Training, collecting: bool) -> Iterator[_Helpers]:
    config = training.config
    robot, text = config.robot, config.vision_language
    with children_deaf_to_ctrl_c():
        collectors = None
        if robot.workers and collecting:
            collectors = start_collectors(robot.collect, training.folder, robot.workers, niceness=robot.niceness)
        writes = config.training.text_share and text.examples
        examples = start_example_writer(text, training.folder) if writes else None
    helpers = _Helpers(collectors, examples)
    try:
        yield helpers
    finally:
        if helpers.collectors is not None:
            helpers.collectors.stop()
        if examples is not None:
            examples.terminate()
            examples.join()


class _Recorder:
    """Hears of progress and passes it on to display, log and curves."""

    def __init__(
        self, training: Training, view: TrainingView, curves: Curves, helpers: _Helpers, trainer: Trainer
    ) -> None:
        self._training, self._view, self._curves, self._helpers = training, view, curves, helpers
        self._trainer = trainer
        self._logged_at = -LOG_EVERY_S

    def __call__(self, progress: Progress) -> None:
        rates = on_policy_rates(self._training.folder, RECENT_S)
        robot = self._training.config.robot
        if progress.share >= robot.until:
            self._end_collecting(robot.workers)
        alive = 0 if self._helpers.collectors is None else self._helpers.collectors.alive
        self._view.update(progress, rates, (alive, 0 if self._helpers.collectors is None else robot.workers))
        self._check_helpers()
        if time.monotonic() - self._logged_at >= LOG_EVERY_S or progress.share >= 1:
            self._logged_at = time.monotonic()
            self._curves.add(progress, rates, alive)

    def waiting(self, frames: int, needed: int) -> None:
        self._view.wait(frames, needed)
        self._check_helpers()

    def _end_collecting(self, workers: int) -> None:
        """The trainer gets the collectors' cores, and waits for no more frames."""
        self._trainer.growing = False
        if self._helpers.collectors is not None:
            self._helpers.collectors.stop()
            self._helpers.collectors = None
        use_threads(1 + workers)

    def _check_helpers(self) -> None:
        """Raises TrainingError where there will be no robot frames."""
        if self._helpers.collectors is not None:
            self._helpers.collectors.check()
        missing = missing_examples(self._helpers.examples, self._training.folder)
        if missing is not None:
            self._view.note(missing)
