"""Judged cases: every kind comes about, with the truth of the world rather than of the plan."""

from __future__ import annotations

from executor.judged_cases import CaseKind, judged_cases
from robots.tabletop.scene_spec import SceneSpec
from skills.library import SkillLibrary
from world_model.success.calibration import calibrate
from world_model.success.from_scenes import SceneDetector
from world_model.success.lying import LyingDetector

LIBRARY = SkillLibrary()
SPEC = SceneSpec(objects=("red block", "green block", "blue bowl", "drawer", "button", "lamp"))


def test_cases_are_seeded_of_every_kind_and_of_both_truths() -> None:
    cases = list(judged_cases(8, 4, LIBRARY, lambda _seed: SPEC))
    assert [case.kind for case in cases] == [kind.value for kind in CaseKind] * 2
    assert {case.truth for case in cases} == {True, False}
    assert {case.truth for case in cases if case.kind == "expert"} == {True}
    assert list(judged_cases(2, 4, LIBRARY, lambda _seed: SPEC)) == cases[:2]
    honest = calibrate(SceneDetector(LIBRARY), cases).overall
    assert honest.false_positives.k + honest.false_negatives.k == 0
    liar = LyingDetector(SceneDetector(LIBRARY), 0, false_positive_rate=1.0, false_negative_rate=1.0)
    lies = calibrate(liar, cases).overall
    assert lies.false_positives.k + lies.false_negatives.k + lies.abstentions.k == len(cases)
