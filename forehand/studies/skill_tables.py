"""Tables of a skill evaluation: per split, variant and skill, for the terminal and for the docs.

Not for: running episodes (forehand.studies.skill_worker).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from pydantic import BaseModel, ConfigDict
from rich.table import Table

from executor.evaluation_cases import SPLITS, Case
from executor.skill_evaluation import Episode
from skills.rates import Rate

ALL = "all"
SHOWN_SEEDS = 10
COLUMNS = ("split", "skill", "success", "95 % interval", "wrong object", "ended by", "median steps", "why not")
SPLIT_WORDS: Mapping[str, str] = {
    "seen": "colours, table and cameras as in training, scenes never seen",
    "colours": "what is named or held is cyan, brown or pink, which robot data never shows",
    "wordings": "sentences never trained on; a third each of new structures, new verbs, new nouns",
    "backgrounds": "a patterned table; training tables are plain",
    "environments": "light stronger, weaker or more coloured than training ever had, cameras up to twice as far off as "
    "there, up to three distractors",
    "distractors": "one to three things on the table that no training scene has",
    "steering": "the sentence names something else that can be done there, or nothing at all",
}


class Row(BaseModel):
    """Episodes of one split, variant and skill added up; `all` stands for every variant or skill."""

    model_config = ConfigDict(frozen=True)

    split: str
    variant: str
    skill: str
    success: Rate
    wrong_object: Rate
    ended_by: dict[str, int]
    median_steps: float
    reasons: dict[str, int]
    failing_seeds: tuple[int, ...]


def summary(episodes: Sequence[Episode]) -> list[Row]:
    """For each split its skills, all skills together, and then its variants where it has any."""
    rows = []
    for split in SPLITS:
        chosen = [e for e in episodes if e.split == split]
        if not chosen:
            continue
        rows += [_row(split, ALL, name, es) for name, es in _grouped(chosen, lambda e: e.skill)]
        rows.append(_row(split, ALL, ALL, chosen))
        variants = _grouped([e for e in chosen if e.variant], lambda e: e.variant)
        rows += [_row(split, name, ALL, es) for name, es in variants]
    return rows


def failing_seeds(episodes: Sequence[Episode]) -> list[str]:
    """For each split and skill that failed anywhere, its first failing seeds, to be watched with --film."""
    lines = []
    for row in summary(episodes):
        if row.skill != ALL and row.failing_seeds:
            seeds = ", ".join(map(str, row.failing_seeds))
            lines.append(f"{row.split}, {row.skill}: watch seeds {seeds}")
    return lines


def comparison(here: Mapping[Case, Episode], there: Mapping[Case, Episode]) -> list[str]:
    """Per skill, over the cases that both have: both rates, and in how many cases only one succeeded."""
    shared = [(here[case], there[case]) for case in here if case in there]
    lines = [f"{len(shared)} cases that both arms have:"]
    for name in [*dict.fromkeys(e.skill for e, _ in shared), ALL]:
        pairs = [(a.succeeded, b.succeeded) for a, b in shared if name in (a.skill, ALL)]
        ours, theirs = (Rate.of(sum(p[k] for p in pairs), len(pairs)) for k in (0, 1))
        only = (sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs))
        lines.append(f"{name}: {ours} here, {theirs} there; only here {only[0]}, only there {only[1]}")
    return lines


def terminal_table(rows: Sequence[Row], title: str) -> Table:
    table = Table(title=title)
    for column in COLUMNS:
        table.add_column(column)
    for row in rows:
        whole = row.skill == ALL and row.variant == ALL
        table.add_row(*_cells(row), style="bold" if whole else None)
    return table


def page(episodes: Sequence[Episode], about: str, day: str, command: str) -> str:
    """The page in Markdown. about: which policy; command: makes it again."""
    rows = summary(episodes)
    lines = [
        "# Skills from images",
        "",
        f"Policy rt2 with {about}. Cluttered scenes of 4 to 10 loose objects with stacks and filled bowls, seeds that "
        "training never has; what has to be held is picked up first by the scripted expert. The policy sees two camera "
        "images, its own body and the sentence, acts through the safety envelope and ends the skill itself. Success is "
        "the skill's success literals on the settled true state; intervals are Wilson 95 %. Wrong object: the effect "
        "happened to something that the sentence does not name.",
        "",
        f"Measured on {day} with `{command}`.",
    ]
    for split in dict.fromkeys(row.split for row in rows):
        chosen = [row for row in rows if row.split == split]
        lines += ["", f"## {split}", "", f"{SPLIT_WORDS[split].capitalize()}.", ""]
        lines += ["| " + " | ".join(COLUMNS[1:]) + " |", "|---" * (len(COLUMNS) - 1) + "|"]
        lines += ["| " + " | ".join(_cells(row)[1:]) + " |" for row in chosen]
    return "\n".join([*lines, ""])


def _grouped(episodes: Iterable[Episode], key: Callable[[Episode], str]) -> list[tuple[str, list[Episode]]]:
    """In the order of first appearance."""
    groups: dict[str, list[Episode]] = {}
    for episode in sorted(episodes, key=lambda e: e.seed):
        groups.setdefault(key(episode), []).append(episode)
    return list(groups.items())


def _row(split: str, variant: str, skill: str, episodes: Sequence[Episode]) -> Row:
    failed = [e for e in episodes if not e.succeeded]
    return Row(
        split=split,
        variant=variant,
        skill=skill,
        success=Rate.of(len(episodes) - len(failed), len(episodes)),
        wrong_object=Rate.of(sum(e.wrong_object is not None for e in episodes), len(episodes)),
        ended_by=dict(Counter(e.ended_by for e in episodes).most_common()),
        median_steps=median(e.steps for e in episodes),
        reasons=dict(Counter(e.reason for e in failed).most_common()),
        failing_seeds=tuple(sorted({e.seed for e in failed})[:SHOWN_SEEDS]),
    )


def _cells(row: Row) -> tuple[str, ...]:
    name = row.skill if row.variant == ALL else f"all, {row.variant}"
    low, high = row.success.wilson95
    return (
        row.split,
        name,
        f"{row.success.k}/{row.success.n} = {row.success.rate or 0:.1%}",
        f"{low:.1%} to {high:.1%}",
        str(row.wrong_object.k),
        ", ".join(f"{n} {how.replace('_', ' ')}" for how, n in row.ended_by.items()),
        f"{row.median_steps:g}",
        "; ".join(f"{n} × {why}" for why, n in row.reasons.items()),
    )
