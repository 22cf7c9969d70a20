"""RT-2's comparison: arms differ in one thing, jobs go on where they were, and sentences say what the numbers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.evaluation_cases import Case
from executor.skill_evaluation import Episode
from forehand.config import ConfigError
from forehand.studies import rt2_comparison as study
from forehand.studies.paired import paired_difference
from forehand.studies.rt2_arms import (
    ARMS,
    BASELINE,
    CELLS,
    REFERENCE,
    StudySettings,
    arm_folder,
    cases_of,
    compared_arms,
    config_of,
    needed_arms,
)
from forehand.studies.rt2_findings import Results, findings
from forehand.studies.rt2_jobs import CHECKPOINT, all_jobs, episodes_of, link_examples, results_file, trained_share
from forehand.studies.rt2_page import PageFacts, page
from forehand.studies.skill_worker import append
from forehand.studies.study_jobs import Job, Jobs, last_words
from forehand.training.reading import differences
from rt2.training.example_files import SUFFIX

SKILLS = ("pick", "press")
COUNTS = st.tuples(*[st.integers(0, 60)] * 4).filter(any)


def pairs(both: int, first: int, second: int, neither: int) -> list[tuple[bool, bool]]:
    return [(True, True)] * both + [(True, False)] * first + [(False, True)] * second + [(False, False)] * neither


@given(COUNTS)
def test_a_difference_lies_in_its_interval_and_turns_its_sign_with_the_arms(counts: tuple[int, int, int, int]) -> None:
    both, first, second, neither = counts
    here, there = paired_difference(pairs(*counts)), paired_difference(pairs(both, second, first, neither))
    assert -1 <= here.low <= here.value + 1e-12
    assert here.value - 1e-12 <= here.high <= 1
    assert (there.value, there.low, there.high) == pytest.approx((-here.value, -here.high, -here.low))
    assert here.value == pytest.approx((first - second) / sum(counts))


def test_95_of_100_intervals_hold_the_true_difference() -> None:
    rng, inside, tries = np.random.default_rng(0), 0, 2000
    shares = np.array([0.35, 0.2, 0.08, 0.37])
    for counts in rng.multinomial(150, shares, tries):
        found = paired_difference(pairs(*counts))
        inside += found.low <= shares[1] - shares[2] <= found.high
    assert 0.935 <= inside / tries <= 0.97


def test_pairs_that_agree_more_make_the_interval_narrower() -> None:
    apart, alike = paired_difference(pairs(30, 30, 20, 20)), paired_difference(pairs(45, 15, 5, 35))
    assert apart.value == alike.value
    assert alike.high - alike.low < apart.high - apart.low
    assert (apart.direction, alike.direction) == (0, 1)


@pytest.mark.parametrize("arm", [name for name in ARMS if name != BASELINE])
def test_an_arm_differs_from_the_baseline_in_one_thing(arm: str, tmp_path: Path) -> None:
    settings = StudySettings(samples=1000, skills=SKILLS, changes=("training.batch=24",))
    base, other = (config_of(settings, name, 2, tmp_path).model_dump(mode="json") for name in (BASELINE, arm))
    assert (base["training"]["samples"], base["training"]["minutes"], base["training"]["batch"]) == (1000, None, 24)
    assert base["training"]["seed"] == 2
    assert base["robot"]["collect"]["skills"] == list(SKILLS)
    changed = {line.split(":")[0] for line in differences(base, other)}
    own = {"robot.workers", "robot.frames"}
    assert changed - own == {change.split("=")[0] for change in ARMS[arm].changes}
    assert bool(changed & own) == ARMS[arm].practises


def test_shared_frames_are_the_reference_arms_and_with_own_frames_it_is_the_baseline(tmp_path: Path) -> None:
    shared, own = StudySettings(), StudySettings(frames="own")
    frames = config_of(shared, "robot-only", 1, tmp_path).robot.frames
    assert frames == arm_folder(tmp_path, REFERENCE, 1) / "frames"
    assert config_of(own, "robot-only", 1, tmp_path).robot.workers == 1
    assert needed_arms(["robot-only"], shared) == [REFERENCE, BASELINE, "robot-only"]
    assert needed_arms(["robot-only", REFERENCE], own) == [BASELINE, "robot-only"]
    assert compared_arms(["robot-only"], shared) == [BASELINE, "robot-only"]
    assert compared_arms(["cloning"], shared) == [BASELINE, REFERENCE, "cloning"]
    assert compared_arms(["cloning"], own) == [BASELINE, "cloning"]


def test_every_cell_has_as_many_cases_of_the_skills_that_it_says_something_of() -> None:
    cases = cases_of(list(CELLS), ("pick", "press"), 12, 0)
    assert len(set(cases)) == len(cases) == 12 * len(CELLS)
    of_colours = [case for case in cases if case.split == "colours"]
    assert {case.skill for case in of_colours} == {"pick"}
    tiers = {(case.skill, case.seed % 3) for case in cases if case.split == "wordings"}
    assert len(tiers) == 6
    assert {case.split for case in cases[: len(CELLS)]} == set(CELLS.values())
    assert cases_of(["unseen objects"], ("press",), 12, 0) == []


def file_job(folder: Path, name: str, after: Sequence[str] = (), work: object = None, cores: int = 1) -> Job:
    path = folder / name
    done = partial(_there, path)
    return Job(name, "touch", work or partial(Path.touch, path), done, folder / f"{name}.log", 1.0, cores, tuple(after))  # type: ignore[arg-type]


def _there(path: Path) -> float:
    return float(path.exists())


def test_jobs_wait_for_each_other_and_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    (tmp_path / "done").touch()
    broken = partial((tmp_path / "done").rename, tmp_path / "none" / "at all")
    jobs = Jobs(
        [
            file_job(tmp_path, "second", ["first"]),
            file_job(tmp_path, "first", ["done"], cores=4),
            file_job(tmp_path, "done", work=broken),
            file_job(tmp_path, "broken", work=broken),
            file_job(tmp_path, "waits for ever", ["broken"]),
        ],
        cores=2,
    )
    assert jobs.left_s() == pytest.approx((1 + 2 + 1 + 1) / 2)
    seen: list[tuple[str, ...]] = []
    jobs.run(lambda: seen.append(jobs.running), poll_s=0.02)
    assert jobs.failed == ["broken", "waits for ever"]
    assert "FileNotFoundError" in last_words(tmp_path / "broken.log")
    assert (tmp_path / "second").exists()
    assert (tmp_path / "second").stat().st_mtime_ns >= (tmp_path / "first").stat().st_mtime_ns
    assert not any("first" in running and len(running) > 1 for running in seen), "it takes every core there is"
    assert jobs.left_s() == 0


def test_a_study_plans_each_training_once_and_evaluates_it(tmp_path: Path) -> None:
    settings = StudySettings(samples=1000)
    jobs = all_jobs(settings, tmp_path, ["minilm"], range(2), partial(cases_of, ["seen"], SKILLS, 4), "cpu")
    by_name = {job.name: job for job in jobs}
    assert len(by_name) == len(jobs) == 1 + 2 * (3 + 2)
    assert by_name["train minilm 1"].after == ("examples", "train dagger 1")
    assert by_name["train dagger 1"].cores == 2
    assert by_name["evaluate minilm 1"].after == ("train minilm 1",)
    assert all(job.share() == 0 for job in jobs)


def test_how_far_a_training_is_stands_in_its_log_and_examples_are_linked_once(tmp_path: Path) -> None:
    assert trained_share(tmp_path) == 0
    (tmp_path / "log.jsonl").write_text('{"share": 0.25}\n{"share": 0.5}\n{"sha', "utf-8")
    assert trained_share(tmp_path) == 0.5
    (tmp_path / CHECKPOINT).mkdir()
    assert trained_share(tmp_path) == 1
    (tmp_path / f"a{SUFFIX}").write_bytes(b"x")
    for _ in range(2):
        link_examples(tmp_path, tmp_path / "arm" / "examples")
    assert (tmp_path / "arm" / "examples" / f"a{SUFFIX}").samefile(tmp_path / f"a{SUFFIX}")


def episode(case: Case, succeeded: bool) -> Episode:
    return Episode(
        split=case.split, skill=case.skill, seed=case.seed, variant="noun" if case.split == "wordings" else "",
        world_seed=case.seed, call="", sentence="", succeeded=succeeded, ended_by="terminated", detail="", steps=9,
        unmet=(), wrong_object=None, wall_s=0.1,
    )  # fmt: skip


def results_of(shares: Mapping[str, Sequence[float]], episodes: int = 60) -> Results:
    """arm → the share that succeeds in each training seed, in every cell."""
    cases = cases_of(list(CELLS), SKILLS, episodes, 0)
    return {
        arm: {
            seed: {case: episode(case, (k // len(CELLS)) % 20 < 20 * share) for k, case in enumerate(cases)}
            for seed, share in enumerate(of_seeds)
        }
        for arm, of_seeds in shares.items()
    }


def sentence(results: Results, question: str, group: str) -> str:
    (found,) = [f for f in findings(results, False) if (f.comparison.question, f.group) == (question, group)]
    return found.sentence


def test_directions_and_agreement_follow_from_the_numbers() -> None:
    better = sentence(results_of({BASELINE: (0.5, 0.6), "robot-only": (0.3, 0.3)}), "Co-fine-tuning", "unseen")
    assert better.startswith("Co-fine-tuning did better than training on robot data alone on unseen: +25.0 points")
    assert "by training seed +20.0, +30.0). That is RT-2's direction, which reports" in better
    assert "63 % against 52 %" in better
    worse = sentence(results_of({BASELINE: (0.2,), "robot-only": (0.5,)}), "Co-fine-tuning", "unseen")
    assert "did worse than training on robot data alone on unseen: −30.0 points" in worse
    assert "a single training seed" in worse
    assert "That contradicts RT-2" in worse
    alike = sentence(results_of({BASELINE: (0.5, 0.3), "robot-only": (0.3, 0.5)}), "Co-fine-tuning", "unseen")
    assert "could not be told apart from" in alike
    assert "RT-2's difference does not show here" in alike


def test_training_seeds_that_disagree_are_said_and_rt2_is_named_in_one_group_alone() -> None:
    results = results_of({BASELINE: (0.9, 0.3), "robot-only": (0.2, 0.4)})
    assert "the training seeds do not all agree in direction" in sentence(results, "Co-fine-tuning", "unseen")
    assert "RT-2" not in sentence(results, "Co-fine-tuning", "seen")


def about(expected: int, **settings: object) -> PageFacts:
    told = {(BASELINE, 0): {"samples": 1000, "minutes": 1.5, "robot_frames": 4000, "device": "cpu"}}
    given_settings = StudySettings.model_validate({"skills": SKILLS, **settings})
    return PageFacts(given_settings, ("python -m x",), "2026-01-01", "a machine", expected, told)


def test_a_page_tells_intervals_seeds_and_what_is_missing() -> None:
    results = results_of({BASELINE: (0.5, 0.6), "robot-only": (0.3,)})
    text = page(results, about(300))
    assert "| `co-fine-tuned` | 66/120 = 55.0%, 46.1% to 63.6% (50.0% – 60.0%) |" in text
    assert "Not finished" not in text
    assert "off-policy" in text
    assert "| `co-fine-tuned` − `robot-only` | unseen | +20.0 |" in text
    assert "Language tower" not in text, "the arm was never trained"
    assert "robot-only 0: 300 of 301" in page(results, about(301))
    assert "off-policy" not in page(results, about(300, frames="own"))
    assert "No two arms have episodes yet." in page({}, about(300))


def study_on_disk(out: Path) -> None:
    for arm, by_seed in results_of({BASELINE: (0.5,), "minilm": (0.9,)}, episodes=3).items():
        for seed, episodes in by_seed.items():
            folder = arm_folder(out, arm, seed)
            (folder / CHECKPOINT).mkdir(parents=True)
            (folder / CHECKPOINT / "model.safetensors").write_bytes(arm.encode())
            results = results_file(folder)
            assert results is not None
            for each in episodes.values():
                append(results, each)


def test_the_page_is_written_of_what_is_on_disk(tmp_path: Path) -> None:
    study_on_disk(tmp_path)
    wanted = study.StudyRecord(settings=StudySettings(), cells=("seen",), episodes=3, commands=("first",))
    study.record(tmp_path, wanted)
    study.record(tmp_path, wanted.model_copy(update={"commands": ("second",)}))
    study.main(["--report-only", "--out", str(tmp_path), "--page", str(tmp_path / "page.md")])
    text = (tmp_path / "page.md").read_text("utf-8")
    assert "first\nsecond" in text
    assert "### Language tower" in text
    assert '"arm": "minilm", "seed": 0, "split": "seen"' in (tmp_path / "page.json").read_text("utf-8")


def test_episodes_of_other_weights_do_not_count(tmp_path: Path) -> None:
    study_on_disk(tmp_path)
    folder = arm_folder(tmp_path, "minilm", 0)
    assert len(episodes_of(folder)) == 15
    (folder / CHECKPOINT / "model.safetensors").write_bytes(b"trained anew")
    assert episodes_of(folder) == {}


def test_a_folder_holds_one_study(tmp_path: Path) -> None:
    wanted = study.StudyRecord(settings=StudySettings(), cells=("seen",), episodes=3, commands=())
    study.record(tmp_path, wanted)
    study.record(tmp_path, wanted.model_copy(update={"episodes": 200}))
    with pytest.raises(ConfigError, match="samples: was 60000, is 5"):
        study.record(tmp_path, wanted.model_copy(update={"settings": StudySettings(samples=5)}))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--report-only"], "no study there"),
        (["--skills", "pik"], "did you mean 'pick'"),
        (["--samples", "-1"], "greater than 0"),
        (["--set", "training.bach=3"], "no such field"),
    ],
)
def test_what_cannot_be_is_one_message(words: list[str], told: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=told):
        study.main([*words, "--out", str(tmp_path / "out"), "--page", str(tmp_path / "page.md")])
    assert not list(tmp_path.iterdir()), "nothing is left behind"
