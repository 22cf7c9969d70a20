"""Each skill from camera images alone: success with Wilson intervals, wrong objects, how runs ended.

    python -m forehand.studies.skills_from_images --checkpoint DIR --episodes 500 --split seen --workers 2

Episodes are appended to a file as they end, so a killed evaluation goes on where it was. `--write` puts everything that
the file holds of this checkpoint into docs/skills-from-images.md. The same seeds give every checkpoint and wrapper the
same scenes. Not for: one episode (executor.skill_evaluation), or the tables (forehand.studies.skill_tables).
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from argparse import BooleanOptionalAction
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from dataclasses import replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from executor.evaluation_cases import SPLITS, Case, Split, splits_of
from executor.lock_step import together
from executor.skill_evaluation import Episode
from forehand.checkpoints import SHOWN_DIGITS, weights_sha256
from forehand.defaults import SHIPPED_CHECKPOINT
from forehand.errors import told_in_one_message
from forehand.studies.skill_tables import comparison, failing_seeds, page, summary, terminal_table
from forehand.studies.skill_worker import Arm, read_results, run_cases
from forehand.taught import file_sha256
from robots.tabletop.captions import Caption
from robots.tabletop.trace import TraceFrame, frame_of
from robots.tabletop.video import write_video
from rt2.vla import load_vla
from skills.skill import did_you_mean

PAGE = Path("docs") / "skills-from-images.md"
RESULTS = Path("runs") / "skills"
LOOK_S = 1.0
LINGER_FRAMES = 15
TITLE = "Skills from images"
PLAIN_WIDTH = 180  # of the table in a file


def all_cases(arm: Arm, skills: Sequence[str], splits: Sequence[Split], seeds: range) -> list[Case]:
    """Seeds outermost, so that what a killed evaluation has is balanced. Splits that say nothing of a skill are out."""
    library = arm.library()
    sensible = {skill: splits_of(skill, library) for skill in skills}
    return [
        Case(split, skill, seed) for seed in seeds for split in splits for skill in skills if split in sensible[skill]
    ]


def evaluate(arm: Arm, cases: Sequence[Case], results: Path, *, workers: int, console: Console) -> dict[Case, Episode]:
    """Run what `results` does not hold yet; the episodes of these cases. Raises what a worker raises."""
    load_vla(arm.checkpoint)  # what cannot be loaded is told once, before there are processes
    results.parent.mkdir(parents=True, exist_ok=True)
    known = read_results(results)
    missing = [case for case in cases if case not in known]
    if missing:
        before = _lines(results)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        # spawn: a forked child would share the parent's simulator and its threads
        with (
            Progress(*columns, TimeRemainingColumn(), console=console) as progress,
            ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
        ):
            bar = progress.add_task("episodes", total=len(cases), completed=len(cases) - len(missing))
            running = {pool.submit(run_cases, arm, missing[k::workers], results) for k in range(workers)}
            while running:
                ended, running = wait(running, timeout=LOOK_S, return_when=FIRST_EXCEPTION)
                for future in ended:
                    future.result()
                progress.update(bar, completed=len(cases) - len(missing) + _lines(results) - before)
    found = read_results(results)
    return {case: found[case] for case in cases}


def _lines(path: Path) -> int:
    """To read them all takes long."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def film(arm: Arm, case: Case, path: Path) -> Episode:
    """One episode as a video for people, with the sentence and what came of it."""
    frames: list[TraceFrame] = []
    vla = load_vla(arm.checkpoint)
    evaluation = arm.evaluation(vla, lambda world: frames.append(frame_of(world)))
    (episode,) = together([lambda: evaluation.episode(case)], vla, at_once=1)
    verdict = "succeeded" if episode.succeeded else episode.reason
    words = Caption(episode.call, episode.sentence, verdict, "good" if episode.succeeded else "bad")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(
        [*frames, *frames[-1:] * LINGER_FRAMES],
        path,
        caption=lambda frame: words if frame is frames[-1] else replace(words, verdict=""),
    )
    return episode


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    splits: list[Split] = list(SPLITS) if "all" in given.split else given.split
    arm = Arm(
        given.checkpoint.resolve(),
        given.chunk,
        given.anti_freeze,
        given.resolute,
        tuple(given.skill_file),
        given.worlds,
    )
    names = tuple(arm.library().by_name)
    skills = names if "all" in given.skills else given.skills
    unknown = [skill for skill in skills if skill not in names]
    if unknown:
        raise SystemExit(f"no skill '{unknown[0]}'{did_you_mean(unknown[0], names)}")
    digest = weights_sha256(arm.checkpoint)
    console, started = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH), time.monotonic()
    if given.film is not None:
        for skill in skills:
            path = RESULTS / f"{skill}-{splits[0]}-{given.film}.mp4"
            episode = film(arm, Case(splits[0], skill, given.film), path)
            console.print(f"{path}: {episode.sentence}: {episode.reason or 'succeeded'}", highlight=False)
        return
    results = given.results or results_file(RESULTS, arm)
    seeds = range(given.seed, given.seed + given.episodes)
    cases = all_cases(arm, skills, splits, seeds)
    episodes = list(evaluate(arm, cases, results, workers=given.workers, console=console).values())
    found = summary(episodes)
    console.print(terminal_table(found, f"{TITLE}: {arm.checkpoint.name}, {arm.words}"))
    for line in failing_seeds(episodes):
        console.print(line, highlight=False, soft_wrap=True)
    if given.compare is not None:
        others = read_results(given.compare)
        for line in comparison({case: e for case, e in read_results(results).items() if case in set(cases)}, others):
            console.print(line, highlight=False)
    spent_s = time.monotonic() - started
    console.print(f"{results}: {len(episodes)} episodes, {spent_s:.0f} s", highlight=False, soft_wrap=True)
    if given.write:
        kept = list(read_results(results).values())
        about = f"`{arm.checkpoint.name}`, weights SHA-256 `{digest}`, {arm.words}"
        asked = sys.argv[1:] if arguments is None else arguments
        command = shlex.join(["python", "-m", "forehand.studies.skills_from_images", *asked])
        given.page.write_text(page(kept, about, f"{date.today():%Y-%m-%d}", command), "utf-8")
        rows = [row.model_dump_json() for row in summary(kept)]
        given.page.with_suffix(".json").write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
        console.print(f"written: {given.page}", highlight=False)


