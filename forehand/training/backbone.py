"""Tuning an open vision-language model by the same command: gathers what it learns from, then hands over.

Not for: the tuning itself (rt2.backbones.tuning). It is not driven while it learns: frames are the expert's alone.
"""

from __future__ import annotations

import shutil
import time

from executor.learning.collector import start_collectors
from executor.learning.labels import LAYOUT
from forehand.config import ConfigError
from forehand.training.build import new_contract, new_processor
from forehand.training.config import TrainConfig
from forehand.training.finishing import complete
from forehand.training.folder import CHECKPOINT
from forehand.training.process import Stop, children_deaf_to_ctrl_c
from forehand.training.report import facts_of
from forehand.training.run import Training
from forehand.training.sources import EXAMPLES, FRAMES, example_mixture
from forehand.training.view import TrainingView
from rt2.backbones.tune_config import TuneConfig
from rt2.backbones.tuning import TuneProgress, tune
from rt2.training.examples import TextExample
from rt2.training.frames import ShardReader
from rt2.training.publishing import latest_policy
from rt2.training.trainer import Progress

POLL_S = 1.0


def tune_config(config: TrainConfig, device: str) -> TuneConfig:
    """What rt2.backbones is to do. Raises pydantic's ValidationError for a setting that it does not have."""
    shared = {"text_share": config.training.text_share, "seed": config.training.seed}
    place = {"device": "cpu" if device == "cpu" else "auto"}
    return TuneConfig.model_validate({"backbone": config.model.backbone, **shared, **place, **config.tuning})


def tune_backbone(training: Training, view: TrainingView) -> bool:
    """Gather training.least_frames frames, tune, write folder/checkpoint; False where Ctrl-C came first."""
    config, folder, stop = training.config, training.folder, Stop()
    settings = tune_config(config, training.device)
    frames = ShardReader(folder / FRAMES, LAYOUT.dtype)
    texts = _texts(config, training)
    with view.shown():
        with stop.on_ctrl_c():
            _gather(training, frames, view, stop)
        if stop():
            return False
        contract = new_contract(new_processor(frozenset()))
        began, last = time.monotonic(), [Progress(0, 0, 0.0, 0.0, 0.0, 0.0, len(frames), {})]

        def on_step(done: TuneProgress) -> None:
            last[0] = _progress(done, settings.batch, len(frames), len(texts))
            view.update(last[0], {}, (0, 0))

        with stop.on_ctrl_c():
            vla = tune(settings, contract, frames, texts, folder, on_step, stop)
        if stop():
            return False
    newest = latest_policy(folder)
    if newest is None:
        raise ConfigError(f"{folder}: the tuning left no checkpoint")
    partial = folder / f".{CHECKPOINT}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(newest, partial)
    parameters = sum(p.numel() for p in vla.model.parameters())
    facts = facts_of(config, training.recipe, last[0], parameters, training.device, {})
    complete(folder, partial, config, facts, {}, time.monotonic() - began)
    training.console.print(f"{CHECKPOINT}: {folder / CHECKPOINT}", highlight=False, soft_wrap=True)
    return True


def _texts(config: TrainConfig, training: Training) -> list[TextExample]:
    if not config.training.text_share:
        return []
    if config.vision_language.examples:
        from executor.learning.visual_questions import write_examples

        data = config.vision_language
        write_examples(training.folder / EXAMPLES, data.examples, data.seed, workers=1)
    return example_mixture(config.vision_language, training.folder).all()


def _gather(training: Training, frames: ShardReader, view: TrainingView, stop: Stop) -> None:
    """Wait until collectors have written enough frames of the expert."""
    robot, least = training.config.robot, training.config.training.least_frames
    if frames.refresh() >= least:
        return
    expert = robot.collect.model_copy(update={"policy_share": 0.0})
    with children_deaf_to_ctrl_c():
        collectors = start_collectors(expert, training.folder, robot.workers, niceness=robot.niceness)
    try:
        while not stop() and frames.refresh() < least:
            view.wait(len(frames), least)
            collectors.check()
            time.sleep(POLL_S)
    finally:
        collectors.stop()


def _progress(done: TuneProgress, batch: int, frames: int, examples: int) -> Progress:
    share = done.step / done.steps
    rate = done.step / max(1e-6, done.seconds)
    return Progress(
        done.step * batch, done.step, share, done.seconds, (done.steps - done.step) / rate, rate * batch, frames,
        {"text": done.loss, "wrong actions": 1 - done.action_accuracy}, examples,
    )  # fmt: skip
