"""The arms of RT-2's comparison: what each training changes, on what it is evaluated, and where it lies on disk.

Not for: carrying it out (forehand.studies.rt2_comparison), or the page (forehand.studies.rt2_findings).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from executor.evaluation_cases import Case, Split, splits_of
from forehand.training.config import TrainConfig
from forehand.training.reading import read_recipe, recipe_path
from skills.library import SkillLibrary

BASELINE, REFERENCE = "co-fine-tuned", "dagger"
COLLECTING_SEED = 100  # of training seed 0; the next ones follow
SAMPLES = 60_000
SKILLS = ("pick", "place_in", "press", "open")  # the budget is too small for seven; two easy ones and two hard ones


@dataclass(frozen=True)
class TrainedArm:
    """One way to train. changes: to the baseline's settings, as `forehand train --set` takes them.

    practises: it collects its own frames, whatever the others do.
    """

    words: str
    changes: tuple[str, ...] = ()
    practises: bool = False


ARMS: Mapping[str, TrainedArm] = {
    BASELINE: TrainedArm("robot and vision-language data, learned language tower, all losses"),
    "robot-only": TrainedArm("robot data alone", ("training.text_share=0",)),
    "minilm": TrainedArm("pretrained language tower (all-MiniLM-L6-v2, frozen)", ("model.language=minilm",)),
    "no-pointing": TrainedArm("no pointing loss", ("training.loss.pointing=0",)),
    "no-auxiliary": TrainedArm("no auxiliary loss", ("training.loss.auxiliary=0",)),
    "no-grounding": TrainedArm("no grounding loss", ("training.loss.grounding=0",)),
    "no-kind": TrainedArm("no kind of action decided before its tokens", ("training.loss.kind=0",)),
    REFERENCE: TrainedArm("the baseline with a collector of its own (dataset aggregation)", practises=True),
    "cloning": TrainedArm("noisy expert's runs alone", ("robot.collect.policy_share=0",), practises=True),
    "one-by-one": TrainedArm("the 8 action tokens decoded one by one", ("training.told_share=1",)),
}
DEFAULT_ARMS = (BASELINE, "robot-only", "minilm", "no-pointing", "no-auxiliary", "no-grounding", "no-kind")

CELLS: Mapping[str, Split] = {
    "seen": "seen",
    "unseen objects": "colours",
    "unseen wordings": "wordings",
    "unseen backgrounds": "backgrounds",
    "unseen environments": "environments",
}


class StudySettings(BaseModel):
    """What all trainings of a study share; a folder holds trainings of one such record.

    samples, minutes: the budget of each training, one of the two. frames: "shared": all arms of a seed learn from what
    the reference arm collected; "own": each has a collector. examples: vision-language examples, the same for all.
    changes: further settings of the recipe.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str = "rt2-small"
    samples: int | None = Field(default=SAMPLES, gt=0)
    minutes: float | None = Field(default=None, gt=0)
    skills: tuple[str, ...] = Field(default=SKILLS, min_length=1)
    frames: Literal["shared", "own"] = "shared"
    examples: int = Field(default=6000, gt=0)
    collectors: int = Field(default=1, gt=0)
    changes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_budget(self) -> StudySettings:
        if (self.samples is None) == (self.minutes is None):
            raise ValueError("give the budget either in samples or in minutes")
        return self

    @property
    def budget(self) -> str:
        """In words."""
        return f"{self.samples:,} samples" if self.samples is not None else f"{self.minutes:g} minutes"


def stands_for(arm: str, settings: StudySettings) -> str:
    """Where every arm practises, the baseline is the reference already."""
    return BASELINE if arm == REFERENCE and settings.frames == "own" else arm


def practises(arm: str, settings: StudySettings) -> bool:
    return ARMS[arm].practises or settings.frames == "own"


def compared_arms(arms: Iterable[str], settings: StudySettings) -> list[str]:
    """The arms to evaluate, in order: also what they are compared with."""
    wanted = {BASELINE, *(stands_for(arm, settings) for arm in arms)}
    if "cloning" in wanted:
        wanted.add(stands_for(REFERENCE, settings))
    return [arm for arm in ARMS if arm in wanted]


def needed_arms(arms: Iterable[str], settings: StudySettings) -> list[str]:
    """The arms to train, in order: also whoever collects for them, first."""
    wanted = compared_arms(arms, settings)
    collected = any(not practises(arm, settings) for arm in wanted)
    return [*([REFERENCE] if collected else []), *(arm for arm in wanted if not collected or arm != REFERENCE)]


def arm_folder(out: Path, arm: str, seed: int) -> Path:
    return out / arm / f"seed-{seed}"


def config_of(settings: StudySettings, arm: str, seed: int, out: Path) -> TrainConfig:
    """One training. Raises ConfigError for a setting that there is not."""
    changes = [
        f"training.samples={json.dumps(settings.samples)}",
        f"training.minutes={json.dumps(settings.minutes)}",
        f"training.seed={seed}",
        f"robot.collect.seed={COLLECTING_SEED + seed}",
        f"robot.collect.skills={json.dumps(settings.skills)}",
        f"vision_language.examples={settings.examples}",
        *settings.changes,
        *ARMS[arm].changes,
    ]
    if practises(arm, settings):
        changes.append(f"robot.workers={settings.collectors}")
    else:
        frames = arm_folder(out, REFERENCE, seed).resolve() / "frames"
        changes += ["robot.workers=0", f"robot.frames={json.dumps(str(frames))}"]
    return read_recipe(recipe_path(settings.recipe), changes)


def cases_of(cells: Sequence[str], skills: Sequence[str], episodes: int, training_seed: int) -> list[Case]:
    """So many of each cell, its skills in turn, cells in turn: what a killed evaluation has is balanced.

    Every training seed has scenes of its own, so that each adds as much as another episode does.
    """
    first = training_seed * episodes
    library = SkillLibrary()
    columns = []
    for cell in cells:
        split = CELLS[cell]
        fitting = [skill for skill in skills if split in splits_of(skill, library)]
        count = episodes if fitting else 0
        columns.append([Case(split, fitting[k % len(fitting)], first + k // len(fitting)) for k in range(count)])
    return [column[k] for k in range(episodes) for column in columns if k < len(column)]
