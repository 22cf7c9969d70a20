"""Fine-tunes a vision-language model on robot frames, and on questions about pictures beside them (co-fine-tuning).

RT-2 (arXiv 2307.15818, section 3.2): robot and web data in one batch, cross-entropy on the answers alone.
A run's folder: policy/000123/ (checkpoints), state/000123.pt (optimiser), policy/latest (the newest, written last), so
a run that was killed at any moment goes on from there. Not for: collecting frames.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from rt2.action_contract import ActionContract
from rt2.backbones.adapter import VLMBackbone
from rt2.backbones.batches import NO_LABEL, batch_tensors, on_model
from rt2.backbones.mixture import FrameSource, Mixture
from rt2.backbones.starting import Start, resume_or_start
from rt2.backbones.tune_config import TuneConfig
from rt2.backbones.versions import write_version
from rt2.errors import InputError
from rt2.training.errors import TrainingError
from rt2.training.examples import TextExample

LEAST_RATE = 0.1  # of the learning rate, at the end of the cosine


@dataclass(frozen=True)
class TuneProgress:
    """After one optimiser step: steps done and to do, mean loss, share of action tokens right, seconds since start."""

    step: int
    steps: int
    loss: float
    action_accuracy: float
    seconds: float


def ignore_progress(_: TuneProgress) -> None:
    """A progress callback that does nothing."""


def never() -> bool:
    """A `stop` that lets a tuning come to its end."""
    return False


def tune(
    config: TuneConfig,
    contract: ActionContract,
    frames: FrameSource,
    texts: Sequence[TextExample],
    folder: Path,
    progress: Callable[[TuneProgress], None] = ignore_progress,
    stop: Callable[[], bool] = never,
) -> VLMBackbone:
    """Fine-tune, leaving checkpoints in `folder`; the last of them, ready to act.

    stop: asked after every step; where it says so, that step is saved and is the last until the next call goes on.

    contract: of the robot and cameras that the frames come from; its vocabulary is what the config's scheme makes it.
    Raises InputError for data that do not fit the contract or a scheme that the vocabulary has no room for, and
    CheckpointError for a base model, or an earlier state of this run, that cannot be read.
    """
    if not len(frames) and not texts:
        raise InputError("nothing to learn from: neither frames nor texts")
    with torch.random.fork_rng(), _accelerator(config) as accelerator:
        torch.manual_seed(config.seed)
        start = resume_or_start(config, contract, frames, texts, folder)
        _Tuner(config, start, Mixture(start.backbone, frames, texts, config.text_share, config.seed), accelerator).run(
            folder, progress, stop
        )
    start.backbone.model.eval()
    return start.backbone


class _Tuner:
    def __init__(self, config: TuneConfig, start: Start, mixture: Mixture, accelerator: Accelerator) -> None:
        self._config, self._start, self._mixture, self._accelerator = config, start, mixture, accelerator
        self._weights = [p for p in start.backbone.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(self._weights, lr=config.learning_rate, weight_decay=0.0)
        self._model, self._optimizer = accelerator.prepare(start.backbone.model, optimizer)
        if start.optimizer is not None:
            self._optimizer.load_state_dict(start.optimizer)
        self._action_ids = torch.from_numpy(start.backbone.actions.ids).to(accelerator.device)

    def run(self, folder: Path, progress: Callable[[TuneProgress], None], stop: Callable[[], bool]) -> None:
        began, every, steps = time.monotonic(), self._config.checkpoint_every, self._config.steps
        for step in range(self._start.step, steps):
            loss, accuracy = self._step(step)
            last = step + 1 == steps or loss < self._config.until_loss or stop()
            if last or (step + 1) % every == 0:
                self._save(folder, step + 1)
            progress(TuneProgress(step + 1, steps, loss, accuracy, time.monotonic() - began))
            if last:
                break
        self._start.backbone.model = self._accelerator.unwrap_model(self._model, keep_fp32_wrapper=False)

    def _step(self, step: int) -> tuple[float, float]:
        self._model.train()
        torch.manual_seed(self._config.seed + step)  # dropout, where a model has any, is the same after resuming
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self._config, step)
        losses, right = [], []
        for part in range(self._config.accumulate):
            rows = self._mixture.rows(self._config.batch, step, part, self._accelerator.process_index)
            backbone = self._start.backbone
            tensors = on_model(batch_tensors(backbone.prompting, rows, "right"), backbone.model)
            with self._accelerator.accumulate(self._model):
                output = self._model(**tensors)
                if not bool(torch.isfinite(output.loss)):
                    raise TrainingError(
                        f"the loss is no number at step {step}: the tuning has diverged; a lower tuning.learning_rate "
                        f"than {self._config.learning_rate:g} may help. What was saved before is as it was"
                    )
                self._accelerator.backward(output.loss)
                if self._accelerator.sync_gradients:
                    self._accelerator.clip_grad_norm_(self._weights, self._config.clip)
                self._optimizer.step()
                self._optimizer.zero_grad()
            losses.append(float(output.loss.detach()))
            right.append(self._accuracy(output.logits.detach(), tensors["labels"]))
        return sum(losses) / len(losses), sum(right) / len(right)

    def _accuracy(self, logits: torch.Tensor, labels: torch.Tensor) -> float:
        wanted = labels[:, 1:]
        asked = (wanted != NO_LABEL) & torch.isin(wanted, self._action_ids)
        return float((logits[:, :-1][asked].argmax(-1) == wanted[asked]).float().mean()) if asked.any() else math.nan

    def _save(self, folder: Path, step: int) -> None:
        self._accelerator.wait_for_everyone()
        if self._accelerator.is_main_process:
            state: dict[str, Any] = self._optimizer.state_dict()
            write_version(folder, step, self._start.backbone, self._start.card, state)


def learning_rate(config: TuneConfig, step: int) -> float:
    """Linear warm-up, then half a cosine down to a tenth."""
    share = max(0.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    cosine = LEAST_RATE + (1 - LEAST_RATE) * (0.5 + 0.5 * math.cos(math.pi * share))
    return config.learning_rate * min((step + 1) / config.warmup, cosine)


@contextmanager
def _accelerator(config: TuneConfig) -> Iterator[Accelerator]:
    """accelerate keeps its precision and device for the whole process; leave none for whoever tunes next."""
    accelerator = Accelerator(
        cpu=config.device == "cpu",
        mixed_precision=config.precision,
        gradient_accumulation_steps=config.accumulate,
    )
    try:
        yield accelerator
    finally:
        accelerator.free_memory()
        AcceleratorState._reset_state(reset_partial_state=True)
