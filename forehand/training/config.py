"""TrainConfig: one training as a YAML file: model, budget, where robot frames and vision-language examples come from.

Not for: carrying it out (forehand.training.run).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from executor.learning.practice import CollectorConfig
from rt2.training.settings import TrainingSettings


class ModelConfig(BaseModel):
    """Sizes of a new rt2-small. language: a tower learned from nothing, or frozen all-MiniLM-L6-v2."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Literal["learned", "minilm"] = "learned"
    width: int = Field(default=128, gt=0)
    layers: int = Field(default=3, gt=0)
    heads: int = Field(default=4, gt=0)
    text_width: int = Field(default=128, gt=0)
    fine_channels: int = Field(default=32, gt=0)
    coarse_channels: int = Field(default=80, gt=0)
    slots: int = Field(default=8, gt=0)


class RobotData(BaseModel):
    """Robot frames: collectors that practise beside training. workers: processes, 0 for what is already there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: int = Field(default=1, ge=0)
    collect: CollectorConfig = CollectorConfig()


class TrainConfig(BaseModel):
    """One training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelConfig = ModelConfig()
    training: TrainingSettings
    robot: RobotData = RobotData()
