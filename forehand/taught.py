"""Which skill files a checkpoint was taught with, and whether a run brings them: skill_files.json beside the weights.

Not for: teaching it (forehand.training.skill_learning).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from forehand.config import ConfigError
from rt2.errors import CheckpointError
from skills.library import SkillLibrary

FILE = "skill_files.json"
SHOWN_DIGITS = 12


class TaughtSkill(BaseModel):
    """A skill that is not built in. file: its name and where it was; template: the sentence that the model was told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    skill: str
    template: str
    file: Path
    sha256: str

    def __str__(self) -> str:
        return f"{self.skill} ({self.file.name}, SHA-256 {self.sha256[:SHOWN_DIGITS]})"


_LIST = TypeAdapter(tuple[TaughtSkill, ...])


def taught_skills(checkpoint: Path) -> tuple[TaughtSkill, ...]:
    """In the order in which they were taught; none of a checkpoint of built-in skills. Raises CheckpointError."""
    path = checkpoint / FILE
    if not path.is_file():
        return ()
    try:
        return _LIST.validate_json(path.read_bytes())
    except ValidationError as error:
        raise CheckpointError(f"{path}: not a list of skill files: {error.errors()[0]['msg']}") from error


def write_taught(checkpoint: Path, skills: Sequence[TaughtSkill]) -> None:
    (checkpoint / FILE).write_bytes(_LIST.dump_json(tuple(skills), indent=1) + b"\n")


def check_taught(checkpoint: Path, library: SkillLibrary) -> None:
    """Raises ConfigError where a skill that the checkpoint was taught is missing, or is said in other words."""
    for taught in taught_skills(checkpoint):
        skill = library.by_name.get(taught.skill)
        if skill is None:
            raise ConfigError(
                f"{checkpoint} was taught {taught}; give that file, too: --skill {taught.file}, or wherever it is now"
            )
        if skill.template != taught.template:
            raise ConfigError(
                f"{checkpoint} was taught {taught}, which says '{taught.template}'; "
                f"the skill {skill.name} that is given here says '{skill.template}'"
            )


def file_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
