"""RT-2's comparison at this size: arms trained with one reduced budget, on the same scenes; writes a page of findings.

    python -m forehand.studies.rt2_comparison --seeds 3 --samples 60000 --episodes 200

Robot data alone against co-fine-tuned, learned against pretrained language tower, with and without the pointing,
auxiliary and grounding losses; with --arms also dagger, cloning and one-by-one. Every training and every episode is on
disk, so the same command goes on where a killed one was; --report-only writes the page of what there is.
Not for: what the shipped checkpoint can do (forehand.studies.skills_from_images).
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console

from executor.evaluation_cases import Case
from executor.skill_evaluation import Episode
from forehand.config import ConfigError
from forehand.runs import write_atomically
from forehand.studies.rt2_arms import (
    ARMS,
    BASELINE,
    CELLS,
    DEFAULT_ARMS,
    SAMPLES,
    SKILLS,
    StudySettings,
    arm_folder,
    cases_of,
    config_of,
)
from forehand.studies.rt2_findings import Results
from forehand.studies.rt2_jobs import all_jobs, episodes_of
from forehand.studies.rt2_page import PageFacts, counts, page, training_facts
from forehand.studies.study_jobs import Jobs, last_words
from forehand.studies.study_view import StudyView
from forehand.training.reading import differences
from forehand.training.report import machine
from rt2.errors import CheckpointError
from skills.library import SkillLibrary
from skills.skill import did_you_mean

PAGE = Path("docs") / "rt2-comparison.md"
OUT = Path("runs") / "rt2-comparison"
MODULE = "python -m forehand.studies.rt2_comparison"


class StudyRecord(BaseModel):
    """study.json: what the trainings in a folder share, how many episodes each gets, the commands that made them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: StudySettings
    cells: tuple[str, ...]
    episodes: int
    commands: tuple[str, ...]


def recorded(out: Path) -> StudyRecord | None:
    """The study of a folder; None before the first. Raises ConfigError for a file that is none."""
    path = out / "study.json"
    if not path.is_file():
        return None
    try:
        return StudyRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ConfigError(f"{path}: not the record of a study: {error.errors()[0]['msg']}") from error


def record(out: Path, wanted: StudyRecord) -> StudyRecord:
    """The folder's record, with this command. Raises ConfigError where its trainings are of other settings."""
    before = recorded(out)
    if before is not None:
        found = differences(before.settings.model_dump(mode="json"), wanted.settings.model_dump(mode="json"))
        if found:
            listed = "\n".join(f"  {line}" for line in found)
            raise ConfigError(f"{out}: holds another study; give another --out. Differences:\n{listed}")
        commands = tuple(dict.fromkeys((*before.commands, *wanted.commands)))
        wanted = wanted.model_copy(update={"commands": commands})
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / "study.json", wanted.model_dump_json(indent=1).encode())
    return wanted


def results_in(out: Path) -> Results:
    """The episodes of every arm and training seed that has any."""
    found: dict[str, dict[int, Mapping[Case, Episode]]] = {}
    for arm, seed in begun(out):
        episodes = episodes_of(arm_folder(out, arm, seed))
        if episodes:
            found.setdefault(arm, {})[seed] = episodes
    return found


def begun(out: Path) -> list[tuple[str, int]]:
    """The arms and training seeds that have a folder, in order."""
    return [
        (arm, seed)
        for arm in ARMS
        for seed in sorted(int(folder.name.removeprefix("seed-")) for folder in (out / arm).glob("seed-*"))
    ]


def write_page(out: Path, kept: StudyRecord, path: Path) -> None:
    """The page, and beside it the counts as JSON."""
    results = results_in(out)
    expected = len(cases_of(kept.cells, kept.settings.skills, kept.episodes, 0))
    facts = training_facts(out, begun(out))
    told = sorted({str(fact["machine"]) for fact in facts.values()}) or [machine()]
    about = PageFacts(kept.settings, kept.commands, f"{date.today():%Y-%m-%d}", "; ".join(told), expected, facts)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page(results, about).encode())
    rows = ",\n".join(json.dumps(row) for row in counts(results))
    write_atomically(path.with_suffix(".json"), f"[\n{rows}\n]\n".encode())


