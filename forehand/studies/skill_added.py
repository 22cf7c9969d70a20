"""What a learned skill costs the old ones: the same episodes before and after, and the new skill by itself.

    python -m forehand.studies.skill_added --before DIR --after DIR --skill-file FILE --episodes 200 --write

Before and after meet the same scenes, calls and sentences; the interval of the difference is Newcombe's for paired
proportions. The new skill is measured in scenes with what its file puts into them. Episodes are kept in files by
checkpoint, so a killed study goes on where it was. Not for: teaching (forehand.training.skill_learning).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from executor.evaluation_cases import Case, Split
from executor.skill_evaluation import Episode
from forehand.checkpoints import SHOWN_DIGITS, weights_sha256
from forehand.defaults import SHIPPED_CHECKPOINT
from forehand.errors import told_in_one_message
from forehand.studies.paired import paired_difference
from forehand.studies.skill_worker import Arm
from forehand.studies.skills_from_images import RESULTS, all_cases, evaluate, results_file
from forehand.taught import check_taught, taught_skills
from skills.library import SkillLibrary
from skills.rates import Rate

PAGE = Path("docs") / "learning-a-skill.md"
TABLE = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end of measured -->)", re.S)
SPLIT: Split = "seen"
ALL = "all old skills"
HEADER = "| skill | before | after | after − before, points | only before | only after |\n|---|---|---|---|---|---|"


def table(before: Mapping[Case, Episode], after: Mapping[Case, Episode], new: Mapping[Case, Episode]) -> str:
    """Markdown: each old skill on the cases that both have, all of them together, then each new skill."""
    shared = [case for case in before if case in after]
    lines = [HEADER]
    for name in (*dict.fromkeys(case.skill for case in shared), ALL):
        cases = [case for case in shared if name in (case.skill, ALL)]
        lines.append(_old_row(name, [(after[case].succeeded, before[case].succeeded) for case in cases]))
    for name in dict.fromkeys(case.skill for case in new):
        ended = [episode.succeeded for case, episode in new.items() if case.skill == name]
        lines.append(f"| **{name}** (new) | | {_rate(Rate.of(sum(ended), len(ended)))} | | | |")
    return "\n".join(lines) + "\n"


def _old_row(name: str, pairs: Sequence[tuple[bool, bool]]) -> str:
    """pairs: succeeded after, before."""
    found = paired_difference(pairs)
    now, then = (Rate.of(sum(pair[k] for pair in pairs), len(pairs)) for k in (0, 1))
    points = f"{100 * found.value:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
    return f"| {name} | {_rate(then)} | {_rate(now)} | {points} | {found.only_second} | {found.only_first} |"


def _rate(rate: Rate) -> str:
    low, high = rate.wilson95
    return f"{rate.k}/{rate.n} = {rate.rate or 0:.1%} ({low:.1%} to {high:.1%})"


def written(page: str, found: str) -> str:
    """The page with what was measured in its place. Raises ValueError where it has no such place."""
    if not TABLE.search(page):
        raise ValueError("the page has no place for the table: <!-- measured --> … <!-- end of measured -->")
    return TABLE.sub(lambda _match: f"\n{found}\n", page)


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    files, known = tuple(given.skill_file), {taught.skill for taught in taught_skills(given.before)}
    library = Arm(given.after, skill_files=files).library()
    check_taught(given.after, library)
    added = [name for name in library.by_name if name not in SkillLibrary().by_name]
    new = [name for name in added if name not in known]
    # what a file puts into scenes changes them: skills that both know are met in scenes that need no file
    old_files = files if known else ()
    old = [name for name in library.by_name if name not in new]
    seeds, console = range(given.seed, given.seed + given.episodes), Console()

    def measured(checkpoint: Path, names: Sequence[str], skill_files: tuple[Path, ...]) -> dict[Case, Episode]:
        arm = Arm(checkpoint.resolve(), skill_files=skill_files, worlds=given.worlds)
        cases = all_cases(arm, names, [SPLIT], seeds)
        return evaluate(arm, cases, results_file(given.results, arm), workers=given.workers, console=console)

    before, after = measured(given.before, old, old_files), measured(given.after, old, old_files)
    learned = measured(given.after, new, files)
    found = (
        f"{table(before, after, learned)}\n"
        f"Before: weights SHA-256 `{weights_sha256(given.before)[:SHOWN_DIGITS]}`; after: "
        f"`{weights_sha256(given.after)[:SHOWN_DIGITS]}`. {given.episodes} episodes of each skill, seeds from "
        f"{given.seed} on, measured on {date.today():%Y-%m-%d}. Rates with Wilson 95 %, differences with Newcombe's "
        "95 % interval for pairs.\n"
    )
    console.print(found, highlight=False, markup=False, soft_wrap=True)
    if given.write:
        given.page.write_text(written(given.page.read_text("utf-8"), found), "utf-8")
        console.print(f"written: {given.page}", highlight=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m forehand.studies.skill_added",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--before", type=Path, default=SHIPPED_CHECKPOINT, help="the checkpoint before it learned")
    add("--after", type=Path, required=True, help="what `forehand skill learn` wrote")
    add("--skill-file", type=Path, action="append", required=True, help="the files that --after was taught with")
    add("--episodes", type=int, default=200, help="of each skill (default 200)")
    add("--seed", type=int, default=0, help="the first seed")
    add("--workers", type=int, default=2, help="processes (default 2)")
    add("--worlds", type=int, default=8, help="in lock step in each process (default 8)")
    add("--results", type=Path, default=RESULTS, help=f"folder of the episodes (default {RESULTS})")
    add("--write", action="store_true", help="put the table into the page")
    add("--page", type=Path, default=PAGE)
    return parser


if __name__ == "__main__":
    with told_in_one_message():
        main()
