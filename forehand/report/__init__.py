"""The report: one page about one run, readable offline in any browser, drawn from its event log alone.

Not for: the video and graph it shows (forehand.pictures).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from forehand.events import Event
from forehand.results import RunResult, standing
from forehand.run_view import TONE_OF_OUTCOME, TONE_OF_VERDICT, RunView
from forehand.terminal import MARK_OF_TONE
from skills.literals import Literal
from skills.symbolic_state import SymbolicState

WORD_OF_TRUTH = {True: "holds", False: "does not hold", None: "cannot tell"}

_TEMPLATES = Environment(loader=PackageLoader("forehand.report", "."), autoescape=True, undefined=StrictUndefined)


@dataclass(frozen=True)
class _Row:
    step: str
    call: str
    attempt: int
    status: str
    tone: str
    reason: str
    control_steps: int


@dataclass(frozen=True)
class _StoryLine:
    at: str
    mark: str
    tone: str
    title: str
    detail: str


def report_html(events: Sequence[Event], result: RunResult, graph_svg: str, video: str | None, files: list[str]) -> str:
    """The page. graph_svg is trusted (we drew it); everything else is escaped. video: file name beside the page."""
    view = RunView()
    for event in standing(events):
        view.apply(event)
    return _TEMPLATES.get_template("report.html.j2").render(
        title=result.instruction or "Forehand run",
        result=result,
        tone=TONE_OF_OUTCOME[result.outcome],
        facts=_facts(result),
        goal_lines=_goal_lines(view, result),
        reasoning=view.plan.reasoning if view.plan else "",
        graph_svg=Markup(graph_svg),
        video=video,
        rows=_rows(result),
        story=_story(view),
        files=files,
        version=result.versions.get("forehand", ""),
    )


def write_report(folder: Path, html: str) -> Path:
    path = folder / "report.html"
    path.write_text(html, "utf-8")
    return path


def _facts(result: RunResult) -> list[tuple[str, str]]:
    attempts = sum(len(step.attempts) for step in result.steps)
    rungs = [recovery.rung for recovery in result.recoveries if recovery.rung != "continue"]
    facts = [
        ("planner", result.planner),
        ("policy", result.policy),
        *([("checkpoint", result.checkpoint)] if result.checkpoint else []),
        ("perception", result.perception),
        ("detector", result.detector),
        ("loop", "closed" if result.closed_loop else "open"),
        ("seed", str(result.seed)),
        ("skill attempts", str(attempts)),
        ("recoveries", ", ".join(f"{rungs.count(rung)} × {rung}" for rung in dict.fromkeys(rungs)) or "none"),
        ("faults", ", ".join(result.faults) or "none"),
        ("robot time", f"{result.durations.robot_s:.1f} s"),
        ("wall time", f"{result.durations.wall_s:.1f} s, of which planning {result.durations.planning_s:.2f} s"),
    ]
    if result.llm.calls:
        spent = f"{result.llm.calls} calls, {result.llm.tokens_in} + {result.llm.tokens_out} tokens"
        facts.append(("language model", spent))
    if result.resumed:
        facts.append(("resumed", f"{result.resumed} times"))
    return facts


def _goal_lines(view: RunView, result: RunResult) -> list[tuple[str, str]]:
    if result.goal is None:
        return []
    state = _believed(view)
    lines = [(str(literal), WORD_OF_TRUTH[state.holds(literal)]) for literal in result.goal.literals]
    for branch in result.goal.branches:
        then, otherwise = (", ".join(map(str, part)) or "nothing" for part in (branch.then, branch.otherwise))
        lines.append((f"if {branch.condition}: {then}; else: {otherwise}", "decided at the start"))
    lines.extend((f"{first} before {second}", "order") for first, second in result.goal.order)
    return lines


def _believed(view: RunView) -> SymbolicState:
    """The last belief, as one can ask it."""
    if view.belief is None:
        return SymbolicState({})
    facts = frozenset(Literal.parse(text) for text in view.belief.literals)
    return SymbolicState(view.belief.objects, facts, frozenset(view.belief.hidden))


def _rows(result: RunResult) -> list[_Row]:
    rows = []
    for step in result.steps:
        for attempt in step.attempts:
            verdict = attempt.verdict
            status = verdict.status if verdict else attempt.ended_by
            tone = TONE_OF_VERDICT.get(status, "quiet")
            reason = verdict.reason if verdict else attempt.detail
            rows.append(_Row(step.step, str(step.call), attempt.attempt, status, tone, reason, attempt.control_steps))
        if not step.attempts:
            rows.append(_Row(step.step, str(step.call), 0, step.status, "quiet", "", 0))
    return rows


def _story(view: RunView) -> list[_StoryLine]:
    return [
        _StoryLine(
            "" if line.robot_time_s is None else f"{line.robot_time_s:.1f} s",
            MARK_OF_TONE[line.tone], line.tone, line.title, line.detail,
        )
        for line in view.lines
    ]  # fmt: skip