def carry_out(out: Path, kept: StudyRecord, arms: Sequence[str], seeds: int, cores: int, device: str | None) -> Jobs:
    """Train and evaluate whatever is not on disk yet. Raises ConfigError or CheckpointError first."""
    from forehand.training.run import check_device
    from rt2.minilm import check_files, find_minilm

    if "minilm" in arms:
        check_files(find_minilm())  # rather now than after an hour
    cases = partial(cases_of, kept.cells, kept.settings.skills, kept.episodes)
    jobs = Jobs(all_jobs(kept.settings, out, arms, range(seeds), cases, check_device(device)), cores)
    view = StudyView(jobs, Console(stderr=True))
    with view.shown():
        jobs.run(view.update)
    return jobs


def main(arguments: Sequence[str] | None = None) -> None:
    words = list(sys.argv[1:] if arguments is None else arguments)
    given, console = _parser().parse_args(words), Console()
    try:
        if given.report_only:
            kept = recorded(given.out)
            if kept is None:
                raise ConfigError(f"{given.out}: no study there (it has no study.json)")
            failed = []
        else:
            kept = record(given.out, _asked(given, words))
            jobs = carry_out(given.out, kept, given.arms, given.seeds, given.workers, given.device)
            failed = [(name, job.log) for name in jobs.failed for job in jobs.jobs if job.name == name]
        write_page(given.out, kept, given.page)
    except (ConfigError, CheckpointError) as error:
        raise SystemExit(f"{error}") from None
    except ValidationError as error:
        raise SystemExit("\n".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())) from None
    console.print(f"written: {given.page}", highlight=False, soft_wrap=True)
    for name, log in failed:
        console.print(f"failed: {name}; see {log}\n{last_words(log)}", highlight=False, markup=False, soft_wrap=True)
    if failed:
        raise SystemExit(1)


def _asked(given: argparse.Namespace, words: Sequence[str]) -> StudyRecord:
    known = tuple(SkillLibrary().by_name)
    unknown = [skill for skill in given.skills if skill not in known]
    if unknown:
        raise ConfigError(f"no skill '{unknown[0]}'{did_you_mean(unknown[0], known)}")
    settings = StudySettings(
        recipe=given.recipe,
        samples=None if given.minutes else given.samples or SAMPLES,
        minutes=given.minutes,
        skills=tuple(given.skills),
        frames=given.frames,
        examples=given.examples,
        collectors=given.collectors,
        changes=tuple(given.change),
    )
    config_of(settings, BASELINE, 0, given.out)  # a study of settings that there are not would stay in the folder
    command = shlex.join([*MODULE.split(), *words])
    return StudyRecord(settings=settings, cells=tuple(given.cells), episodes=given.episodes, commands=(command,))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=MODULE, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seeds", type=int, default=3, help="training seeds (default 3)")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--samples", type=int, help=f"budget of a training, repeatable (default {SAMPLES})")
    budget.add_argument("--minutes", type=float, help="budget of a training by the clock instead")
    add("--episodes", type=int, default=200, help="of each cell for each arm and training seed (default 200)")
    add(
        "--arms",
        nargs="+",
        choices=list(ARMS),
        default=list(DEFAULT_ARMS),
        metavar="ARM",
        help=f"of {', '.join(ARMS)} (default: the first ones without {', '.join(set(ARMS) - set(DEFAULT_ARMS))})",
    )
    add(
        "--cells",
        nargs="+",
        choices=list(CELLS),
        default=list(CELLS),
        metavar="CELL",
        help=f"of {', '.join(map(repr, CELLS))} (default all)",
    )
    add("--skills", nargs="+", default=list(SKILLS), help=f"trained and evaluated (default {' '.join(SKILLS)})")
    add("--frames", choices=["shared", "own"], default="shared", help="who collects (default: one arm for all)")
    add("--collectors", type=int, default=1, help="processes beside a training that collects (default 1)")
    add("--examples", type=int, default=6000, help="vision-language examples that all arms share (default 6000)")
    add("--recipe", default="rt2-small", help="what all trainings begin from (default rt2-small)")
    add("--set", dest="change", action="append", default=[], metavar="FIELD=VALUE", help="as in forehand train")
    add("--device", help="cpu or cuda [cuda where there is one]")
    add("--workers", type=int, default=2, help="cores, each for a training, a collector or an evaluation (default 2)")
    add("--out", type=Path, default=OUT, help=f"all its files (default {OUT})")
    add("--page", type=Path, default=PAGE, help=f"where to write (default {PAGE})")
    add("--report-only", action="store_true", help="only write the page of what is on disk")
    return parser


if __name__ == "__main__":
    main()
