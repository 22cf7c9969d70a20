"""Verdicts and step results: what was tried and how it was judged; the history that planners read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from skills.skill import SkillCall


class VerdictStatus(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNSURE = "unsure"  # cannot tell is not failed


@dataclass(frozen=True)
class Verdict:
    """What a success detector says of one step. confidence in [0, 1]; reason in words; detector names its source.

    side_effects: literals that changed though the call does not say so ("not on(green block, pad)"), seen afterwards.
    """

    status: VerdictStatus
    confidence: float
    reason: str
    detector: str
    side_effects: tuple[str, ...] = ()


class EndedBy(StrEnum):
    TERMINATED = "terminated"  # the policy said so
    TIME_LIMIT = "time_limit"
    NO_PROGRESS = "no_progress"
    STOPPED = "stopped"  # a person or the safety envelope
    ERROR = "error"
    NOT_STARTED = "not_started"  # its preconditions did not hold


@dataclass(frozen=True)
class SkillRun:
    """One execution of one skill call: how it ended, control steps used, seconds of robot time, why in words.

    envelope: why the safety envelope changed actions; the first of each kind, in order of appearance.
    """

    call: SkillCall
    ended_by: EndedBy
    control_steps: int
    robot_time_s: float
    detail: str = ""
    envelope: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepResult:
    """One attempt at one step of a graph: the run and its verdict. step_id is unique within the run's graph."""

    step_id: str
    attempt: int  # 1 for the first
    run: SkillRun
    verdict: Verdict
