"""The generic top-level names are ours, from wherever Python is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("forehand", "planner", "executor", "world_model", "skills", "rt2", "robots")


def test_each_package_is_ours_from_another_folder(tmp_path: Path) -> None:
    program = f"import importlib; [print(importlib.import_module(n).__file__) for n in {PACKAGES!r}]"
    shown = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [Path(line).parent.resolve() for line in shown.stdout.split()] == [ROOT / name for name in PACKAGES]
