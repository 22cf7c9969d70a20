"""What a person decides about fine-tuning a vision-language model; every entry has a reason for its default.

Not for: the robot's side, which is the action contract.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from rt2.backbones.checkpoint import Adapt, Weights
from rt2.backbones.families import Views
from rt2.backbones.vocabulary import Scheme


class TuneConfig(BaseModel):
    """One fine-tuning run.

    backbone: hub name or folder. adapt: "lora" trains low-rank updates (rank, alpha) of every linear layer and the
    action tokens' own rows; "full" trains all weights. scheme: which tokens stand for actions. views: None takes what
    the family does best. state: whether the state goes in as text. steps: optimiser steps, each of `batch` rows
    `accumulate` times. text_share: share of question rows, where there are questions. precision: of the arithmetic;
    weights: of what is kept, where bfloat16 halves the memory of a LoRA run but is too coarse for full tuning. A step
    whose loss is under until_loss is the last one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str = Field(min_length=1)
    adapt: Adapt = "lora"
    scheme: Scheme = "overwrite"
    views: Views | None = None
    state: Literal["text", "none"] = "text"
    steps: int = Field(default=2000, ge=1)
    batch: int = Field(default=8, ge=1)
    accumulate: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=2e-4, gt=0)
    warmup: int = Field(default=20, ge=1)
    clip: float = Field(default=1.0, gt=0)
    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    text_share: float = Field(default=0.3, ge=0, le=1)
    precision: Literal["no", "bf16"] = "no"
    weights: Weights = "float32"
    checkpoint_every: int = Field(default=200, ge=1)
    until_loss: float = Field(default=0.0, ge=0)
    device: Literal["auto", "cpu"] = "auto"
    seed: int = 0

    @field_validator("backbone")
    @classmethod
    def _folders_are_absolute(cls, name: str) -> str:
        """A checkpoint names its base model, and is loaded from other places than where it was made."""
        return str(Path(name).resolve()) if Path(name).is_dir() else name
