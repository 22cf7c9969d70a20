"""What a training leaves behind of its course: log.jsonl, and TensorBoard's curves of the same.

Not for: the live display (forehand.training.view).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rt2.training.trainer import Progress, as_record
from skills.rates import Rate

LOG = "log.jsonl"
TENSORBOARD = "tensorboard"


class Curves:
    """Writes into `folder`, from sample `begins` on; what a killed process wrote beyond that is cut off."""

    def __init__(self, folder: Path, begins: int) -> None:
        self._path = folder / LOG
        _cut(self._path, begins)
        self._board = _board(folder / TENSORBOARD, begins)

    @property
    def has_board(self) -> bool:
        """Whether TensorBoard is installed."""
        return self._board is not None

    def add(self, progress: Progress, on_policy: Mapping[str, Rate], collectors: int) -> None:
        record = as_record(progress) | {
            "time": time.time(),
            "on_policy": {skill: {"k": r.k, "n": r.n} for skill, r in on_policy.items()},
            "collectors": collectors,
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        if self._board is not None:
            for name, value in _scalars(progress, on_policy).items():
                self._board.add_scalar(name, value, progress.samples)

    def close(self) -> None:
        if self._board is not None:
            self._board.close()


def _scalars(progress: Progress, on_policy: Mapping[str, Rate]) -> dict[str, float]:
    scalars = {f"loss/{name}": value for name, value in progress.losses.items()}
    scalars |= {f"on_policy/{skill}": rate.rate for skill, rate in on_policy.items() if rate.rate is not None}
    return scalars | {
        "training/learning_rate": progress.learning_rate,
        "training/samples_per_s": progress.samples_per_s,
        "data/frames": progress.frames,
        "data/examples": progress.examples,
    }


def _cut(path: Path, begins: int) -> None:
    """Leave only whole lines up to so many samples."""
    if not path.exists():
        return
    kept = [line for line in path.read_bytes().split(b"\n")[:-1] if json.loads(line)["samples"] <= begins]
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(b"".join(line + b"\n" for line in kept))
    os.replace(partial, path)


def _board(folder: Path, begins: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=begins + 1 if begins else None)
