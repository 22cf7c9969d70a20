"""`forehand skill learn`."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from forehand.config import ConfigError
from forehand.training.folder import CHECKPOINT

FOLDERS = Path("runs")
STOPPED = 130


@dataclass(frozen=True)
class Asked:
    """The command's options. out: the new checkpoint; folder: of the training, None for its usual place."""

    file: Path
    checkpoint: Path
    out: Path
    minutes: float
    known_files: tuple[Path, ...]
    demos: Path | None
    frames: Path | None
    folder: Path | None
    device: str | None
    changes: tuple[str, ...]


def learn_command(asked: Asked) -> int:
    """Teach the skill, or go on teaching it; the exit code."""
    from forehand.training.run import Training, check_device, train
    from forehand.training.skill_learning import Lesson, learning_config

    if asked.out.exists():
        raise ConfigError(f"{asked.out} is there already; a new checkpoint needs a place of its own: --out")
    lesson = Lesson(asked.file, asked.checkpoint, asked.minutes, asked.known_files, asked.demos, asked.frames)
    config = learning_config(lesson, asked.changes)
    folder, console = asked.folder or FOLDERS / f"learn-{asked.file.stem}", Console()
    training = Training(config, f"{asked.file.stem}, learned", folder, check_device(asked.device), console)
    if not train(training):
        return STOPPED
    _copy(folder / CHECKPOINT, asked.out)
    files = " ".join(f"--skill {path}" for path in (*asked.known_files, asked.file))
    console.print(f"use: forehand run … {files} --policy rt2 --checkpoint {asked.out}", highlight=False, soft_wrap=True)
    return 0


def _copy(checkpoint: Path, out: Path) -> None:
    """Whole or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(checkpoint, partial)
    os.replace(partial, out)
