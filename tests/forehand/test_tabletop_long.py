"""The suite in every arm: episodes are kept as they end, rt2 stands beside the expert, the rest is foretold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forehand import evaluation
from forehand.evaluation import EpisodeScore, EvalResult
from forehand.studies import tabletop_long as study
from forehand.studies.tabletop_clock import FAULTS_COST, PRIOR_S, SuiteClock
from forehand.studies.tabletop_page import Arm, page
from skills.rates import Rate

SCENE = {"objects": ["red block", "button", "lamp"]}
EXPERT, RT2, RT2_FAULTS = Arm("search", "none"), Arm("search", "none", policy="rt2"), study.ARMS[-1]


def score(task: str, right: bool, **changes: object) -> EpisodeScore:
    told = {
        "task": task, "family": "sorting", "expect": "goal", "seed": 0, "outcome": "succeeded", "goal_reached": right,
        "right": right, "skill_attempts": 4, "recoveries": {}, "faults": 0, "robot_s": 1.0, "wall_s": 2.0,
        "reason": "gave up", **changes,
    }  # fmt: skip
    return EpisodeScore.model_validate(told)


def result(policy: str, rights: list[bool], checkpoint: str = "") -> EvalResult:
    scores = tuple(score(f"t{k}", right) for k, right in enumerate(rights))
    rate = Rate.of(sum(rights), len(rights))
    return EvalResult(
        suite="s", planner="search", policy=policy, checkpoint=checkpoint, perception="oracle", detector="scene",
        faults="none", closed_loop=True, plan_only=False, truth="", seed=0, episodes_per_task=1, success=rate,
        by_family={"sorting": rate}, outcomes={}, recoveries={}, episodes=scores, wall_s=1.0,
    )  # fmt: skip


def test_rt2_stands_beside_the_experts_figures_on_the_same_episodes() -> None:
    rights = [True] * 8 + [False] * 2
    alone = page([(EXPERT, result("expert", [True] * 10))], "s", "2026-01-01", "x")
    assert "Beside the expert" not in alone
    both = [(EXPERT, result("expert", [True] * 10)), (RT2, result("rt2", rights, "/a/b/rt2-small (SHA-256 abc)"))]
    text = page(both, "s", "2026-01-01", "x")
    assert "policy `expert` (scripted, privileged) and `rt2` (from camera images, rt2-small (SHA-256 abc))" in text
    assert "| rt2, search, no faults | 8/10 = 80.0% |" in text
    assert "- rt2, search, no faults: -20.0 points beside the expert" in text
    assert "0 of 10 that only rt2 did, 2 that only the expert did" in text
    assert "- rt2, search, no faults: t8, seed 0: succeeded: gave up" in text


def test_arms_of_rt2_meet_what_the_experts_arms_meet() -> None:
    of_rt2 = [arm for arm in study.ARMS if arm.policy == "rt2"]
    assert {(arm.planner, arm.faults, arm.closed_loop) for arm in of_rt2} == {
        ("search", "none", True), ("search", "standard", True),
    }  # fmt: skip
    for arm in of_rt2:
        assert Arm(arm.planner, arm.faults, arm.closed_loop) in study.ARMS
    assert len({arm.words for arm in study.ARMS}) == len(study.ARMS)


def test_time_left_is_learned_arm_by_arm() -> None:
    clock = SuiteClock([EXPERT, RT2, RT2_FAULTS], episodes=10, workers=2)
    assert clock.left_s() == pytest.approx(5 * (PRIOR_S["expert"] + PRIOR_S["rt2"] * (1 + FAULTS_COST)))
    clock.add(RT2, 40.0)
    clock.add(RT2, 60.0)
    assert clock.left_s() == pytest.approx(5 * PRIOR_S["expert"] + 4 * 50 + 5 * 50 * FAULTS_COST)
    clock.add(RT2_FAULTS, 100.0)
    assert clock.left_s() == pytest.approx(5 * PRIOR_S["expert"] + 4 * 50 + 4.5 * 100)


def test_a_torn_line_costs_its_own_episode_alone(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    study.append_score(path, score("a", True))
    with path.open("ab") as file:
        file.write(score("b", True).model_dump_json().encode()[:40])
    study.append_score(path, score("c", False))
    assert set(study.read_scores(path)) == {("a", 0), ("c", 0)}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    task = f"{{id: a, scene: {json.dumps(SCENE)}, instruction: press the button, goal: [lit(lamp)], family: x}}"
    path = tmp_path / "small.yaml"
    path.write_text(f"- {task}\n", "utf-8")
    return path


def test_what_has_ended_is_not_run_again(suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--suite", str(suite), "--workers", "1", "--results", str(tmp_path / "kept")]
    monkeypatch.setattr(study, "ARMS", (EXPERT,))
    study.main([*words, "--episodes", "1", "--page", str(tmp_path / "page.md")])
    assert "1/1 = 100.0%" in (tmp_path / "page.md").read_text("utf-8")
    run: list[int] = []

    def counted(episode: evaluation.Episode) -> EpisodeScore:
        run.append(episode.seed)
        return score("a", False, seed=episode.seed)

    monkeypatch.setattr(evaluation, "score_episode", counted)
    study.main([*words, "--episodes", "2", "--page", str(tmp_path / "page.md")])
    assert run == [1000]
    assert "1/2 = 50.0%" in (tmp_path / "page.md").read_text("utf-8")
    study.main([*words, "--episodes", "2", "--page", str(tmp_path / "page.md"), "--again"])
    assert run == [1000, 0, 1000]


def test_weights_that_are_missing_end_it_before_anything_runs(suite: Path, tmp_path: Path) -> None:
    words = [
        "--suite",
        str(suite),
        "--policies",
        "rt2",
        "--checkpoint",
        str(tmp_path),
        "--page",
        str(tmp_path / "p.md"),
    ]
    with pytest.raises(SystemExit, match="no checkpoint"):
        study.main(words)
    assert not (tmp_path / "p.md").exists()
