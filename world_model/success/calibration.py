"""Calibration: how often a success detector is wrong, and how often it will not say, on cases whose truth is known.

Not for: making the cases (executor.judged_cases runs skills for that).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from skills.rates import Rate
from skills.skill import SkillCall
from world_model.results import VerdictStatus
from world_model.scene import Scene
from world_model.success.detector import SuccessDetector


@dataclass(frozen=True)
class JudgedCase:
    """One carried-out call with what a detector may look at, and whether it truly succeeded.

    kind: how the case came about ("expert", "interrupted", …); results are grouped by it.
    """

    call: SkillCall
    before: Scene
    after: Scene
    truth: bool
    kind: str = ""
    attempt: int = 1


class ErrorRates(BaseModel):
    """false_positives: called succeeded, of the truly failed. false_negatives: called failed, of the truly succeeded.

    abstentions: unsure, of all. An abstention is no error, so the first two do not count it.
    """

    model_config = ConfigDict(frozen=True)

    false_positives: Rate
    false_negatives: Rate
    abstentions: Rate


class Calibration(BaseModel):
    """A detector's measured error rates, overall and for each kind of case; JSON by `model_dump_json`."""

    model_config = ConfigDict(frozen=True)

    detector: str
    cases: int
    overall: ErrorRates
    by_kind: Mapping[str, ErrorRates]

    def table(self) -> str:
        """Plain text, one line a kind, the last for all."""
        lines = [f"{'kind':<14}{'false positive':<28}{'false negative':<28}abstains"]
        for kind, rates in [*sorted(self.by_kind.items()), ("all", self.overall)]:
            cells = (rates.false_positives, rates.false_negatives)
            lines.append(f"{kind:<14}" + "".join(f"{cell!s:<28}" for cell in cells) + str(rates.abstentions))
        return "\n".join(lines)


def calibrate(detector: SuccessDetector, cases: Iterable[JudgedCase]) -> Calibration:
    """Judge every case and count. Raises SkillCallError for a call that is not in the detector's library."""
    judged = [(case, detector.judge(case.call, case.before, case.after, attempt=case.attempt).status) for case in cases]
    kinds = sorted({case.kind for case, _ in judged})
    return Calibration(
        detector=detector.name,
        cases=len(judged),
        overall=_error_rates([(case.truth, status) for case, status in judged]),
        by_kind={kind: _error_rates([(c.truth, s) for c, s in judged if c.kind == kind]) for kind in kinds},
    )


def _error_rates(judged: list[tuple[bool, VerdictStatus]]) -> ErrorRates:
    of_failed = [status for truth, status in judged if not truth]
    of_succeeded = [status for truth, status in judged if truth]
    return ErrorRates(
        false_positives=Rate.of(of_failed.count(VerdictStatus.SUCCEEDED), len(of_failed)),
        false_negatives=Rate.of(of_succeeded.count(VerdictStatus.FAILED), len(of_succeeded)),
        abstentions=Rate.of(sum(status is VerdictStatus.UNSURE for _, status in judged), len(judged)),
    )
