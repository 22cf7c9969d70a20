"""The tables of docs/tabletop-long.md: the long-horizon suite in every arm, from one command.

    python -m forehand.studies.tabletop_long --episodes 3 --policies expert rt2

All arms meet the same scenes, seeds and fault schedules. Episodes are written down as they end, so the same command
goes on where a killed one was. Not for: the page itself (forehand.studies.tabletop_page).
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import get_args

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from forehand.checkpoints import SHOWN_DIGITS, pinned
from forehand.config import RunConfig
from forehand.defaults import PolicyName
from forehand.errors import told_in_one_message
from forehand.evaluation import EpisodeScore, EvalResult, episode_seeds, evaluate_suite
from forehand.studies.tabletop_clock import SuiteClock
from forehand.studies.tabletop_page import Arm, page
from forehand.suites import Suite, load_suite
from forehand.training.view import duration

SUITE = "tabletop-long"
PAGE = Path("docs") / f"{SUITE}.md"
RESULTS = Path("runs") / SUITE
MODULE = "python -m forehand.studies.tabletop_long"

ARMS = (
    Arm("search", "none"),
    Arm("search", "none", closed_loop=False),
    Arm("search", "standard"),
    Arm("search", "standard", closed_loop=False),
    Arm("language", "none"),
    Arm("language", "standard"),
    Arm("search", "none", policy="rt2"),
    Arm("search", "standard", policy="rt2"),
)


def template_of(arm: Arm, suite: Suite, seed: int, checkpoint: Path | None) -> RunConfig:
    """What every run of an arm has in common. Raises CheckpointError where a policy has no weights."""
    first = suite.tasks[0]
    return pinned(
        RunConfig(
            instruction=first.instruction,
            scene=first.scene,
            seed=seed,
            planner=arm.planner,
            policy=arm.policy,
            checkpoint=checkpoint if arm.policy == "rt2" else None,
            faults=arm.faults,
            closed_loop=arm.closed_loop,
        )
    )


def scores_file(folder: Path, suite: Suite, arm: Arm, template: RunConfig) -> Path:
    """Where an arm's episodes are; those of another suite or other weights are in another file."""
    weights = f"-{template.checkpoint_sha256[:SHOWN_DIGITS]}" if template.checkpoint_sha256 else ""
    return folder / f"{suite.name}-{arm.words.replace(', ', '-').replace(' ', '_')}{weights}.jsonl"


def read_scores(path: Path) -> dict[tuple[str, int], EpisodeScore]:
    """By task and seed; a line torn by a kill is left out."""
    found = {}
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            score = EpisodeScore.model_validate_json(line)
        except ValidationError:
            continue
        found[score.task, score.seed] = score
    return found


def append_score(path: Path, score: EpisodeScore) -> None:
    """One whole line, behind whatever a kill tore."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"\n" * (file.tell() > 0) + score.model_dump_json().encode() + b"\n")


def run_arms(
    suite: Suite, templates: Sequence[tuple[Arm, RunConfig]], folder: Path, episodes: int, workers: int, out: Console
) -> list[tuple[Arm, EvalResult]]:
    """Every arm's result; what is on disk is not run again."""
    total = len(suite.tasks) * episodes
    clock = SuiteClock([arm for arm, _ in templates], total, workers)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
    results = []
    with Progress(*columns, console=out) as progress:
        bars = {arm: progress.add_task(arm.words, total=total, told="") for arm, _ in templates}
        known = {arm: read_scores(scores_file(folder, suite, arm, template)) for arm, template in templates}
        for arm, template in templates:
            wanted = {(task.id, seed) for task in suite.tasks for seed in episode_seeds(template.seed, episodes)}
            for key in wanted & known[arm].keys():
                clock.add(arm, known[arm][key].wall_s)
            progress.update(bars[arm], completed=clock.done(arm))
        out.print(f"about {duration(clock.left_s())} for what is missing", highlight=False)
        for arm, template in templates:
            path = scores_file(folder, suite, arm, template)

            def ended(score: EpisodeScore, arm: Arm = arm, path: Path = path) -> None:
                append_score(path, score)
                clock.add(arm, score.wall_s)
                progress.update(bars[arm], completed=clock.done(arm), told=f"all: {duration(clock.left_s())} left")

            result = evaluate_suite(
                suite, template, episodes=episodes, workers=workers, on_episode=ended, known=known[arm]
            )
            progress.update(bars[arm], told="")
            results.append((arm, result))
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    words = list(sys.argv[1:] if arguments is None else arguments)
    given = _parser().parse_args(words)
    out = Console(stderr=True)
    with told_in_one_message():
        suite = load_suite(given.suite)
        arms = [arm for arm in ARMS if arm.policy in given.policies]
        templates = [(arm, template_of(arm, suite, given.seed, given.checkpoint)) for arm in arms]
        for arm, template in templates:
            if given.again:
                scores_file(given.results, suite, arm, template).unlink(missing_ok=True)
        results = run_arms(suite, templates, given.results, given.episodes, given.workers, out)
    command = shlex.join([*MODULE.split(), *words])
    given.page.write_text(page(results, suite.name, f"{date.today():%Y-%m-%d}", command), "utf-8")
    print(given.page.read_text("utf-8"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=MODULE, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--episodes", type=int, default=3, help="episodes of each task in each arm (default 3)")
    add(
        "--policies",
        nargs="+",
        choices=get_args(PolicyName),
        default=get_args(PolicyName),
        help="who acts (default: each)",
    )
    add("--checkpoint", type=Path, help="that drives policy rt2 (default: the one that ships)")
    add("--seed", type=int, default=0)
    add("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    add("--results", type=Path, default=RESULTS, help=f"episodes, a file for each arm (default {RESULTS})")
    add("--again", action="store_true", help="run these arms anew, though their episodes are on disk")
    add("--suite", default=SUITE, help=f"another suite, by name or file (default {SUITE})")
    add("--page", type=Path, default=PAGE, help=f"where to write (default {PAGE})")
    return parser


if __name__ == "__main__":
    main()
