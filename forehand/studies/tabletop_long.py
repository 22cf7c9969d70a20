"""The table of docs/tabletop-long.md: the long-horizon suite in every arm, from one command.

    python -m forehand.studies.tabletop_long --episodes 3

All arms meet the same scenes, seeds and fault schedules.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from forehand.config import PlannerName, RunConfig
from forehand.evaluation import EpisodeScore, EvalResult, evaluate_suite
from forehand.suites import Suite, load_suite
from skills.rates import Rate

SUITE = "tabletop-long"
PAGE = Path("docs") / f"{SUITE}.md"


@dataclass(frozen=True)
class Arm:
    """One way to do the suite."""

    words: str
    planner: PlannerName
    faults: str
    closed_loop: bool


ARMS = (
    Arm("search, no faults", "search", "none", True),
    Arm("search, no faults, open loop", "search", "none", False),
    Arm("search, standard faults", "search", "standard", True),
    Arm("search, standard faults, open loop", "search", "standard", False),
    Arm("language, no faults", "language", "none", True),
    Arm("language, standard faults", "language", "standard", True),
)


def run_arm(arm: Arm, suite: Suite, episodes: int, seed: int, workers: int | None, progress: Progress) -> EvalResult:
    first = suite.tasks[0]
    template = RunConfig(
        instruction=first.instruction,
        scene=first.scene,
        seed=seed,
        planner=arm.planner,
        faults=arm.faults,
        closed_loop=arm.closed_loop,
    )
    bar = progress.add_task(arm.words, total=len(suite.tasks) * episodes)

    def advance(_: EpisodeScore) -> None:
        progress.advance(bar)

    return evaluate_suite(suite, template, episodes=episodes, workers=workers, on_episode=advance)


def page(results: Sequence[tuple[Arm, EvalResult]], command: str) -> str:
    """The page in Markdown."""
    first = results[0][1]
    head = [
        f"# {SUITE}",
        "",
        f"{first.success.n // first.episodes_per_task} tasks, {first.episodes_per_task} episodes each, policy "
        f"`{first.policy}` (scripted, privileged), perception `{first.perception}`, detector `{first.detector}`. "
        "Success is the settled true state and history held against the goal; intervals are Wilson 95 %. "
        "Planner `search` is given the task's goal, `language` the instruction.",
        "",
        f"Measured on {date.today():%Y-%m-%d} with `{command}`.",
        "",
        "| arm | success | 95 % interval | says so wrongly | attempts a task | recoveries a task | faults a task |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [_row(arm.words, result) for arm, result in results]
    return "\n".join([*head, *rows, "", *_by_family(results), "", *_failures(results), ""])


def _row(words: str, result: EvalResult) -> str:
    episodes = result.episodes
    wrongly = sum(e.outcome == "succeeded" and not e.right for e in episodes)
    recovered = sum(count for rung, count in result.recoveries.items() if rung != "continue")
    means = (sum(e.skill_attempts for e in episodes), recovered, sum(e.faults for e in episodes))
    cells = [words, _percent(result.success), _interval(result.success), f"{wrongly}/{len(episodes)}"]
    return "| " + " | ".join([*cells, *(f"{total / len(episodes):.2f}" for total in means)]) + " |"


def _by_family(results: Sequence[tuple[Arm, EvalResult]]) -> list[str]:
    families = list(results[0][1].by_family)
    lines = ["## By family", "", "| arm | " + " | ".join(families) + " |", "|---" * (len(families) + 1) + "|"]
    for arm, result in results:
        cells = [f"{result.by_family[family].k}/{result.by_family[family].n}" for family in families]
        lines.append(f"| {arm.words} | " + " | ".join(cells) + " |")
    return lines


def _failures(results: Sequence[tuple[Arm, EvalResult]]) -> list[str]:
    lines = ["## What went wrong in closed loop", ""]
    for arm, result in results:
        if arm.closed_loop:
            lines += [
                f"- {arm.words}: {e.task}, seed {e.seed}: {e.outcome}: {e.reason}"
                for e in result.episodes
                if not e.right
            ]
    return lines if len(lines) > 2 else [*lines, "Nothing."]


def _percent(rate: Rate) -> str:
    return f"{rate.k}/{rate.n} = {rate.rate or 0:.1%}"


def _interval(rate: Rate) -> str:
    low, high = rate.wilson95
    return f"{low:.1%} to {high:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m forehand.studies.tabletop_long", description=__doc__)
    parser.add_argument("--episodes", type=int, default=3, help="episodes of each task in each arm (default 3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=None, help="processes (default: one a core)")
    parser.add_argument("--page", type=Path, default=PAGE, help=f"where to write (default {PAGE})")
    given = parser.parse_args()
    suite = load_suite(SUITE)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        results = [(arm, run_arm(arm, suite, given.episodes, given.seed, given.workers, progress)) for arm in ARMS]
    command = f"python -m forehand.studies.tabletop_long --episodes {given.episodes} --seed {given.seed}"
    given.page.write_text(page(results, command), "utf-8")
    print(given.page.read_text("utf-8"))


if __name__ == "__main__":
    main()
