"""The check that the generic top-level names (planner, skills, …) are ours and not another project's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

NAMES = ("planner", "executor", "world_model", "skills", "rt2", "robots")


def foreign_packages() -> str:
    """What is wrong, in words, or an empty string. Imports nothing."""
    home = Path(__file__).resolve().parent.parent
    for name in NAMES:
        spec = find_spec(name)
        origin = spec.origin if spec is not None else None
        if origin is None or Path(origin).resolve().parent != home / name:
            return (
                f"the package '{name}' is not Forehand's own (found: {origin}); "
                "start from another folder, or take what shadows it off PYTHONPATH"
            )
    return ""