def results_file(folder: Path, arm: Arm) -> Path:
    """Where an arm's episodes are: named after all that decides them, its weights, its wrappers, and the skill files,
    which put things of their own into the scenes."""
    wrapped = (
        (f"-chunk{arm.chunk}" if arm.chunk else "")
        + ("-anti-freeze" if arm.anti_freeze else "")
        + ("" if arm.resolute else "-not-resolute")
    )
    taught = "".join(f"-{path.stem}-{file_sha256(path)[:SHOWN_DIGITS]}" for path in arm.skill_files)
    return folder / f"{weights_sha256(arm.checkpoint)[:SHOWN_DIGITS]}{wrapped}{taught}.jsonl"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m forehand.studies.skills_from_images",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--checkpoint", type=Path, default=SHIPPED_CHECKPOINT, help="a checkpoint folder (default: the one that ships)")
    add("--episodes", type=int, default=500, help="of each skill in each split (default 500)")
    add("--skills", nargs="+", default=["all"])
    add("--split", nargs="+", choices=[*SPLITS, "all"], default=["seen"])
    add("--workers", type=int, default=2, help="processes (default 2)")
    add("--worlds", type=int, default=8, help="in lock step in each process (default 8)")
    add("--seed", type=int, default=0, help="the first seed")
    add("--chunk", type=int, help="execute only the first N actions of each chunk")
    add("--anti-freeze", action="store_true", help="nudge the hand where nothing moves")
    add("--resolute", action=BooleanOptionalAction, default=True, help="settle it where the hand goes to and fro")
    add("--skill-file", type=Path, action="append", default=[], help="adds a skill of one's own")
    add("--results", type=Path, help=f"episodes, one a line (default {RESULTS}/WEIGHTS.jsonl)")
    add("--compare", type=Path, metavar="RESULTS", help="count which of the same cases another arm did better")
    add("--write", action="store_true", help="write the page of all that the results hold")
    add("--page", type=Path, default=PAGE)
    add("--film", type=int, metavar="SEED", help="film this seed of each of the skills instead")
    return parser


if __name__ == "__main__":
    with told_in_one_message():
        main()
