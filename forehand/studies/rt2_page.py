"""docs/rt2-comparison.md: tables and findings of RT-2's comparison, from the episodes that are on disk.

Not for: the differences themselves (forehand.studies.rt2_findings).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from executor.evaluation_cases import Case, Split
from executor.skill_evaluation import Episode
from forehand.studies.rt2_arms import ARMS, CELLS, StudySettings, arm_folder
from forehand.studies.rt2_findings import COMPARISONS, RT2_UNSEEN, Found, Results, findings, points
from forehand.studies.rt2_jobs import CHECKPOINT
from skills.rates import Rate
from skills.wordings import TIERS

NO_EPISODES = "–"
PAPER_LINK = "[arXiv 2307.15818](https://arxiv.org/abs/2307.15818)"

Chosen: TypeAlias = Callable[[Episode], bool]


@dataclass(frozen=True)
class PageFacts:
    """What the page says of the study beside its results. expected: episodes of each arm and training seed."""

    settings: StudySettings
    commands: Sequence[str]
    day: str
    machine: str
    expected: int
    facts: Mapping[tuple[str, int], Mapping[str, Any]]


def page(results: Results, about: PageFacts) -> str:
    """The page in Markdown."""
    found = findings(results, about.settings.frames == "own")
    return "\n".join(
        [
            "# RT-2's comparison at this size",
            "",
            *_method(about),
            *_progress(results, about),
            "## Findings",
            "",
            *_sentences(found),
            "## Success",
            "",
            "Pooled over training seeds, with Wilson's 95 % interval; in brackets the lowest and the highest training "
            "seed.",
            "",
            *_table(results, _cells()),
            "",
            "## Unseen wordings, by what is new in them",
            "",
            *_table(results, _tiers()),
            "",
            "## Seen, by skill",
            "",
            *_table(results, _skills(about.settings.skills)),
            "",
            "## Differences",
            "",
            *_differences(found),
            "",
            "## Trainings",
            "",
            *_trainings(about.facts),
            "",
            "## Limits",
            "",
            *_limits(about.settings),
            "",
        ]
    )


def _cells() -> dict[str, Chosen]:
    unseen = [CELLS[cell] for cell in RT2_UNSEEN]
    return {cell: _in(split) for cell, split in CELLS.items()} | {"unseen, RT-2's three": _in(*unseen)}


def _in(*splits: Split) -> Chosen:
    return lambda episode: episode.split in splits


def _tiers() -> dict[str, Chosen]:
    return {tier: partial(_is_of_tier, tier) for tier in TIERS}


def _is_of_tier(tier: str, episode: Episode) -> bool:
    return episode.split == "wordings" and episode.variant == tier


def _skills(skills: Sequence[str]) -> dict[str, Chosen]:
    return {skill: partial(_is_seen_skill, skill) for skill in skills}


def _is_seen_skill(skill: str, episode: Episode) -> bool:
    return episode.split == "seen" and episode.skill == skill


def _method(about: PageFacts) -> list[str]:
    settings = about.settings
    arms = "\n".join(f"- `{name}`: {arm.words}" for name, arm in ARMS.items() if any(name == a for a, _ in about.facts))
    return [
        f"What RT-2 ({PAPER_LINK}) asks of networks of billions of parameters, asked of rt2-small: every arm is "
        f"trained from nothing with {settings.budget}, recipe `{settings.recipe}`, skills "
        f"{', '.join(f'`{skill}`' for skill in settings.skills)}, and meets the same scenes, never trained on. The "
        "budget is a fraction of what the shipped checkpoint gets, and it goes into few skills, those on fixed things "
        "that are learned first and those on blocks that are learned late, so that arms can differ: the figures are "
        "for comparing arms, not for what the system can do.",
        "",
        arms,
        "",
        f"Measured until {about.day} on {about.machine} with",
        "",
        "```text",
        *about.commands,
        "```",
        "",
    ]


def _progress(results: Results, about: PageFacts) -> list[str]:
    short = [
        f"{arm} {seed}: {len(episodes)} of {about.expected}"
        for arm, by_seed in results.items()
        for seed, episodes in by_seed.items()
        if len(episodes) < about.expected
    ]
    return [f"Not finished: {'; '.join(short)} episodes.", ""] if short else []


def _sentences(found: Sequence[Found]) -> list[str]:
    lines = []
    for comparison in COMPARISONS:
        chosen = [f for f in found if f.comparison is comparison]
        if chosen:
            lines += [f"### {comparison.question}", "", *(f"- {f.sentence}" for f in chosen), ""]
    return lines or ["No two arms have episodes yet.", ""]


def _table(results: Results, columns: Mapping[str, Chosen]) -> list[str]:
    lines = ["| arm | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for arm in ARMS:
        if arm in results:
            cells = (_cell(results[arm], chosen) for chosen in columns.values())
            lines.append(f"| `{arm}` | " + " | ".join(cells) + " |")
    return lines


def _cell(by_seed: Mapping[int, Mapping[Case, Episode]], chosen: Chosen) -> str:
    rates = [rate_of(e for e in episodes.values() if chosen(e)) for episodes in by_seed.values()]
    rates = [rate for rate in rates if rate.n]
    if not rates:
        return NO_EPISODES
    pooled = Rate.of(sum(rate.k for rate in rates), sum(rate.n for rate in rates))
    low, high = pooled.wilson95
    shares = [rate.rate or 0.0 for rate in rates]
    text = f"{pooled.k}/{pooled.n} = {pooled.rate or 0:.1%}, {low:.1%} to {high:.1%}"
    return f"{text} ({min(shares):.1%} – {max(shares):.1%})" if len(rates) > 1 else text


def rate_of(episodes: Iterable[Episode]) -> Rate:
    succeeded = [episode.succeeded for episode in episodes]
    return Rate.of(sum(succeeded), len(succeeded))


def _differences(found: Sequence[Found]) -> list[str]:
    lines = [
        "Paired by case and training seed: points, Newcombe's 95 % interval over the pairs (method 10), how often only "
        "the one succeeded and only the other, and the difference of each training seed.",
        "",
        "| first − second | on | points | 95 % | only first | only second | by training seed |",
        "|---|---|---|---|---|---|---|",
    ]
    for f in found:
        d, names = f.pooled, f"`{f.comparison.first}` − `{f.comparison.second}`"
        seeds = ", ".join(points(each.value) for each in f.by_seed.values())
        interval = f"{points(d.low)} to {points(d.high)}"
        lines.append(
            f"| {names} | {f.group} | {points(d.value)} | {interval} | {d.only_first} | {d.only_second} | {seeds} |"
        )
    return lines


def _trainings(facts: Mapping[tuple[str, int], Mapping[str, Any]]) -> list[str]:
    lines = ["| arm | seed | samples | minutes | robot frames | device |", "|---|---|---|---|---|---|"]
    for (arm, seed), told in facts.items():
        cells = (f"{told['samples']:,}", f"{told['minutes']:.1f}", f"{told['robot_frames']:,}", str(told["device"]))
        lines.append(f"| `{arm}` | {seed} | " + " | ".join(cells) + " |")
    return lines


def _limits(settings: StudySettings) -> list[str]:
    shared = (
        "- All arms of a training seed learn from the same frames, which the reference arm `dagger` collected while it "
        "trained. So they differ in nothing but what is compared, but the frames are of states into which the "
        "reference led itself, not the arm: for the others aggregation is off-policy, which may cost the arms that "
        "differ most from it. `--frames own` gives every arm a collector."
    )
    own = (
        "- Every arm collected its own frames while it trained: they differ in their data, too, and how many frames "
        "come in a given time depends on the machine."
    )
    return [
        shared if settings.frames == "shared" else own,
        "- Intervals count episodes; how much two trainings of one arm differ by chance is shown by the training seeds "
        "alone, of which there are few.",
        "- The budget counts samples of every kind: training on robot data alone sees the more robot samples.",
        "- The unseen conditions are of a simulated tabletop, and vision-language data are of its renderer: they hold "
        "the unseen colours, and tables, lights, cameras and distractors at full strength, though never under a robot "
        "that acts; RT-2's came from the web.",
        "- Of the unseen environments the light is stronger, weaker or more coloured than in any robot frame; cameras "
        "are up to twice as far off as there.",
        "- Which frames a collector adds depends on timing: repeated, figures vary a little.",
    ]


def training_facts(out: Path, trained: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Mapping[str, Any]]:
    """What each finished training says of itself."""
    found = {}
    for arm, seed in trained:
        told = arm_folder(out, arm, seed) / CHECKPOINT / "training.json"
        if told.is_file():
            found[arm, seed] = json.loads(told.read_text("utf-8"))
    return found


def counts(results: Results) -> list[dict[str, object]]:
    """The same for programs: successes of each arm, seed, cell and variant."""
    rows: list[dict[str, object]] = []
    for arm, by_seed in results.items():
        for seed, episodes in by_seed.items():
            groups: dict[tuple[str, str, str], list[bool]] = {}
            for e in episodes.values():
                groups.setdefault((e.split, e.variant, e.skill), []).append(e.succeeded)
            rows += [
                {"arm": arm, "seed": seed, "split": split, "variant": variant, "skill": skill, "k": sum(v), "n": len(v)}
                for (split, variant, skill), v in sorted(groups.items())
            ]
    return rows
