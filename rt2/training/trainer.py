"""Trainer: from a growing folder of frames to weights, resumable at any moment.

AdamW with warm-up and cosine, gradient clipping, and an exponential moving average of the weights, which is what is
published to collectors and kept. Not for: collecting, or evaluating on a robot.
"""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rt2.action_contract import ActionContract
from rt2.action_tokens import ActionTokenizer
from rt2.modeling import RT2ForConditionalGeneration
from rt2.processing import RT2Processor
from rt2.small import SmallVLA, on_device
from rt2.training.batches import Prompts, RobotBatch, recoloured, robot_batch
from rt2.training.frames import ShardReader
from rt2.training.losses import action_loss, auxiliary_loss, grounding_loss, pointing_loss
from rt2.training.publishing import publish
from rt2.training.settings import TrainingSettings
from rt2.training.text import TextTask

COMMON_CELLS = 4  # background, table, robot and cabinet come first among the cells' names
WAIT_S = 1.0


@dataclass(frozen=True)
class Progress:
    """How far a training is. share: of the budget; seconds: of training so far; left_s: estimate; losses: by part."""

    samples: int
    steps: int
    share: float
    seconds: float
    left_s: float
    samples_per_s: float
    frames: int
    losses: dict[str, float]


OnProgress = Callable[[Progress], None]


