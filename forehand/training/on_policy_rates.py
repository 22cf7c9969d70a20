"""How the policy in training does while it collects, skill by skill, over a stretch of time.

On training worlds, with skills that fail practised most, and weights that change meanwhile: a sign of progress, not an
evaluation. Not for: choosing what to practise (executor.learning.on_policy).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from skills.rates import Rate

MOST_BYTES = 1 << 20  # of the file's end; some seven thousand runs


def on_policy_rates(folder: Path, since: float) -> dict[str, Rate]:
    """Skill → runs that succeeded of those that ended after `since` (seconds since 1970)."""
    path = folder / "on_policy.jsonl"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - MOST_BYTES))
        lines = file.read().split(b"\n")
    ended: dict[str, list[bool]] = {}
    for line in lines[1 if size > MOST_BYTES else 0 : -1]:  # the first may be torn, the last is empty or torn
        run = json.loads(line)
        if run["time"] >= since:
            ended.setdefault(run["skill"], []).append(run["succeeded"])
    return {skill: Rate.of(sum(ended[skill]), len(ended[skill])) for skill in sorted(ended)}
