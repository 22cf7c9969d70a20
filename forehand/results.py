"""RunResult: what `run --json` prints, added up from the events of a run and nothing else.

A resumed run adds up to the same result as one that was never interrupted: what was abandoned does not count, only
the tokens it cost do.
Not for: what a person reads (forehand.report) or rates over many runs (forehand.evaluation).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict

from forehand.events import (
    AttemptAbandoned,
    Event,
    FaultInjected,
    GraphChanged,
    Judged,
    LanguageModelCalled,
    Outcome,
    PartFailed,
    Planned,
    QuestionAsked,
    RecoveryChosen,
    Resumed,
    RunEnded,
    Rung,
    RunStarted,
    SkillEnded,
    StepStarted,
    StepStatus,
)
from skills.goal import Goal
from skills.skill import SkillCall
from skills.skill_graph import BranchStep, CallStep, CallText, RepeatStep, SkillGraph, SubGraphStep


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class VerdictResult(_Record):
    """What the detector said of an attempt."""

    status: Literal["succeeded", "failed", "unsure"]
    confidence: float
    reason: str


class AttemptResult(_Record):
    """One try at a step. verdict is None where nobody came to judge it (stopped)."""

    attempt: int
    ended_by: str
    control_steps: int
    robot_s: float
    detail: str = ""
    verdict: VerdictResult | None = None


class StepSummary(_Record):
    """One skill call of the graph, by its full path, and every attempt at it. Steps never tried have none."""

    step: str
    call: CallText
    status: StepStatus
    attempts: tuple[AttemptResult, ...] = ()


class RecoveryResult(_Record):
    step: str | None
    rung: Rung
    reason: str


class Durations(_Record):
    """wall_s: our time, of every process that worked on the run, abandoned work included. robot_s: time of skills."""

    wall_s: float
    robot_s: float
    planning_s: float


class Tokens(_Record):
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


class RunResult(_Record):
    """outcome is what the system says of its run; goal_reached what the simulator's true state and history say.

    goal_reached is None where there is no truth to ask, or no goal to hold it against.
    """

    run_id: str
    outcome: Outcome
    reason: str
    goal_reached: bool | None
    goal_reached_source: str
    instruction: str
    goal: Goal | None
    question: str | None
    seed: int
    planner: str
    policy: str
    checkpoint: str  # path and fingerprint of the weights that drove; empty for a policy without
    perception: str
    detector: str
    closed_loop: bool
    steps: tuple[StepSummary, ...]
    recoveries: tuple[RecoveryResult, ...]
    faults: tuple[str, ...]
    errors: tuple[str, ...]
    llm: Tokens
    durations: Durations
    resumed: int
    versions: dict[str, str]


def standing(events: Iterable[Event]) -> list[Event]:
    """The events that are part of the run: those of abandoned attempts left out."""
    kept: list[Event] = []
    for event in events:
        if isinstance(event, AttemptAbandoned):
            kept = [e for e in kept if not event.first_seq <= e.seq <= event.last_seq]
        kept.append(event)
    return kept


def summarise(events: Sequence[Event]) -> RunResult:
    """The result of a run that has ended. Raises ValueError for events without a beginning or an end."""
    run = standing(events)
    started = next((e for e in run if isinstance(e, RunStarted)), None)
    ended = next((e for e in reversed(run) if isinstance(e, RunEnded)), None)
    if started is None or ended is None:
        raise ValueError("the run has not ended: no run_started or no run_ended among its events")
    planned = [e for e in run if isinstance(e, Planned)]
    asked = [e for e in run if isinstance(e, QuestionAsked)]
    return RunResult(
        run_id=started.run_id,
        outcome=ended.outcome,
        reason=ended.reason,
        goal_reached=ended.goal_reached,
        goal_reached_source=ended.truth,
        instruction=started.instruction,
        goal=planned[0].goal if planned else started.goal,
        question=asked[-1].text if asked and ended.outcome == "clarify" else None,
        seed=started.seed,
        planner=started.planner,
        policy=started.policy,
        checkpoint=started.checkpoint,
        perception=started.perception,
        detector=started.detector,
        closed_loop=started.closed_loop,
        steps=_steps(run),
        recoveries=tuple(
            RecoveryResult(step=e.step, rung=e.rung, reason=e.reason) for e in run if isinstance(e, RecoveryChosen)
        ),
        faults=tuple(f"{e.fault}: {e.detail}" if e.detail else e.fault for e in run if isinstance(e, FaultInjected)),
        errors=tuple(f"{e.part}: {e.reason}" for e in run if isinstance(e, PartFailed)),
        llm=_tokens(events),
        durations=_durations(events, run, planned),
        resumed=sum(isinstance(e, Resumed) for e in events),
        versions=started.versions,
    )


def _steps(run: Sequence[Event]) -> tuple[StepSummary, ...]:
    """In the order in which they were first tried, then those never tried in the order of the graph."""
    calls: dict[str, CallText] = {}
    attempts: dict[str, dict[int, AttemptResult]] = {}
    for event in run:
        match event:
            case StepStarted():
                calls.setdefault(event.step, event.call)
            case SkillEnded():
                calls.setdefault(event.step, event.call)
                attempts.setdefault(event.step, {})[event.attempt] = AttemptResult(
                    attempt=event.attempt,
                    ended_by=event.ended_by,
                    control_steps=event.control_steps,
                    robot_s=event.robot_s,
                    detail=event.detail,
                )
            case Judged():
                tried = attempts.get(event.step, {})
                if event.attempt in tried:  # judged again after a second look: the last verdict counts
                    verdict = VerdictResult(status=event.status, confidence=event.confidence, reason=event.reason)
                    tried[event.attempt] = tried[event.attempt].model_copy(update={"verdict": verdict})
            case _:
                pass
    graphs = [e for e in run if isinstance(e, GraphChanged)]
    statuses = graphs[-1].statuses if graphs else {}
    in_graph = dict(_calls_in(graphs[-1].graph)) if graphs else {}
    if not _closed_loop(run):  # the graph went on whatever the verdict, so a step is what its verdict says
        statuses = {path: _judged_status(status, attempts.get(path, {})) for path, status in statuses.items()}
    untried = {path: call for path, call in in_graph.items() if path in statuses and path not in calls}
    return tuple(
        StepSummary(
            step=path, call=call, status=statuses.get(path, "pending"), attempts=tuple(attempts.get(path, {}).values())
        )
        for path, call in {**calls, **untried}.items()
    )


def _closed_loop(run: Sequence[Event]) -> bool:
    return all(event.closed_loop for event in run if isinstance(event, RunStarted))


def _judged_status(status: StepStatus, attempts: Mapping[int, AttemptResult]) -> StepStatus:
    last = attempts[max(attempts)].verdict if attempts else None
    return "failed" if last is not None and last.status == "failed" else status


def _calls_in(graph: SkillGraph, level: str = "") -> Iterator[tuple[str, SkillCall]]:
    """Every skill call of a graph by its full path."""
    for step in graph.steps:
        path = f"{level}{step.id}"
        match step:
            case CallStep():
                yield path, step.do
            case BranchStep():
                yield from _calls_in(step.then, f"{path}/then/")
                yield from _calls_in(step.otherwise, f"{path}/else/")
            case RepeatStep():
                yield from _calls_in(step.body, f"{path}/")
            case SubGraphStep():
                yield from _calls_in(step.graph, f"{path}/")


def _tokens(events: Iterable[Event]) -> Tokens:
    asked = [e for e in events if isinstance(e, LanguageModelCalled)]
    return Tokens(
        calls=len(asked),
        tokens_in=sum(e.tokens_in or 0 for e in asked),
        tokens_out=sum(e.tokens_out or 0 for e in asked),
    )


def _durations(events: Sequence[Event], run: Sequence[Event], planned: Sequence[Planned]) -> Durations:
    return Durations(
        wall_s=round(_wall_s(events), 3),
        robot_s=round(sum(e.robot_s for e in run if isinstance(e, SkillEnded)), 3),
        planning_s=round(sum(e.wall_s for e in planned), 3),
    )


def _wall_s(events: Sequence[Event]) -> float:
    """Seconds between first and last event; the pause before each `resumed` does not count."""
    return sum(b.wall_time_s - a.wall_time_s for a, b in pairwise(events) if not isinstance(b, Resumed))
