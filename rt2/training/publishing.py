"""The files of a training folder that others read while it runs.

frames/*.npy shards of robot frames (rt2.training.frames), policy/NNNNNN checkpoints, policy/latest the name of the
newest, on_policy.jsonl how skill runs under those policies ended, trainer.pt what a killed training resumes from.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rt2.small import SmallVLA, save_small

KEPT = 3  # a collector may be reading the last but one


def publish(folder: Path, vla: SmallVLA, version: int) -> Path:
    """Write the checkpoint policy/NNNNNN, then name it in policy/latest; older ones are removed."""
    home = folder / "policy"
    target, partial = home / f"{version:06d}", home / f".{version:06d}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    save_small(partial, vla)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(partial, target)
    name = home / ".latest.partial"
    name.write_text(target.name + "\n", encoding="utf-8")
    os.replace(name, home / "latest")
    for old in sorted(p for p in home.iterdir() if p.is_dir() and not p.name.startswith("."))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def newest_version(folder: Path) -> int:
    """The highest number of a published checkpoint; 0 before the first."""
    home = folder / "policy"
    return max((int(p.name) for p in home.iterdir() if p.name.isdigit()), default=0) if home.is_dir() else 0


def latest_policy(folder: Path) -> Path | None:
    """The newest checkpoint of a training folder; None before the first."""
    try:
        return folder / "policy" / (folder / "policy" / "latest").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
