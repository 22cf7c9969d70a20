"""The jobs of RT-2's comparison: write examples, train an arm, evaluate it; each finds on disk what is done already.

Not for: which arms and cells there are (forehand.studies.rt2_arms) or their order (forehand.studies.rt2_comparison).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from executor.evaluation_cases import Case
from forehand.checkpoints import SHOWN_DIGITS, weights_sha256
from forehand.studies.rt2_arms import (
    ARMS,
    REFERENCE,
    StudySettings,
    arm_folder,
    compared_arms,
    config_of,
    needed_arms,
    practises,
)
from forehand.studies.study_jobs import Job
from forehand.training.config import TrainConfig
from forehand.training.folder import CONFIG, check_same

if TYPE_CHECKING:
    from executor.skill_evaluation import Episode

EXAMPLES, CHECKPOINT, LOG = "examples", "checkpoint", "log.jsonl"
TAIL_BYTES = 4000
WORLDS = 8  # in lock step
SAMPLES_PER_S, EPISODE_S, EXAMPLE_S = 100.0, 1.0, 0.02  # of one core, until this machine's own pace is known


def all_jobs(
    settings: StudySettings,
    out: Path,
    arms: Sequence[str],
    seeds: Iterable[int],
    cases: Callable[[int], Sequence[Case]],
    device: str,
) -> list[Job]:
    """What it takes to compare these arms. Seeds outermost, so that a study that is not finished has whole seeds.

    cases: by training seed. Raises ConfigError for settings that no training can have, or that one on disk had not.
    """
    jobs, compared = [_examples_job(settings, out)], compared_arms(arms, settings)
    for seed in seeds:
        for arm in needed_arms(arms, settings):
            training = _training_job(settings, out, arm, seed, device)
            evaluations = [_evaluation_job(out, arm, seed, cases(seed), training.name)] if arm in compared else []
            jobs += [training, *evaluations]
    return jobs


def _examples_job(settings: StudySettings, out: Path) -> Job:
    config = config_of(settings, next(iter(ARMS)), 0, out)
    folder, count = out / EXAMPLES, settings.examples
    return Job(
        EXAMPLES, EXAMPLES, partial(write_examples, folder, count, config.vision_language.seed),
        partial(_examples_share, folder), out / "examples.log", EXAMPLE_S * count,
    )  # fmt: skip


def _training_job(settings: StudySettings, out: Path, arm: str, seed: int, device: str) -> Job:
    folder, config = arm_folder(out, arm, seed), config_of(settings, arm, seed, out)
    own = practises(arm, settings)
    budget_s = 60 * (settings.minutes or 0) or (settings.samples or 0) / SAMPLES_PER_S
    if (folder / CONFIG).is_file():
        check_same(folder, config)  # the recipe may have changed since
    return Job(
        f"train {arm} {seed}", "training", partial(train_arm, config, f"{arm}, seed {seed}", folder, device, out),
        partial(trained_share, folder), folder / "train.log", budget_s, 1 + settings.collectors if own else 1,
        (EXAMPLES,) if own else (EXAMPLES, f"train {REFERENCE} {seed}"),
    )  # fmt: skip


def _evaluation_job(out: Path, arm: str, seed: int, cases: Sequence[Case], training: str) -> Job:
    folder = arm_folder(out, arm, seed)
    return Job(
        f"evaluate {arm} {seed}", "evaluation", partial(evaluate_arm, folder, tuple(cases)),
        partial(evaluated_share, folder, tuple(cases)), folder / "evaluate.log", EPISODE_S * len(cases),
        after=(training,),
    )  # fmt: skip


def write_examples(folder: Path, count: int, seed: int) -> None:
    """The vision-language examples that every arm shares."""
    from executor.learning.visual_questions import write_examples as write

    write(folder, count, seed, workers=1)
    (folder / "whole").touch()


def _examples_share(folder: Path) -> float:
    return float((folder / "whole").exists())


def train_arm(config: TrainConfig, name: str, folder: Path, device: str, out: Path) -> None:
    """Train, or go on training."""
    from rich.console import Console

    from forehand.training.run import Training, train

    link_examples(out / EXAMPLES, folder / EXAMPLES)
    train(Training(config, name, folder, device, Console()))


def link_examples(source: Path, target: Path) -> None:
    """The shards under a second name: a training that finds them there does not write its own."""
    from forehand.training.sources import link

    target.mkdir(parents=True, exist_ok=True)
    for shard in source.glob("*.npz"):
        if not (target / shard.name).exists():
            link(shard.resolve(), target / shard.name)


def trained_share(folder: Path) -> float:
    """How much of a training is done."""
    if (folder / CHECKPOINT).is_dir():
        return 1.0
    log = folder / LOG
    if not log.exists():
        return 0.0
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        lines = file.read().split(b"\n")[:-1]
    with suppress(ValueError, IndexError, KeyError):
        return min(0.99, float(json.loads(lines[-1])["share"]))
    return 0.0


def results_file(folder: Path) -> Path | None:
    """Where the episodes of this very checkpoint are; None before there is one."""
    checkpoint = folder / CHECKPOINT
    if not checkpoint.is_dir():
        return None
    return folder / f"episodes-{weights_sha256(checkpoint)[:SHOWN_DIGITS]}.jsonl"


def evaluate_arm(folder: Path, cases: Sequence[Case]) -> None:
    """Run the cases that are not on disk yet."""
    from forehand.studies.skill_worker import Arm, read_results, run_cases

    results = results_file(folder)
    assert results is not None
    done = read_results(results)
    arm = Arm((folder / CHECKPOINT).resolve(), worlds=WORLDS)
    run_cases(arm, [case for case in cases if case not in done], results)


def evaluated_share(folder: Path, cases: Sequence[Case]) -> float:
    """How many of the cases are on disk. Lines are counted first: to read them all takes long."""
    results = results_file(folder)
    if results is None or not cases:
        return 0.0
    lines = results.read_bytes().count(b"\n") if results.exists() else 0
    if lines < len(cases):
        return lines / len(cases)
    done = episodes_of(folder)
    return sum(case in done for case in cases) / len(cases)


def episodes_of(folder: Path) -> Mapping[Case, Episode]:
    """What is on disk of an arm and seed."""
    from forehand.studies.skill_worker import read_results

    results = results_file(folder)
    return {} if results is None else read_results(results)
