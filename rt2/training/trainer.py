"""Trainer: from a growing folder of frames to weights, resumable at any moment.

AdamW with warm-up and cosine, gradient clipping, and an exponential moving average of the weights, which is what is
published to collectors and kept. Settings, seed and frames decide the weights; with a budget of minutes the clock does
too. Not for: collecting, or evaluating on a robot.
"""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rt2.action_contract import ActionContract
from rt2.action_kinds import kinds_of
from rt2.action_tokens import ActionTokenizer
from rt2.modeling import RT2Network
from rt2.processing import SmallProcessor
from rt2.small import SmallVLA
from rt2.training.batches import Prompts, RobotBatch, recoloured, robot_batch
from rt2.training.errors import TrainingError
from rt2.training.frames import ShardReader
from rt2.training.losses import action_loss, auxiliary_loss, grounding_loss, pointing_loss
from rt2.training.publishing import newest_version, publish
from rt2.training.settings import TrainingSettings
from rt2.training.text import COMMON_CELLS, TextTask

WAIT_S = 1.0
SHOW_S = 2.0  # how often progress is told
HELD_OUT, HELD_OUT_FRAMES = "held_out.", 128  # what their losses' names begin with; looked at with each publication
MOST_BROKEN_STEPS = 20  # one after the other; now and then a batch may overflow in bfloat16


@dataclass(frozen=True)
class Progress:
    """How far a training is. share: of the budget; seconds: of training so far; left_s: estimate; losses: running means
    by part, and after HELD_OUT those of the averaged weights on scenes that are never learned from; frames, examples:
    how many robot frames and vision-language examples are at hand."""

    samples: int
    steps: int
    share: float
    seconds: float
    left_s: float
    samples_per_s: float
    frames: int
    losses: dict[str, float]
    examples: int = 0
    learning_rate: float = 0.0
    version: int = 0


OnProgress = Callable[[Progress], None]
OnWait = Callable[[int, int], None]  # robot frames that have come, robot frames that are needed


def ignore_wait(_frames: int, _needed: int) -> None:
    """A callback that does nothing."""


