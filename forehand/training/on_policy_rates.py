"""How the policy in training does while it collects, skill by skill, over a stretch of time.

On training worlds, with skills that fail practised most, and weights that change meanwhile: a sign of progress, not an
evaluation. Not for: choosing what to practise (executor.learning.on_policy).
"""

from __future__ import annotations

from pathlib import Path

from executor.learning.on_policy import latest_runs
from skills.rates import Rate

MOST_BYTES = 1 << 20  # of the file's end; some seven thousand runs


def on_policy_rates(folder: Path, since: float) -> dict[str, Rate]:
    """Skill → runs that succeeded of those that ended after `since` (seconds since 1970)."""
    ended: dict[str, list[bool]] = {}
    for run in latest_runs(folder, MOST_BYTES):
        if run.time >= since:
            ended.setdefault(run.skill, []).append(run.succeeded)
    return {skill: Rate.of(sum(ended[skill]), len(ended[skill])) for skill in sorted(ended)}
