"""`forehand train`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from forehand.config import ConfigError
from forehand.training.config import TrainConfig
from forehand.training.folder import begun_config
from forehand.training.reading import read_recipe, recipe_path

FOLDERS = Path("runs")
STOPPED = 130


def train_command(
    recipe: str | None, *, folder: Path | None, resume: bool, device: str | None, changes: Sequence[str]
) -> int:
    """Train, or go on training; the exit code."""
    config, place = _what(recipe, folder, resume, changes)
    from forehand.training.run import Training, check_device, train

    training = Training(config, config.name, place, check_device(device), Console())
    return 0 if train(training) else STOPPED


def _what(recipe: str | None, folder: Path | None, resume: bool, changes: Sequence[str]) -> tuple[TrainConfig, Path]:
    """Configuration and folder."""
    if recipe is None:
        if not resume or folder is None:
            raise ConfigError("which training? Give a recipe, or --resume with the --folder of one that was begun")
        if changes:
            raise ConfigError("--set changes a recipe; a training that was begun goes on as it is")
        return begun_config(folder), folder
    path = recipe_path(recipe)
    config = read_recipe(path, changes)
    place = folder or FOLDERS / f"train-{path.stem}"
    if resume:
        begun_config(place)
    return config, place
