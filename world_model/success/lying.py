"""LyingDetector: a detector that errs at given rates, so that studies can ask how much a wrong verdict costs.

Each lie is a function of (seed, call, attempt) alone: every arm of a study that makes the same attempt of the same
call meets the same lie, whatever came before.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from skills.skill import SkillCall
from world_model.results import Verdict, VerdictStatus
from world_model.scene import Scene
from world_model.success.detector import SuccessDetector


@dataclass(frozen=True)
class LyingDetector:
    """Wraps a detector that is right.

    false_positive_rate: of failed steps called succeeded; false_negative_rate: of succeeded steps called failed;
    abstain_rate: of all steps called unsure, drawn first. What the wrapped one is unsure of stays unsure.
    Raises ValueError for a rate outside [0, 1].
    """

    honest: SuccessDetector
    seed: int
    false_positive_rate: float = 0.0
    false_negative_rate: float = 0.0
    abstain_rate: float = 0.0

    def __post_init__(self) -> None:
        for name in ("false_positive_rate", "false_negative_rate", "abstain_rate"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a share between 0 and 1, got {getattr(self, name)}")

    @property
    def name(self) -> str:
        rates = f"fpr={self.false_positive_rate:g},fnr={self.false_negative_rate:g},abstain={self.abstain_rate:g}"
        return f"lying({self.honest.name},{rates})"

    def judge(self, call: SkillCall, before: Scene, after: Scene, *, attempt: int = 1) -> Verdict:
        truth = self.honest.judge(call, before, after, attempt=attempt)
        if truth.status is VerdictStatus.UNSURE:
            return replace(truth, detector=self.name)
        if self._draw("abstain", call, attempt) < self.abstain_rate:
            return Verdict(VerdictStatus.UNSURE, 0.5, "cannot tell", self.name)
        if truth.status is VerdictStatus.FAILED and self._draw("positive", call, attempt) < self.false_positive_rate:
            return Verdict(VerdictStatus.SUCCEEDED, truth.confidence, f"{call} looks done", self.name)
        if truth.status is VerdictStatus.SUCCEEDED and self._draw("negative", call, attempt) < self.false_negative_rate:
            return Verdict(VerdictStatus.FAILED, truth.confidence, f"{call} does not look done", self.name)
        return replace(truth, detector=self.name)

    def _draw(self, kind: str, call: SkillCall, attempt: int) -> float:
        """Uniform in [0, 1); a hash rather than a stream, so that one draw does not move the next."""
        key = f"{self.seed}|{kind}|{call}|{attempt}".encode()
        return int.from_bytes(hashlib.sha256(key).digest()[:8], "big") / 2**64
