"""Success detectors: verdicts of three values with reasons, side effects, lies at given rates, calibration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from robots.physical_state import HandState
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall, SkillCallError
from skills.symbolic_state import SymbolicState
from world_model.results import Verdict, VerdictStatus
from world_model.scene import BelievedLiteral, Scene
from world_model.success.calibration import JudgedCase, calibrate
from world_model.success.from_scenes import SceneDetector
from world_model.success.lying import LyingDetector

LIBRARY = SkillLibrary()
DETECTOR = SceneDetector(LIBRARY)
OBJECTS = {
    "red block": "block", "green block": "block", "blue bowl": "bowl", "drawer": "drawer", "table": "table",
    "button": "button", "lamp": "lamp",
}  # fmt: skip
RED_ON_TABLE, GREEN_ON_TABLE = "on(red block, table)", "on(green block, table)"


def scene(*facts: str, hidden: tuple[str, ...] = (), confidence: float = 1.0) -> Scene:
    state = SymbolicState(OBJECTS, frozenset(map(Literal.parse, facts)), frozenset(hidden))
    hand = HandState((0.4, 0.0, 0.3), (1.0, 0.0, 0.0, 0.0), 0.08, state.held)
    return replace(Scene.from_symbolic(state, "oracle", confidence), hand=hand)


def judge(call: str, before: Scene, after: Scene) -> Verdict:
    return DETECTOR.judge(SkillCall.parse(call), before, after)


@pytest.mark.parametrize(
    ("call", "before", "after", "status", "reason"),
    [
        ("pick(red block)", [RED_ON_TABLE], ["holding(red block)"], "succeeded", "observed: holding(red block)"),
        ("pick(red block)", [RED_ON_TABLE], [RED_ON_TABLE], "failed", "does not hold (on(red block, table))"),
        ("pick(red block)", [RED_ON_TABLE], ["holding(green block)"], "failed", "holding(red block) does not hold"),
        (
            "place_in(blue bowl)",
            ["holding(red block)"],
            ["in(red block, blue bowl)"],
            "succeeded",
            "in(red block, blue",
        ),
        ("place_in(blue bowl)", ["holding(red block)"], [RED_ON_TABLE], "failed", "(on(red block, table))"),
        ("place_in(blue bowl)", [RED_ON_TABLE], [RED_ON_TABLE], "failed", "nothing was in the hand"),
        ("place_in(blue bowl)", [], ["in(red block, blue bowl)"], "succeeded", "in(red block, blue bowl)"),
        ("press(button)", [], ["lit(lamp)"], "succeeded", "lit(lamp)"),
        ("press(button)", ["lit(lamp)"], ["lit(lamp)"], "failed", "not lit(lamp) does not hold"),
        ("close(drawer)", ["open(drawer)"], [], "succeeded", "not open(drawer)"),
    ],
)
def test_verdict_follows_what_was_observed(
    call: str, before: list[str], after: list[str], status: str, reason: str
) -> None:
    verdict = judge(call, scene(*before), scene(*after))
    assert verdict.status == status
    assert reason in verdict.reason
    assert verdict.detector == "scene"


def test_abstains_where_the_thing_cannot_be_seen() -> None:
    after = scene(hidden=("red block",))
    verdict = judge("place_in(blue bowl)", scene("holding(red block)"), after)
    assert verdict.status is VerdictStatus.UNSURE
    assert "the red block cannot be seen" in verdict.reason


def test_empty_hand_settles_a_pick_even_when_the_block_is_out_of_sight() -> None:
    verdict = judge("pick(red block)", scene(RED_ON_TABLE), scene(hidden=("red block",)))
    assert verdict.status is VerdictStatus.FAILED


@pytest.mark.parametrize("source", ["memory", "predicted", "instruction"])
def test_abstains_on_what_was_not_observed_since(source: str) -> None:
    fact = BelievedLiteral(Literal.parse("in(red block, blue bowl)"), 0.95, source)
    after = replace(scene(), believed=(fact,))
    verdict = judge("place_in(blue bowl)", scene("holding(red block)"), after)
    assert verdict.status is VerdictStatus.UNSURE
    assert source in verdict.reason


def test_abstains_where_perception_is_not_sure_enough() -> None:
    after = scene("in(red block, blue bowl)", confidence=0.6)
    verdict = judge("place_in(blue bowl)", scene("holding(red block)"), after)
    assert verdict.status is VerdictStatus.UNSURE
    assert "only 60% sure" in verdict.reason


def test_one_refuted_literal_decides_though_another_cannot_be_told() -> None:
    fact = BelievedLiteral(Literal.parse("holding(red block)"), 1.0, "touch")
    after = replace(scene(), believed=(fact,))
    verdict = judge("place_in(blue bowl)", scene("holding(red block)"), after)
    assert verdict.status is VerdictStatus.FAILED
    assert "not holding(red block) does not hold" in verdict.reason


def test_side_effects_are_reported_and_do_not_decide() -> None:
    before = scene(RED_ON_TABLE, GREEN_ON_TABLE, "open(drawer)")
    after = scene("holding(red block)", "in(green block, drawer)", "open(drawer)", "lit(lamp)")
    verdict = judge("pick(red block)", before, after)
    assert verdict.status is VerdictStatus.SUCCEEDED
    assert set(verdict.side_effects) == {"in(green block, drawer)", "not on(green block, table)", "lit(lamp)"}
    assert "besides: in(green block, drawer)" in verdict.reason


def test_what_the_call_does_itself_is_no_side_effect() -> None:
    before = scene("holding(red block)", GREEN_ON_TABLE)
    after = scene("on(red block, table)", "in_zone(red block, left)", GREEN_ON_TABLE)
    assert judge("place_on(table)", before, after).side_effects == ()


def test_unknown_skill_is_named() -> None:
    with pytest.raises(SkillCallError, match="no skill 'grab'; have: close, open, pick"):
        judge("grab(red block)", scene(), scene())


SUCCEEDS = (SkillCall.parse("pick(red block)"), scene(RED_ON_TABLE), scene("holding(red block)"))
FAILS = (SkillCall.parse("pick(red block)"), scene(RED_ON_TABLE), scene(RED_ON_TABLE))


def cases(n: int) -> list[JudgedCase]:
    """n true successes and n true failures, told apart by attempt number."""
    good = [JudgedCase(*SUCCEEDS, truth=True, kind="good", attempt=k) for k in range(n)]
    bad = [JudgedCase(*FAILS, truth=False, kind="bad", attempt=n + k) for k in range(n)]
    return good + bad


def test_liar_errs_at_its_rates() -> None:
    liar = LyingDetector(DETECTOR, seed=3, false_positive_rate=0.2, false_negative_rate=0.1, abstain_rate=0.05)
    measured = calibrate(liar, cases(1500)).overall
    assert measured.abstentions.wilson95[0] < 0.05 < measured.abstentions.wilson95[1]
    assert measured.false_positives.rate == pytest.approx(0.2 * 0.95, abs=0.03)
    assert measured.false_negatives.rate == pytest.approx(0.1 * 0.95, abs=0.025)


def test_lies_depend_on_seed_call_and_attempt_alone() -> None:
    def lies(seed: int, attempts: list[int]) -> dict[int, VerdictStatus]:
        liar = LyingDetector(DETECTOR, seed, false_positive_rate=0.5)
        return {k: liar.judge(*FAILS, attempt=k).status for k in attempts}

    forwards, backwards = lies(1, list(range(40))), lies(1, list(reversed(range(40))))
    assert forwards == backwards, "arms that reach the same attempt in another order meet the same lie"
    assert forwards != lies(2, list(range(40)))
    assert set(forwards.values()) == {VerdictStatus.SUCCEEDED, VerdictStatus.FAILED}


def test_liar_leaves_unsure_unsure_and_names_itself() -> None:
    liar = LyingDetector(DETECTOR, 0, false_positive_rate=1.0, false_negative_rate=1.0)
    verdict = liar.judge(
        SkillCall.parse("place_in(blue bowl)"), scene("holding(red block)"), scene(hidden=("red block",))
    )
    assert (verdict.status, verdict.detector) == (VerdictStatus.UNSURE, "lying(scene,fpr=1,fnr=1,abstain=0)")


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_rates_outside_0_to_1_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="share between 0 and 1"):
        LyingDetector(DETECTOR, 0, false_positive_rate=rate)


def test_calibration_counts_against_the_truth() -> None:
    unseen = JudgedCase(SUCCEEDS[0], SUCCEEDS[1], replace(SUCCEEDS[2], believed=()), truth=True, kind="good")
    hidden = JudgedCase(
        SkillCall.parse("place_in(blue bowl)"), SUCCEEDS[2], scene(hidden=("red block",)), truth=False, kind="unseen"
    )
    result = calibrate(DETECTOR, [*cases(4), unseen, hidden])
    assert (result.cases, result.detector) == (10, "scene")
    assert (result.overall.false_negatives.k, result.overall.false_negatives.n) == (1, 5)
    assert (result.overall.false_positives.k, result.overall.false_positives.n) == (0, 5)
    assert (result.by_kind["unseen"].abstentions.k, result.overall.abstentions.n) == (1, 10)
    assert result.table().splitlines()[-1].startswith("all ")
