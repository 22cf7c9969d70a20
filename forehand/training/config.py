"""TrainConfig: one training as a YAML file: model, budget, where robot frames and vision-language examples come from.

Not for: reading the file (forehand.training.reading) or carrying it out (forehand.training.run).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from executor.learning.practice import CollectorConfig
from rt2.training.settings import TrainingSettings


class ModelConfig(BaseModel):
    """Sizes of a new rt2-small. language: a tower learned from nothing, or frozen all-MiniLM-L6-v2.

    backbone: a vision-language model to tune instead, by hub name or folder; then `tuning` counts and the sizes do not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str | None = None
    language: Literal["learned", "minilm"] = "learned"
    width: int = Field(default=128, gt=0)
    layers: int = Field(default=3, gt=0)
    heads: int = Field(default=4, gt=0)
    text_width: int = Field(default=128, gt=0)
    fine_channels: int = Field(default=32, gt=0)
    coarse_channels: int = Field(default=80, gt=0)
    slots: int = Field(default=8, gt=0)

    @property
    def sizes(self) -> dict[str, Any]:
        """What RT2Config takes."""
        return self.model_dump(exclude={"backbone"})


class RobotData(BaseModel):
    """Robot frames. workers: collectors that practise beside training. niceness: added to theirs. until: share of the
    budget after which they end, and the trainer computes on their cores, too.

    frames: a folder of shards, such as another training's `frames`; datasets: LeRobot datasets; both are taken as they
    are when the training begins. At least one of the three is needed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: int = Field(default=1, ge=0)
    niceness: int = Field(default=0, ge=0, le=19)
    until: float = Field(default=1.0, gt=0, le=1)
    frames: Path | None = None
    datasets: tuple[Path, ...] = ()
    collect: CollectorConfig = CollectorConfig()

    @model_validator(mode="after")
    def _has_a_source(self) -> RobotData:
        if not self.workers and self.frames is None and not self.datasets:
            raise ValueError("no robot frames: give workers, a folder of frames, or datasets")
        return self


class ImageTextData(BaseModel):
    """One Hugging Face image-text dataset, by hub name or folder. question_column: None where answers are captions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0)
    split: str = "train"
    image_column: str = "image"
    question_column: str | None = "question"
    answer_column: str = "answer"
    limit: int = Field(default=20_000, gt=0)


class VisionLanguageData(BaseModel):
    """Vision-language examples; how many steps are on them is training.text_share.

    examples: of the tabletop, generated beside training by a process of low priority; weight: theirs against that of
    each of `datasets`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: int = Field(default=0, ge=0)
    seed: int = Field(default=0, ge=0)
    weight: float = Field(default=1.0, gt=0)
    datasets: tuple[ImageTextData, ...] = ()


class SkillLearning(BaseModel):
    """Skills added to what a trained rt2-small can do.

    checkpoint, checkpoint_sha256: it and its weights. files: skill file → its sha256, the new one last. skills: the
    new ones. words: that they bring. share: of each batch, frames of the new skills. from_demos: whether only recorded
    demonstrations teach them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Path
    checkpoint_sha256: str
    files: dict[Path, str]
    skills: tuple[str, ...] = Field(min_length=1)
    words: tuple[str, ...] = ()
    share: float = Field(default=0.35, gt=0, lt=1)
    from_demos: bool = False


class TrainConfig(BaseModel):
    """One training. name: by default that of its file. tuning: settings of rt2.backbones.tune_config.TuneConfig, for
    model.backbone. learning: where it goes on from a trained network, whose sizes `model` then repeats."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    description: str = ""
    model: ModelConfig = ModelConfig()
    training: TrainingSettings
    robot: RobotData = RobotData()
    vision_language: VisionLanguageData = VisionLanguageData()
    tuning: dict[str, Any] = {}
    learning: SkillLearning | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> TrainConfig:
        text = self.vision_language
        if self.training.text_share and not text.examples and not text.datasets:
            raise ValueError("training.text_share is above 0, but vision_language has neither examples nor datasets")
        if self.tuning and self.model.backbone is None:
            raise ValueError("tuning is for model.backbone, which is not given")
        return self