class Trainer:
    """One training in `folder` (see rt2.training.publishing for its files). Goes on where a killed one stopped.

    growing: whether more frames will come, which are then waited for; may be changed meanwhile. trained: whether the
    network is one that has been trained before, so that what it takes for usual stands and its average is worth
    keeping. Raises TrainingError from `run` and `step`.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        model: RT2Network,
        processor: SmallProcessor,
        contract: ActionContract,
        folder: Path,
        reader: ShardReader,
        text: TextTask | None = None,
        *,
        device: str = "cpu",
        growing: bool = True,
        trained: bool = False,
    ) -> None:
        self.settings, self.folder, self.growing = settings, folder, growing
        self.model = model.to(device)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        one_by_one = settings.told_share == 1.0  # it never learned to act without being told
        self.vla = SmallVLA(self.average, processor, contract, decoding="one-by-one" if one_by_one else "parallel")
        self.device = device
        self._reader, self._text = reader, text
        self._tokens = ActionTokenizer.own(processor.action_start, contract.dimensions, contract.bins)
        self._flags = torch.tensor([d.is_flag for d in contract.dimensions], device=device)
        self._terminate = [d.name for d in contract.dimensions].index("terminate")
        self._emphasis = _emphasis(settings.loss.emphasis, model.config.auxiliary).to(device)
        self._prompts = Prompts(processor)
        self._names = [t.to(device) for t in processor.prompts(model.config.cell_names, "ask")]
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay,
            betas=(0.9, 0.98), fused=True,
        )  # fmt: skip
        self._rng = np.random.default_rng(settings.seed)
        self._held_out_rng = np.random.default_rng([settings.seed, 1])
        self._noise = torch.Generator().manual_seed(settings.seed)
        self._autocast = _autocast(settings.precision, device)
        self.samples, self.steps, self.seconds, self.version = 0, 0, 0.0, 0
        self._arrived, self._at_hand = 0, 0  # frames: that ever came, and that are there now
        self._broken = 0  # steps without a finite gradient, one after the other
        self._trained, self._measured = trained, trained
        self._losses: dict[str, Tensor] = {}
        self._resume()

    def run(
        self, on_progress: OnProgress, stop: Callable[[], bool] = lambda: False, on_wait: OnWait = ignore_wait
    ) -> None:
        """Train until the budget is used up or `stop`; weights are published and saved before it returns.

        on_progress: every few seconds and at the end; on_wait: every second while there are too few frames.
        """
        self._wait_for_frames(stop, on_wait)
        if stop():
            return
        self._measure_state()
        began, before, start_samples = time.monotonic(), self.seconds, self.samples
        published = saved = shown = began
        waited = 0.0
        while not stop() and self.share < 1.0:
            self.step()
            now = time.monotonic()
            self.seconds = before + now - began - waited
            if now - shown > SHOW_S and self.share < 1.0:  # the end is shown once, below
                shown = now
                waited += self._wait_for_frames(stop, on_wait)
                on_progress(self.progress(_rate(self.samples - start_samples, self.seconds - before)))
            if now - published > self.settings.publish_s:
                published = now
                self.publish()
            if now - saved > self.settings.save_s:
                saved = now
                self.save()
        self.publish()
        self.save()
        on_progress(self.progress(_rate(self.samples - start_samples, self.seconds - before)))

    def step(self) -> None:
        """One update on one batch."""
        self._measure_state()
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate
        text = self._text is not None and self._rng.random() < self.settings.text_share and len(self._text) > 0
        batch = self.settings.batch_at(self.share)
        with self._autocast:
            parts = self._text_parts(batch) if text else self._robot_parts(batch)
        weights = self.settings.loss.model_dump()
        loss = sum((weights[name] * value for name, value in parts.items()), torch.zeros((), device=self.device))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip, foreach=True)
        if self._is_sound(norm):
            self._optimizer.step()
            self._average()
            self._remember({name: value.detach() for name, value in parts.items()}, "text." if text else "")
        self.steps += 1
        self.samples += batch

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return self.settings.learning_rate * _schedule(self.share)

    @property
    def share(self) -> float:
        """Of the budget that is used up."""
        return self.settings.used(self.samples, self.seconds)

    def _is_sound(self, norm: Tensor) -> bool:
        """Whether a step's gradient is made of numbers; a broken one is left out, many in a row end the training."""
        self._broken = 0 if bool(torch.isfinite(norm)) else self._broken + 1
        if self._broken >= MOST_BROKEN_STEPS:
            raise TrainingError(
                f"no finite gradient in {self._broken} steps, at sample {self.samples}: the training has diverged; "
                f"a lower training.learning_rate than {self.settings.learning_rate:g} may help, or precision float32"
            )
        return self._broken == 0

    def _remember(self, losses: Mapping[str, Tensor], prefix: str = "", newest: float = 0.02) -> None:
        """Running means of the parts; kept where they are computed, so that a GPU is not waited for."""
        for name, new in losses.items():
            before = self._losses.get(prefix + name, new)
            self._losses[prefix + name] = torch.lerp(before.to(new), new, newest)

    def progress(self, samples_per_s: float) -> Progress:
        share = self.share
        left = self.seconds * (1 - share) / share if share > 0 else math.inf
        return Progress(
            self.samples, self.steps, share, self.seconds, max(0.0, left), samples_per_s, len(self._reader),
            self._loss_means(), 0 if self._text is None else len(self._text), self.learning_rate, self.version,
        )  # fmt: skip

    def _loss_means(self) -> dict[str, float]:
        return {name: float(value) for name, value in self._losses.items()}

    def publish(self) -> None:
        """The averaged weights as the newest policy."""
        self.version += 1
        publish(self.folder, self.vla, self.version)
        self._remember(self.held_out_losses(), HELD_OUT, newest=0.2)

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
            "arrived": self._arrived,
            "losses": self._loss_means(),
        }
        partial = self.folder / ".trainer.pt.partial"
        try:
            torch.save(state, partial)
        except (OSError, RuntimeError) as error:  # a full disk is a RuntimeError of torch's
            raise TrainingError(f"{partial}: cannot be written, is the disk full? {error}") from error
        os.replace(partial, self.folder / "trainer.pt")

    def _resume(self) -> None:
        path = self.folder / "trainer.pt"
        self.version = published = newest_version(self.folder)  # one number, one policy
        if not path.exists():
            return
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._rng.bit_generator.state = json.loads(state["rng"])
        self._noise.set_state(state["noise"].cpu())
        for name, value in state["counts"].items():
            setattr(self, name, value)
        self.version = max(self.version, published)
        self._arrived = state.get("arrived", 0)
        self._losses = {name: torch.tensor(value, device=self.device) for name, value in state["losses"].items()}
        self._measured = True

    def _measure_state(self) -> None:
        """Mean and spread of the proprioceptive numbers, once, from the first frames."""
        if self._measured:
            return
        self._refresh()
        count = len(self._reader)
        if not count:
            raise TrainingError("no robot frames to learn from")
        frames = self._reader.take(self._rng.integers(0, count, min(count, 2000)))
        mean, spread = frames["state"].mean(0), frames["state"].std(0)
        for model in (self.model, self.average):
            model.state_mean.copy_(torch.from_numpy(mean))
            model.state_scale.copy_(torch.from_numpy(np.maximum(spread, 1e-3) * 2.0))
        self._measured = True

    def _wait_for_frames(self, stop: Callable[[], bool], on_wait: OnWait) -> float:
        """Seconds waited until there are enough frames for what comes next."""
        began = time.monotonic()
        while not stop():
            self._refresh()
            needed = max(self.settings.least_frames, self.samples / self.settings.most_reuse)
            if not self.growing or self._arrived >= needed:
                break
            on_wait(self._arrived, math.ceil(needed))
            time.sleep(WAIT_S)
        return time.monotonic() - began

    def _refresh(self) -> None:
        """Look for new frames and examples. Frames that made room for others have arrived all the same."""
        gone = self._reader.dropped
        count = self._reader.refresh()
        arrived = count - self._at_hand + self._reader.dropped - gone
        self._arrived = max(count, self._arrived if self._at_hand == 0 else self._arrived + arrived)
        self._at_hand = count
        if self._text is not None:
            self._text.refresh()

    def _robot_parts(self, examples: int) -> dict[str, Tensor]:
        return self.robot_losses(self._batch(self._reader.draw(self._rng, examples)))

    def _batch(self, indices: NDArray[np.int64]) -> RobotBatch:
        cameras = list(self.model.config.cameras)
        return _moved(robot_batch(self._reader.take(indices), self._prompts, self._tokens, cameras), self.device)

    def robot_losses(self, batch: RobotBatch) -> dict[str, Tensor]:
        """Each part of the loss on a batch, unweighted."""
        pictures = recoloured(batch.pictures, self.settings.recolour, self._noise)
        told = torch.rand(len(batch.bins), 1, generator=self._noise) < self.settings.told_share
        return self._losses_of(self.model, batch, pictures, told)

    @torch.no_grad()
    def held_out_losses(self) -> dict[str, Tensor]:
        """The same of the averaged weights on frames of scenes that are never learned from; none without such."""
        indices = self._reader.draw_held_out(self._held_out_rng, HELD_OUT_FRAMES)
        if not len(indices):
            return {}
        batch = self._batch(indices)
        pictures = {camera: picture.float() for camera, picture in batch.pictures.items()}
        told = torch.full((len(indices), 1), self.settings.told_share == 1.0)
        with self._autocast:
            return self._losses_of(self.average, batch, pictures, told)

    def _losses_of(
        self, model: RT2Network, batch: RobotBatch, pictures: dict[str, Tensor], told: Tensor
    ) -> dict[str, Tensor]:
        """told (b, 1): whether a network is told the tokens before each."""
        settings = self.settings
        heard = model.listen(batch.prompt, batch.mask)
        kinds = kinds_of(batch.bins, model.config.bins) if settings.loss.kind else None
        seen = model.look(pictures, batch.state, heard, kinds=kinds)
        logits = model.action_logits(seen, self._before(batch.bins, told))
        ends = batch.bins[:, self._terminate] == model.config.bins - 1
        parts = {"action": action_loss(logits, batch.bins, self._flags, ends, settings.loss.softness_bins)}
        if kinds is not None:
            parts["kind"] = functional.cross_entropy(seen.kinds.float(), kinds)
        sizes = {name: (h // 8, w // 8) for name, (w, h) in model.config.cameras.items()}
        if settings.loss.pointing:
            each = [pointing_loss(seen.pointing[c], batch.points[c], *sizes[c]) for c in sizes]
            parts["pointing"] = torch.stack(each).mean()
        if settings.loss.auxiliary:
            parts["auxiliary"] = auxiliary_loss(seen.auxiliary, batch.auxiliary, self._emphasis)
        if settings.loss.grounding:
            names = model.listen(*self._names).meaning
            each = [grounding_loss(model.cell_logits(seen, c, names), batch.cells[c], COMMON_CELLS) for c in sizes]
            parts["grounding"] = torch.stack(each).mean()
        return parts

    def _text_parts(self, examples: int) -> dict[str, Tensor]:
        assert self._text is not None
        return self._text.losses(self.model, self._rng, examples, self._names, self.settings.loss)

    def _before(self, bins: Tensor, told: Tensor) -> Tensor:
        """(b, 8) the token before each action token where it is told, else -1."""
        before = torch.full_like(bins, -1)
        before[:, 1:] = bins[:, :-1] + self.model.config.action_start
        return torch.where(told.to(bins.device), before, -1)

    @torch.no_grad()
    def _average(self) -> None:
        # a young average would be mostly the random start
        keep = self.settings.ema if self._trained else min(self.settings.ema, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1 - keep)


def _emphasis(emphasis: Mapping[str, float], names: Sequence[str]) -> Tensor:
    """(A,) weights of the auxiliary numbers. Raises ValueError for a name that is none of them."""
    unknown = sorted(emphasis.keys() - set(names))
    if unknown:
        raise ValueError(f"no auxiliary number {', '.join(unknown)} to emphasise; have: {', '.join(names)}")
    return torch.tensor([float(emphasis.get(name, 1.0)) for name in names])


def _schedule(share: float) -> float:
    """Of the peak learning rate, at a share of the budget."""
    if share < 0.01:
        return max(0.02, share / 0.01)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, (share - 0.01) / 0.99)))


def _rate(samples: int, seconds: float) -> float:
    return samples / max(1e-6, seconds)


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
