"""Results are added up from events: what was abandoned does not count, what it cost does."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forehand.commands.schemas import SCHEMAS
from forehand.events import (
    AttemptAbandoned,
    Event,
    FaultInjected,
    GraphChanged,
    Judged,
    LanguageModelCalled,
    Noted,
    PartFailed,
    Planned,
    QuestionAsked,
    RecoveryChosen,
    Resumed,
    RunEnded,
    RunStarted,
    SkillEnded,
    StepStarted,
)
from forehand.results import standing, summarise
from skills.goal import Goal
from skills.skill import SkillCall
from skills.skill_graph import SkillGraph

GRAPH = SkillGraph.model_validate(
    {
        "steps": [
            {"id": "a", "do": "pick(red block)"},
            {"id": "check", "if": "lit(lamp)", "then": {"steps": [{"id": "b", "do": "press(button)"}]}, "after": ["a"]},
            {"id": "tidy", "graph": {"steps": [{"id": "c", "do": "place_in(red bowl)"}]}, "after": ["check"]},
        ]
    }
)
PICK = SkillCall.parse("pick(red block)")


def numbered(*happened: Event) -> list[Event]:
    return [e.model_copy(update={"seq": n, "wall_time_s": float(n)}) for n, e in enumerate(happened, start=1)]


def started() -> RunStarted:
    return RunStarted(
        run_id="r", instruction="do it", seed=3, planner="search", policy="expert", perception="oracle",
        detector="scene", closed_loop=True, versions={"forehand": "0"},
    )  # fmt: skip


def attempt(number: int, status: str, ended_by: str = "terminated") -> list[Event]:
    return [
        StepStarted(step="a", call=PICK, sentence="pick up the red block", attempt=number),
        SkillEnded(step="a", call=PICK, attempt=number, ended_by=ended_by, control_steps=9, robot_s=0.9, wall_s=0.1),  # type: ignore[arg-type]
        Judged(step="a", call=PICK, attempt=number, status=status, confidence=0.9, reason="seen", detector="scene"),  # type: ignore[arg-type]
    ]


def changed(**statuses: str) -> GraphChanged:
    return GraphChanged(graph=GRAPH, statuses=statuses, reason="x")  # type: ignore[arg-type]


END = RunEnded(outcome="failed", reason="enough", goal_reached=False, truth="simulator")


def test_a_run_adds_up() -> None:
    result = summarise(
        numbered(
            started(),
            Planned(planner="search", goal=Goal.parse("in(red block, red bowl)"), graph=GRAPH, wall_s=0.25),
            changed(a="ready", check="pending", tidy="pending"),
            *attempt(1, "failed", "no_progress"),
            RecoveryChosen(step="a", rung="retry", reason="again"),
            *attempt(2, "succeeded"),
            FaultInjected(fault="someone moved the red block"),
            PartFailed(part="video", reason="disk"),
            LanguageModelCalled(model="m", tokens_in=100, tokens_out=None),
            changed(**{"a": "succeeded", "check": "succeeded", "check/then/b": "skipped", "tidy": "running",
                       "tidy/c": "failed"}),
            END,
        )
    )  # fmt: skip
    assert (result.outcome, result.goal_reached, result.reason, result.seed) == ("failed", False, "enough", 3)
    assert str(result.goal.literals[0] if result.goal else "") == "in(red block, red bowl)"
    assert [(s.step, str(s.call), s.status) for s in result.steps] == [
        ("a", "pick(red block)", "succeeded"),
        ("check/then/b", "press(button)", "skipped"),
        ("tidy/c", "place_in(red bowl)", "failed"),
    ]
    first, second = result.steps[0].attempts
    assert (first.ended_by, first.verdict and first.verdict.status) == ("no_progress", "failed")
    assert (second.attempt, second.verdict and second.verdict.status) == (2, "succeeded")
    assert [(r.step, r.rung) for r in result.recoveries] == [("a", "retry")]
    assert result.faults == ("someone moved the red block",)
    assert result.errors == ("video: disk",)
    assert (result.llm.calls, result.llm.tokens_in, result.llm.tokens_out) == (1, 100, 0)
    assert (result.durations.robot_s, result.durations.planning_s) == (1.8, 0.25)
    jsonschema.validate(json.loads(result.model_dump_json(by_alias=True)), SCHEMAS["run"]())


def test_the_last_verdict_of_an_attempt_counts() -> None:
    again = Judged(step="a", call=PICK, attempt=1, status="succeeded", confidence=1.0, reason="clear", detector="scene")
    result = summarise(numbered(started(), *attempt(1, "unsure"), again, END))
    (tried,) = result.steps[0].attempts
    assert tried.verdict is not None
    assert (tried.verdict.status, tried.verdict.reason) == ("succeeded", "clear")


def test_the_question_is_told_where_it_ended_the_run() -> None:
    asked = QuestionAsked(text="Which bowl?", choices=("red", "blue"))
    clarify = summarise(numbered(started(), asked, RunEnded(outcome="clarify", reason="Which bowl?")))
    assert (clarify.question, clarify.outcome) == ("Which bowl?", "clarify")
    assert summarise(numbered(started(), asked, END)).question is None


def test_abandoned_attempts_count_for_nothing_but_their_cost() -> None:
    spent = LanguageModelCalled(model="m", tokens_in=10, tokens_out=5)
    happened = [started(), *attempt(1, "failed"), RecoveryChosen(step="a", rung="retry", reason="x"), spent]
    interrupted = [
        *happened,
        Resumed(from_seq=1),
        AttemptAbandoned(first_seq=2, last_seq=6, step="a", attempt=1),
        *attempt(1, "succeeded"),
        spent,
        END,
    ]
    result = summarise(numbered(*interrupted))
    (tried,) = result.steps[0].attempts
    assert tried.verdict is not None
    assert tried.verdict.status == "succeeded"
    assert result.recoveries == ()
    assert (result.llm.calls, result.llm.tokens_in, result.resumed) == (2, 20, 1)


def test_the_pause_before_a_resume_is_no_working_time() -> None:
    happened = numbered(started(), Noted(part="x", text="y"), Resumed(from_seq=1), END)
    late = [e.model_copy(update={"wall_time_s": e.wall_time_s + (1000.0 if e.seq > 2 else 0.0)}) for e in happened]
    assert summarise(late).durations.wall_s == 2.0


@pytest.mark.parametrize("happened", [[], [started()], [END]])
def test_what_has_no_beginning_or_end_has_no_result(happened: list[Any]) -> None:
    with pytest.raises(ValueError, match="has not ended"):
        summarise(numbered(*happened))


@given(data=st.data())
def test_however_often_a_run_is_interrupted_what_stands_is_one_straight_story(data: st.DataObject) -> None:
    """A model of killing and resuming: notes carry the step they belong to; snapshots are taken at random."""
    events: list[Event] = []
    snapshots = [0]
    steps_at = {0: 0}
    step = 0

    def emit(event: Event) -> int:
        events.append(event.model_copy(update={"seq": len(events) + 1}))
        return len(events)

    for _ in range(data.draw(st.integers(1, 40))):
        match data.draw(st.sampled_from(["work", "work", "save", "kill"])):
            case "work":
                step += 1
                emit(Noted(part="step", text=str(step)))
            case "save":
                snapshots.append(len(events))
                steps_at[len(events)] = step
            case _:
                saved = snapshots[-1]
                lost = len(events)
                emit(Resumed(from_seq=saved))
                if lost > saved and data.draw(st.booleans()):  # it may be killed before it says so, too
                    emit(AttemptAbandoned(first_seq=saved + 1, last_seq=lost))
                elif lost > saved:
                    lost = len(events)
                    emit(Resumed(from_seq=saved))
                    emit(AttemptAbandoned(first_seq=saved + 1, last_seq=lost))
                step = steps_at[saved]
    told = [int(e.text) for e in standing(events) if isinstance(e, Noted)]
    assert told == list(range(1, step + 1))
