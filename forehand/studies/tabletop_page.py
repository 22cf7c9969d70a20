"""docs/tabletop-long.md: the tables of the long-horizon suite, arm by arm, and rt2 beside the expert.

Not for: running the arms (forehand.studies.tabletop_long).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forehand.config import PlannerName
from forehand.defaults import PolicyName
from forehand.evaluation import EvalResult
from forehand.studies.paired import paired_difference
from skills.rates import Rate

POLICY_WORDS = {"expert": "scripted, privileged", "rt2": "from camera images"}


@dataclass(frozen=True)
class Arm:
    """One way to do the suite."""

    planner: PlannerName
    faults: str
    closed_loop: bool = True
    policy: PolicyName = "expert"

    @property
    def words(self) -> str:
        """'search, no faults, open loop'; the policy leads where it is not the expert."""
        parts = [self.policy] if self.policy != "expert" else []
        faults = "no faults" if self.faults == "none" else f"{self.faults} faults"
        return ", ".join([*parts, self.planner, faults, *([] if self.closed_loop else ["open loop"])])


def page(results: Sequence[tuple[Arm, EvalResult]], suite: str, day: str, command: str) -> str:
    """The page in Markdown. results: at least one."""
    first = results[0][1]
    head = [
        f"# {suite}",
        "",
        f"{first.success.n // first.episodes_per_task} tasks, {first.episodes_per_task} episodes each, policy "
        f"{_policies([result for _, result in results])}, perception `{first.perception}`, detector "
        f"`{first.detector}`. Success is the settled true state and history held against the goal; intervals are "
        "Wilson 95 %. Planner `search` is given the task's goal, `language` the instruction.",
        "",
        f"Measured on {day} with `{command}`.",
        "",
        "| arm | success | 95 % interval | says so wrongly | attempts a task | recoveries a task | faults a task |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [_row(arm.words, result) for arm, result in results]
    beside = _beside(results)
    return "\n".join([*head, *rows, "", *beside, *_by_family(results), "", *_failures(results), ""])


def _policies(results: Sequence[EvalResult]) -> str:
    """Each with its weights, by the name of their folder."""
    told = {}
    for result in results:
        words = [POLICY_WORDS[result.policy], *([result.checkpoint.rsplit("/")[-1]] if result.checkpoint else [])]
        told[result.policy] = f"`{result.policy}` ({', '.join(words)})"
    return " and ".join(told.values())


def _row(words: str, result: EvalResult) -> str:
    episodes = result.episodes
    wrongly = sum(e.outcome == "succeeded" and not e.right for e in episodes)
    recovered = sum(count for rung, count in result.recoveries.items() if rung != "continue")
    means = (sum(e.skill_attempts for e in episodes), recovered, sum(e.faults for e in episodes))
    cells = [words, _percent(result.success), _interval(result.success), f"{wrongly}/{len(episodes)}"]
    return "| " + " | ".join([*cells, *(f"{total / len(episodes):.2f}" for total in means)]) + " |"


def _beside(results: Sequence[tuple[Arm, EvalResult]]) -> list[str]:
    """Every arm of another policy against the expert's of the same planner and faults, on the same tasks and seeds."""
    lines = []
    for arm, result in results:
        of_expert = Arm(arm.planner, arm.faults, arm.closed_loop)
        other = next((found for known, found in results if known == of_expert), None)
        if arm.policy != "expert" and other is not None:
            theirs = {(e.task, e.seed): e.right for e in other.episodes}
            pairs = [(e.right, theirs[e.task, e.seed]) for e in result.episodes if (e.task, e.seed) in theirs]
            d = paired_difference(pairs)
            lines.append(
                f"- {arm.words}: {100 * d.value:+.1f} points beside the expert (95 % interval {100 * d.low:+.1f} to "
                f"{100 * d.high:+.1f}); {d.only_first} of {d.n} that only {arm.policy} did, {d.only_second} that only "
                "the expert did."
            )
    return ["## Beside the expert", "", *lines, ""] if lines else []


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
