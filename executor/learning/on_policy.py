"""What is known of a policy in training while it drives: the newest checkpoint, and how its skill runs ended.

Not for: evaluation; these runs are on training worlds, with the policy as it was at the time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rt2.vla import VLA

RECENT_BYTES = 1 << 16  # of the file's end; some four hundred runs
RECENT_RUNS = 40  # of a skill
NEW_SHARE = 0.5  # of the practice, for skills that are added to a policy
FLOOR = 0.2  # weight of a skill that always succeeds, against 1 + FLOOR of one that never does


@dataclass(frozen=True)
class OnPolicyRun:
    """One line of on_policy.jsonl: a skill run, or its part until an expert took over, driven by a policy."""

    time: float  # seconds since 1970
    skill: str
    succeeded: bool
    ended_by: str
    steps: int
    version: str


def append_run(folder: Path, run: OnPolicyRun) -> None:
    """Add a line; written at once, so that lines of several processes never mix."""
    line = (json.dumps(asdict(run)) + "\n").encode()
    file = os.open(folder / "on_policy.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def latest_runs(folder: Path, most_bytes: int) -> list[OnPolicyRun]:
    """The runs in the last `most_bytes` of the folder's file, oldest first; none where there is no file yet.

    A line that a crash tore is left out.
    """
    path = folder / "on_policy.jsonl"
    if not path.exists():
        return []
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - most_bytes))
        lines = file.read().split(b"\n")
    return [run for run in map(_run_of, lines) if run is not None]


def _run_of(line: bytes) -> OnPolicyRun | None:
    try:
        return OnPolicyRun(**json.loads(line))
    except (ValueError, TypeError):
        return None


def recent_success(folder: Path) -> dict[str, float]:
    """Skill → share of its latest runs that succeeded; a skill without any is left out."""
    ends: dict[str, list[bool]] = {}
    for run in latest_runs(folder, RECENT_BYTES):
        ends.setdefault(run.skill, []).append(run.succeeded)
    return {skill: sum(e[-RECENT_RUNS:]) / len(e[-RECENT_RUNS:]) for skill, e in ends.items()}


def practice_weights(skills: Sequence[str], success: Mapping[str, float], new: Sequence[str] = ()) -> dict[str, float]:
    """How often each skill is to be practised: what fails most, most; what was never tried, as what always fails.

    new: of the skills, those that are added to what a policy can do. The others count as able until they are seen to
    fail, and the new ones get half of the practice, down to a quarter where they always succeed.
    """
    able = dict.fromkeys(skills, 1.0) if new else {}
    weights = {skill: FLOOR + 1.0 - success.get(skill, able.get(skill, 0.0)) for skill in skills}
    others = sum(weight for skill, weight in weights.items() if skill not in new)
    shares = {skill: NEW_SHARE * (1.0 - success.get(skill, 0.0) / 2) / len(new) for skill in new}
    for skill, share in shares.items():
        weights[skill] = max(weights[skill], others * share / (1.0 - sum(shares.values())))
    return weights


class NewestPolicy:
    """The checkpoint that policy/latest names, loaded when the name changes. load: turns a folder into a VLA."""

    def __init__(self, folder: Path, load: Callable[[Path], VLA]) -> None:
        self._folder, self._load = folder, load
        self._version = ""
        self._vla: VLA | None = None

    def get(self) -> tuple[str, VLA] | None:
        """Its name and the model; None before there is one. Raises what `load` raises."""
        latest = self._folder / "policy" / "latest"
        if not latest.exists():
            return None
        version = latest.read_text().strip()
        if version != self._version:
            self._vla = self._load(self._folder / "policy" / version)
            self._version = version
        assert self._vla is not None
        return self._version, self._vla
