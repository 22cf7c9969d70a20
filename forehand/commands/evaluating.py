"""`forehand eval`: a suite scored, with a progress bar while it runs and a table at the end."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from forehand.commands.running import RunOptions, library_with
from forehand.evaluation import EpisodeScore, EvalResult, evaluate_suite
from forehand.scenes import scene_objects
from forehand.suites import Suite, SuiteError, load_suite
from skills.checking import LiteralError, check_goal
from skills.library import SkillLibrary


def eval_command(
    options: RunOptions,
    suite_name: str,
    *,
    episodes: int,
    workers: int | None,
    plan_only: bool,
    out: Path | None,
    as_json: bool,
) -> int:
    suite = load_suite(suite_name)
    template = options.template(suite.tasks[0])
    check_goals(suite, library_with(options.skill_files))
    console = Console(stderr=True)
    with _progress(console) as progress:
        bar = progress.add_task(suite.name, total=len(suite.tasks) * episodes, right=0)

        def count(score: EpisodeScore) -> None:
            right = progress.tasks[bar].fields["right"] + score.right
            progress.update(bar, advance=1, right=right)

        result = evaluate_suite(
            suite, template, episodes=episodes, workers=workers, plan_only=plan_only, folder=out, on_episode=count
        )
    if as_json:
        print(result.model_dump_json(indent=2))
    else:
        show(result, Console())
    return 0


def check_goals(suite: Suite, library: SkillLibrary) -> None:
    """Raises SuiteError for a goal that speaks of what its scene or the library does not have."""
    for task in suite.tasks:
        if task.expect == "goal":
            try:
                check_goal(task.wanted, scene_objects(task.scene), library.predicates)
            except LiteralError as error:
                raise SuiteError(f"task '{task.id}': {error}") from error


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[right]} right"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def show(result: EvalResult, console: Console) -> None:
    table = Table(title=f"{result.suite}: planner {result.planner}, policy {result.policy}, {arm_words(result)}")
    for column in ("family", "right", "rate", "Wilson 95 %"):
        table.add_column(column, justify="left" if column == "family" else "right")
    for name, rate in [*result.by_family.items(), ("all", result.success)]:
        low, high = rate.wilson95
        table.add_row(
            name, f"{rate.k}/{rate.n}", f"{rate.rate or 0:.1%}", f"{low:.1%} to {high:.1%}", end_section=name != "all",
            style="bold" if name == "all" else None,
        )  # fmt: skip
    console.print(table)
    for score in result.episodes:
        if not score.right:
            missed = f"[red]✗[/] {score.task} (seed {score.seed}): {score.outcome}: {score.reason}"
            console.print(missed, highlight=False)


def arm_words(result: EvalResult) -> str:
    if result.plan_only:
        return "plan only"
    return f"faults {result.faults}, {'closed' if result.closed_loop else 'open'} loop"
