"""What rt2-small is trained on: actions as softened bins, pointing, auxiliary numbers, and naming what cells show.

Not for: the order in which examples come (rt2.training.batches) or the optimiser (rt2.training.trainer).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional

from rt2.layers import cell_centres
from rt2.training.frames import IGNORED_CELL


class LossWeights(BaseModel):
    """Weights of the parts; 0 leaves one out.

    softness_bins: standard deviation, in bins, of the Gaussian that stands for a bin; flags stay hard.
    emphasis: weight of single auxiliary numbers by name, 1 for those left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: float = Field(default=1.0, ge=0)
    kind: float = Field(default=0.25, ge=0)
    pointing: float = Field(default=0.5, ge=0)
    auxiliary: float = Field(default=0.5, ge=0)
    grounding: float = Field(default=0.2, ge=0)
    text: float = Field(default=1.0, ge=0)
    softness_bins: float = Field(default=2.0, ge=0)
    emphasis: Mapping[str, float] = Field(default_factory=dict)


def softened(bins: Tensor, count: int, softness: float) -> Tensor:
    """(…) bins → (…, count) Gaussian weights around each, summing to 1."""
    places = torch.arange(count, device=bins.device, dtype=torch.float32)
    away = (places - bins.unsqueeze(-1).float()) / softness
    weights = torch.exp(-0.5 * away * away)
    return weights / weights.sum(-1, keepdim=True)


def action_loss(logits: Tensor, bins: Tensor, flags: Tensor, ends: Tensor, softness: float) -> Tensor:
    """logits (b, 8, n), bins (b, 8), flags (8,) True for dimensions with two values → mean cross-entropy, in nats.

    ends (b,): True for actions that terminate; of those nothing else is executed, and only flags count. What softening
    alone costs is subtracted: 0 is perfect, but where a bin lies at the end of its range less is possible.
    """
    counts = flags | ~ends[:, None]
    logs = logits.float().log_softmax(-1)
    hard = -logs.gather(-1, bins.unsqueeze(-1)).squeeze(-1)
    if softness <= 0:
        return _masked_mean(hard, counts)
    soft = softened(bins, logits.shape[-1], softness)
    entropy = math.log(softness * math.sqrt(2 * math.pi * math.e))
    return _masked_mean(torch.where(flags, hard, -(soft * logs).sum(-1) - entropy), counts)


def pointing_loss(logits: Tensor, point: Tensor, rows: int, columns: int) -> Tensor:
    """logits (b, rows·columns), point (b, 3) x, y in 0..1 and visible → mean cross-entropy over the visible ones.

    A point stands for the four cells around it, weighted so that their mean is the point.
    """
    centres = cell_centres(rows, columns).flatten(0, 1).to(point)
    size = point.new_tensor([columns, rows])
    inside = point[:, None, :2].clamp(0.5 / size, 1 - 0.5 / size)
    target = (1 - ((inside - centres) * size).abs()).clamp(min=0).prod(-1)  # (b, cells)
    each = -(target * logits.float().log_softmax(-1)).sum(-1)
    return _masked_mean(each, point[:, 2] > 0.5)


def auxiliary_loss(told: Tensor, truth: Tensor, emphasis: Tensor) -> Tensor:
    """told and truth (b, A), emphasis (A,) → mean smooth L1 over what is not NaN, each number times its emphasis."""
    known = torch.isfinite(truth)
    each = functional.smooth_l1_loss(told.float(), torch.where(known, truth, 0.0), reduction="none", beta=0.1)
    return _masked_mean(each * emphasis, known)


def grounding_loss(logits: Tensor, cells: Tensor, common: int) -> Tensor:
    """logits (b, cells, names), cells (b, cells) index of the name, IGNORED_CELL unknown → cross-entropy.

    Names before `common` (table, robot, …) cover most of a picture and count a tenth.
    """
    logs = logits.float().log_softmax(-1)
    known = cells != IGNORED_CELL
    index = torch.where(known, cells, 0)
    each = -logs.gather(-1, index.unsqueeze(-1)).squeeze(-1)
    weight = known * torch.where(index < common, 0.1, 1.0)
    return (each * weight).sum() / weight.sum().clamp(min=1.0)


def text_loss(logits: Tensor, answer: Tensor, mask: Tensor) -> Tensor:
    """logits (b, n, v) of what follows each token, answer (b, n) what did, mask (b, n) → mean over real tokens."""
    each = functional.cross_entropy(logits.float().flatten(0, 1), answer.flatten(), reduction="none")
    return _masked_mean(each, mask.flatten())


def _masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)
