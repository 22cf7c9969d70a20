"""TrainingSettings: everything that decides how weights come from examples.

Not for: where the examples come from.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rt2.training.losses import LossWeights


class TrainingSettings(BaseModel):
    """One training.

    samples, minutes: the budget; at least one; whichever is used up first ends it. Minutes count training only, over
    all resumptions. learning_rate: the peak; linear warm-up over the first hundredth, then cosine down to a fiftieth.
    told_share: of action examples shown the tokens before each, so that the network can also decode one by one.
    text_share: of steps that are on vision-language examples. recolour: how far brightness and colours are changed.
    least_frames: robot frames to wait for; most_reuse: how often a frame is shown at most on average before more
    are waited for. late_from: share of the budget from which on batches are of `late_batch` examples, which keep
    several cores busy and do as well at a low learning rate as more steps (Smith et al. 2018, arXiv 1711.00489).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: int | None = Field(default=None, gt=0)
    minutes: float | None = Field(default=None, gt=0)
    seed: int = Field(default=0, ge=0)
    batch: int = Field(default=40, gt=0)
    late_from: float = Field(default=1.0, gt=0, le=1)
    late_batch: int | None = Field(default=None, gt=0)
    learning_rate: float = Field(default=8e-4, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, gt=0)
    ema: float = Field(default=0.999, ge=0, lt=1)
    told_share: float = Field(default=0.1, ge=0, le=1)
    text_share: float = Field(default=0.0, ge=0, lt=1)
    recolour: float = Field(default=0.1, ge=0, le=1)
    least_frames: int = Field(default=2000, gt=0)
    most_reuse: float = Field(default=12.0, gt=0)
    publish_s: float = Field(default=60.0, gt=0)  # how often collectors get new weights
    save_s: float = Field(default=180.0, gt=0)  # how often all is saved, to be resumed from
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    loss: LossWeights = LossWeights()

    @model_validator(mode="after")
    def _has_a_budget(self) -> Self:
        if self.samples is None and self.minutes is None:
            raise ValueError("a training needs a budget: samples, minutes or both")
        return self

    @model_validator(mode="after")
    def _has_a_late_part_or_none(self) -> Self:
        if (self.late_batch is None) != (self.late_from == 1.0):
            raise ValueError("late_from (below 1) and late_batch go together")
        return self

    def batch_at(self, share: float) -> int:
        """Examples of a step at a share of the budget."""
        return self.late_batch if self.late_batch is not None and share >= self.late_from else self.batch

    def used(self, samples: int, seconds: float) -> float:
        """Share of the budget, 0 to 1 and beyond."""
        shares = [0.0]
        if self.samples is not None:
            shares.append(samples / self.samples)
        if self.minutes is not None:
            shares.append(seconds / (60 * self.minutes))
        return max(shares)
