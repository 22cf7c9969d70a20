"""How the policy in training does while it collects, skill by skill, over a stretch of time.

On training worlds, with skills that fail practised most, and weights that change meanwhile: a sign of progress, not an
evaluation. Not for: choosing what to practise (executor.learning.on_policy).
"""

from __future__ import annotations

from pathlib import Path

from executor.learning.on_policy import latest_runs
from skills.rates import Rate

MOST_BYTES = 1 << 20  # of the file's end; some seven thousand runs


def on_policy_rates(folder: Path, window_s: float) -> dict[str, Rate]:
    """Skill → runs that succeeded of those that ended in the last `window_s` seconds of collecting."""
    ended: dict[str, list[bool]] = {}
    runs = latest_runs(folder, MOST_BYTES)
    since = max((run.time for run in runs), default=0.0) - window_s
    for run in runs:
        if run.time >= since:
            ended.setdefault(run.skill, []).append(run.succeeded)
    return {skill: Rate.of(sum(ended[skill]), len(ended[skill])) for skill in sorted(ended)}
