"""A graph written by a person: run as it is, then replanned for what it was meant to do."""

from __future__ import annotations

from typing import Any

from forehand.given_graph import GivenGraphPlanner, intended
from planner.planner import Plan, PlanRequest
from planner.search import SearchPlanner
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill_graph import SkillGraph
from skills.symbolic_state import SymbolicState
from world_model.results import EndedBy, SkillRun, StepResult, Verdict, VerdictStatus
from world_model.scene import Scene

LIBRARY = SkillLibrary()
OBJECTS = {
    "red block": "block",
    "red bowl": "bowl",
    "drawer": "drawer",
    "button": "button",
    "lamp": "lamp",
    "table": "table",
}


def state(*facts: str, hidden: tuple[str, ...] = ()) -> SymbolicState:
    return SymbolicState(OBJECTS, frozenset(map(Literal.parse, facts)), frozenset(hidden))


def graph(*calls: str) -> SkillGraph:
    steps: list[dict[str, Any]] = []
    for n, call in enumerate(calls):
        steps.append({"id": f"s{n}", "do": call, "after": [f"s{n - 1}"] if n else []})
    return SkillGraph.model_validate({"steps": steps})


PUT_AWAY = graph("pick(red block)", "place_in(red bowl)", "press(button)")


def test_what_a_graph_is_meant_to_do_is_what_it_changes() -> None:
    wanted = intended(PUT_AWAY, state("on(red block, table)"), LIBRARY)
    assert sorted(map(str, wanted.literals)) == ["in(red block, red bowl)", "lit(lamp)"]
    off = intended(PUT_AWAY, state("on(red block, table)", "lit(lamp)"), LIBRARY)
    assert sorted(map(str, off.literals)) == ["in(red block, red bowl)", "not lit(lamp)"]


def test_what_cannot_be_told_beforehand_or_changes_nothing_is_no_goal() -> None:
    assert intended(PUT_AWAY, state(hidden=("red block",)), LIBRARY) == Goal()
    assert intended(graph("press(button)", "press(button)"), state(), LIBRARY) == Goal()


def test_the_graph_comes_first_and_search_after_it_failed() -> None:
    planner = GivenGraphPlanner(PUT_AWAY, SearchPlanner())
    request = PlanRequest("", Scene.from_symbolic(state("on(red block, table)")), LIBRARY)
    first = planner.plan(request)
    assert isinstance(first, Plan)
    assert first.graph is PUT_AWAY
    run = SkillRun(next(PUT_AWAY.calls()), EndedBy.TERMINATED, 5, 0.5)
    tried = (StepResult("s0", 1, run, Verdict(VerdictStatus.FAILED, 1.0, "no", "scene")),)
    scene = Scene.from_symbolic(state("on(red block, table)", "lit(lamp)"))
    second = planner.plan(PlanRequest("", scene, LIBRARY, goal=first.goal, history=tried))
    assert isinstance(second, Plan)
    assert [str(call) for call in second.graph.calls()] == ["pick(red block)", "place_in(red bowl)"]


def test_a_goal_that_is_given_stays_the_goal() -> None:
    goal = Goal.parse("lit(lamp)")
    plan = GivenGraphPlanner(PUT_AWAY, SearchPlanner()).plan(
        PlanRequest("", Scene.from_symbolic(state("on(red block, table)")), LIBRARY, goal=goal)
    )
    assert isinstance(plan, Plan)
    assert plan.goal == goal