class Trainer:
    """One training in `folder` (see rt2.training.publishing for its files). Goes on where a killed one stopped."""

    def __init__(
        self,
        settings: TrainingSettings,
        model: RT2ForConditionalGeneration,
        processor: RT2Processor,
        contract: ActionContract,
        folder: Path,
        reader: ShardReader,
        text: TextTask | None = None,
        *,
        device: str = "cpu",
    ) -> None:
        self.settings, self.folder = settings, folder
        self.model = on_device(model, device)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.vla = SmallVLA(self.average, processor, contract)
        self.device = device
        self._reader, self._text = reader, text
        self._tokens = ActionTokenizer.own(processor.action_start, contract.dimensions, contract.bins)
        self._flags = torch.tensor([d.is_flag for d in contract.dimensions], device=device)
        self._prompts = Prompts(processor)
        self._names = [t.to(device) for t in processor.prompts(model.config.cell_names, "ask")]
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay,
            betas=(0.9, 0.98), fused=True,
        )  # fmt: skip
        self._rng = np.random.default_rng(settings.seed)
        self._noise = torch.Generator().manual_seed(settings.seed)
        self._autocast = _autocast(settings.precision, device)
        self.samples, self.steps, self.seconds, self.version = 0, 0, 0.0, 0
        self._losses: dict[str, float] = {}
        self._resume()

    def run(self, on_progress: OnProgress, stop: Callable[[], bool] = lambda: False) -> None:
        """Train until the budget is used up or `stop`; weights are published and saved before it returns."""
        self._wait_for_frames(stop)
        began, before = time.monotonic(), self.seconds
        published = saved = shown = began
        start_samples = self.samples
        waited = 0.0
        while not stop() and self.settings.used(self.samples, self.seconds) < 1.0:
            self.step()
            now = time.monotonic()
            self.seconds = before + now - began - waited
            if now - shown > 2.0:
                shown = now
                waited += self._wait_for_frames(stop)
                on_progress(self.progress((self.samples - start_samples) / (now - began - waited)))
            if now - published > self.settings.publish_s:
                published = now
                self.publish()
            if now - saved > self.settings.save_s:
                saved = now
                self.save()
        self.publish()
        self.save()
        on_progress(self.progress((self.samples - start_samples) / max(1e-6, time.monotonic() - began - waited)))

    def step(self) -> None:
        """One update on one batch."""
        share = self.settings.used(self.samples, self.seconds)
        for group in self._optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * _schedule(share)
        text = self._text is not None and self._rng.random() < self.settings.text_share
        with self._autocast:
            parts = self._text_parts() if text else self._robot_parts()
        weights = self.settings.loss.model_dump()
        loss = sum((weights[name] * value for name, value in parts.items()), torch.zeros((), device=self.device))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip, foreach=True)
        self._optimizer.step()
        self._average()
        self.steps += 1
        self.samples += self.settings.batch
        self._remember({f"text.{name}" if text else name: float(value.detach()) for name, value in parts.items()})

    def _remember(self, losses: dict[str, float]) -> None:
        """Running means of the parts."""
        for name, new in losses.items():
            self._losses[name] = 0.98 * self._losses.get(name, new) + 0.02 * new

    def progress(self, samples_per_s: float) -> Progress:
        share = self.settings.used(self.samples, self.seconds)
        left = self.seconds * (1 - share) / share if share > 0 else math.inf
        return Progress(
            self.samples, self.steps, share, self.seconds, max(0.0, left), samples_per_s, len(self._reader),
            dict(self._losses),
        )  # fmt: skip

    def publish(self) -> None:
        """The averaged weights as the newest policy."""
        self.version += 1
        publish(self.folder, self.vla, self.version)

    def save(self) -> None:
        """Everything that is needed to go on, whole or not at all."""
        state = {
            "settings": self.settings.model_dump(mode="json"),
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "rng": json.dumps(self._rng.bit_generator.state),
            "noise": self._noise.get_state(),
            "counts": {"samples": self.samples, "steps": self.steps, "seconds": self.seconds, "version": self.version},
            "losses": self._losses,
        }
        partial = self.folder / ".trainer.pt.partial"
        torch.save(state, partial)
        os.replace(partial, self.folder / "trainer.pt")

    def _resume(self) -> None:
        path = self.folder / "trainer.pt"
        if not path.exists():
            self._measure_state()
            return
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._rng.bit_generator.state = json.loads(state["rng"])
        self._noise.set_state(state["noise"].cpu())
        for name, value in state["counts"].items():
            setattr(self, name, value)
        self._losses = state["losses"]

    def _measure_state(self) -> None:
        """Mean and spread of the proprioceptive numbers, from the first frames; waits for them."""
        self._wait_for_frames(lambda: False)
        count = len(self._reader)
        frames = self._reader.take(self._rng.integers(0, count, min(count, 2000)))
        mean, spread = frames["state"].mean(0), frames["state"].std(0)
        for model in (self.model, self.average):
            model.state_mean.copy_(torch.from_numpy(mean))
            model.state_scale.copy_(torch.from_numpy(np.maximum(spread, 1e-3) * 2.0))

    def _wait_for_frames(self, stop: Callable[[], bool]) -> float:
        """Seconds waited until there are enough frames for what comes next."""
        began = time.monotonic()
        while not stop():
            count = self._reader.refresh()
            needed = max(self.settings.least_frames, self.samples / self.settings.most_reuse)
            if count >= needed:
                break
            time.sleep(WAIT_S)
        return time.monotonic() - began

    def _robot_parts(self) -> dict[str, Tensor]:
        indices = self._rng.integers(0, len(self._reader), self.settings.batch)
        cameras = list(self.model.config.cameras)
        batch = robot_batch(self._reader.take(indices), self._prompts, self._tokens, cameras)
        batch = _moved(batch, self.device)
        return self.robot_losses(batch)

    def robot_losses(self, batch: RobotBatch) -> dict[str, Tensor]:
        """Each part of the loss on a batch, unweighted."""
        settings, model = self.settings, self.model
        pictures = recoloured(batch.pictures, settings.recolour, self._noise)
        heard = model.listen(batch.prompt, batch.mask)
        seen = model.look(pictures, batch.state, heard)
        logits = model.action_logits(seen, self._told(batch.bins))
        parts = {"action": action_loss(logits, batch.bins, self._flags, settings.loss.softness_bins)}
        sizes = {name: (h // 8, w // 8) for name, (w, h) in model.config.cameras.items()}
        if settings.loss.pointing:
            each = [pointing_loss(seen.pointing[c], batch.points[c], *sizes[c]) for c in sizes]
            parts["pointing"] = torch.stack(each).mean()
        if settings.loss.auxiliary:
            parts["auxiliary"] = auxiliary_loss(seen.auxiliary, batch.auxiliary)
        if settings.loss.grounding:
            names = model.listen(*self._names).meaning
            each = [grounding_loss(model.cell_logits(seen, c, names), batch.cells[c], COMMON_CELLS) for c in sizes]
            parts["grounding"] = torch.stack(each).mean()
        return parts

    def _text_parts(self) -> dict[str, Tensor]:
        assert self._text is not None
        return self._text.losses(self.model, self._rng, self._names)

    def _told(self, bins: Tensor) -> Tensor:
        """(b, 8) the token before each action token for a share of the examples, -1 for the others."""
        before = torch.full_like(bins, -1)
        before[:, 1:] = bins[:, :-1] + self.model.config.action_start
        told = torch.rand(len(bins), 1, generator=self._noise).to(bins.device) < self.settings.told_share
        return torch.where(told, before, -1)

    @torch.no_grad()
    def _average(self) -> None:
        # a young average would be mostly the random start
        keep = min(self.settings.ema, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - keep)


def _schedule(share: float) -> float:
    """Of the peak learning rate, at a share of the budget."""
    if share < 0.01:
        return max(0.02, share / 0.01)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, (share - 0.01) / 0.99)))


def _moved(batch: RobotBatch, device: str) -> RobotBatch:
    if device == "cpu":
        return batch

    def moved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor.to(device) for name, tensor in tensors.items()}

    return RobotBatch(
        moved(batch.pictures), batch.state.to(device), batch.prompt.to(device), batch.mask.to(device),
        batch.bins.to(device), moved(batch.points), moved(batch.cells), batch.auxiliary.to(device),
    )  # fmt: skip


def _autocast(precision: str, device: str) -> torch.autocast:
    """bfloat16 where it is faster: on a GPU that has it, on a CPU with tile instructions."""
    kind = "cuda" if device.startswith("cuda") else "cpu"
    fast = torch.cuda.is_bf16_supported() if kind == "cuda" else torch.cpu._is_amx_tile_supported()
    return torch.autocast(kind, torch.bfloat16, enabled=precision == "bfloat16" or (precision == "auto" and fast))


def as_record(progress: Progress) -> dict[str, Any]:
    """JSON-ready."""
    return asdict(progress)
