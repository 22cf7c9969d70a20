"""What RT-2's comparison found: paired differences, and sentences whose words the numbers choose.

RT-2's own figures are those of Brohan et al. (arXiv 2307.15818). Not for: tables (forehand.studies.rt2_page).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from executor.evaluation_cases import Case
from executor.skill_evaluation import Episode
from forehand.studies.paired import Difference, paired_difference
from forehand.studies.rt2_arms import BASELINE, CELLS, REFERENCE

Results: TypeAlias = Mapping[str, Mapping[int, Mapping[Case, Episode]]]
"""arm → training seed → episodes."""

PAPER = "arXiv 2307.15818"
RT2_UNSEEN = ("unseen objects", "unseen backgrounds", "unseen environments")  # what RT-2 averages as unseen
GROUPS: Mapping[str, tuple[str, ...]] = {
    "seen": ("seen",),
    "unseen": RT2_UNSEEN,
    "unseen wordings": ("unseen wordings",),
}


@dataclass(frozen=True)
class Comparison:
    """One question: `first` against `second`, arms, with their names in the sentences.

    group: of GROUPS, on which RT-2's claim is tested; claim: what RT-2 reports, and for which of the two it speaks (1
    the first, -1 the second, 0 where RT-2 compares no such thing).
    """

    question: str
    first: str
    second: str
    first_words: str
    second_words: str
    group: str
    claim: str
    speaks_for: int


COMPARISONS = (
    Comparison(
        "Co-fine-tuning", BASELINE, "robot-only", "co-fine-tuning", "training on robot data alone", "unseen",
        "co-fine-tuning above fine-tuning on robot data alone on unseen conditions: 63 % against 52 % with 55B "
        "parameters, 44 % against 42 % with 5B", 1,
    ),
    Comparison(
        "Language tower", "minilm", BASELINE, "the pretrained language tower", "the learned one", "unseen wordings",
        "pretraining above training from nothing on unseen conditions: 42 % against 9 % with 5B parameters "
        "(of the whole network, not of the language alone)", 1,
    ),
    Comparison(
        "Pointing loss", BASELINE, "no-pointing", "training with the pointing loss", "training without", "seen",
        "no such loss", 0,
    ),
    Comparison(
        "Auxiliary loss", BASELINE, "no-auxiliary", "training with the auxiliary loss", "training without", "seen",
        "no such loss", 0,
    ),
    Comparison(
        "Grounding loss", BASELINE, "no-grounding", "training with the grounding loss", "training without",
        "unseen", "no such loss", 0,
    ),
    Comparison(
        "Kind of an action", BASELINE, "no-kind", "deciding the kind of an action before its tokens",
        "choosing the tokens alone", "seen", "no such step", 0,
    ),
    Comparison(
        "Dataset aggregation", REFERENCE, "cloning", "dataset aggregation", "cloning the noisy expert", "seen",
        "cloning alone, and no comparison", 0,
    ),
    Comparison(
        "Decoding", BASELINE, "one-by-one", "decoding all 8 tokens in one pass", "decoding them one by one", "seen",
        "decoding one by one, and no comparison", 0,
    ),
)  # fmt: skip


def difference(first: Sequence[Mapping[Case, Episode]], second: Sequence[Mapping[Case, Episode]], cells: Sequence[str],
               ) -> Difference | None:  # fmt: skip
    """Over the cases of these cells that both have, training seed by training seed; None where there are none."""
    splits = {CELLS[cell] for cell in cells}
    pairs = [
        (a[case].succeeded, b[case].succeeded)
        for a, b in zip(first, second, strict=True)
        for case in a
        if case in b and case.split in splits
    ]
    return paired_difference(pairs) if pairs else None


@dataclass(frozen=True)
class Found:
    """One comparison in one group. by_seed: training seed → difference; RT-2's direction is asked for in one group."""

    comparison: Comparison
    group: str
    pooled: Difference
    by_seed: Mapping[int, Difference]

    @property
    def sentence(self) -> str:
        """With difference and interval; direction and agreement follow from them."""
        c, d = self.comparison, self.pooled
        verb = {1: "did better than", -1: "did worse than", 0: "could not be told apart from"}[d.direction]
        words = (
            f"{_capital(c.first_words)} {verb} {c.second_words} on {self.group}: {points(d.value)} points "
            f"(95 % interval {points(d.low)} to {points(d.high)}; {d.n} pairs; by training seed "
            f"{', '.join(points(each.value) for each in self.by_seed.values())})"
        )
        return f"{words}{self._doubt}.{self._beside_rt2}"

    @property
    def _doubt(self) -> str:
        signs = {(each.value > 0) - (each.value < 0) for each in self.by_seed.values()}
        if self.pooled.direction and len(self.by_seed) < 2:
            return "; a single training seed, so this may be its chance"
        disagree = self.pooled.direction and signs != {self.pooled.direction}
        return "; but the training seeds do not all agree in direction" if disagree else ""

    @property
    def _beside_rt2(self) -> str:
        c, direction = self.comparison, self.pooled.direction
        if self.group != c.group:
            return ""
        if not c.speaks_for:
            return f" RT-2 reports {c.claim} ({PAPER})."
        verdict = {
            c.speaks_for: "That is RT-2's direction", -c.speaks_for: "That contradicts RT-2",
            0: "RT-2's difference does not show here",
        }[direction]  # fmt: skip
        return f" {verdict}, which reports {c.claim} ({PAPER})."


def findings(results: Results, own_frames: bool) -> list[Found]:
    """Every comparison for which both arms have episodes. own_frames: the baseline is the reference, too."""
    found = []
    for comparison in COMPARISONS:
        first = BASELINE if own_frames and comparison.first == REFERENCE else comparison.first
        there, here = results.get(comparison.second, {}), results.get(first, {})
        seeds = [seed for seed in here if seed in there]
        for group, cells in GROUPS.items():
            pooled = difference([here[s] for s in seeds], [there[s] for s in seeds], cells)
            if pooled is not None:
                each = {s: difference([here[s]], [there[s]], cells) for s in seeds}
                by_seed = {s: d for s, d in each.items() if d is not None}
                found.append(Found(comparison, group, pooled, by_seed))
    return found


def points(share: float) -> str:
    """'+3.2', '−0.5': hundredths, signed."""
    return f"{100 * share:+.1f}".replace("-", "−")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
