"""Suites: what tabletop-long holds, against an independent search, and what counts as right."""

from __future__ import annotations

import pytest

from forehand.evaluation import is_right
from forehand.scenes import scene_objects
from forehand.suites import Task, load_suite, suite_names
from planner.search import Found, find_graph
from skills.checking import check_goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.symbolic_state import SymbolicState

LIBRARY = SkillLibrary()
TASKS = load_suite("tabletop-long").tasks


def start_of(task: Task) -> SymbolicState:
    """The scene file's own facts; what it gives no place stands on the table."""
    objects = scene_objects(task.scene)
    facts = {Literal.parse(text) for text in task.scene.relations} - {Literal("closed", ("drawer",))}
    placed = {fact.arguments[0] for fact in facts if fact.predicate in ("on", "in")}
    loose = {name for name, kind in objects.items() if kind == "block"} - placed
    return SymbolicState(objects, frozenset(facts | {Literal("on", (name, "table")) for name in loose}))


def test_it_ships() -> None:
    assert "tabletop-long" in suite_names()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_the_shortest_plan_is_as_long_as_the_task_says(task: Task) -> None:
    state = start_of(task)
    check_goal(task.wanted, state.objects, LIBRARY.predicates)
    answer = find_graph(state, task.wanted, LIBRARY)
    assert isinstance(answer, Found)
    assert answer.shortest
    assert answer.skills == task.min_skills


def test_it_is_long_and_speaks_of_every_literal() -> None:
    assert len(TASKS) >= 30
    lengths = sorted(task.min_skills or 0 for task in TASKS)
    assert lengths[0] >= 4
    assert lengths[-1] == 14
    spoken = {literal.predicate for task in TASKS for end in task.wanted.end_states(start_of(task)) for literal in end}
    assert spoken == {"on", "in", "open", "closed", "lit", "holding", "clear", "in_zone"}
    assert any(task.branches for task in TASKS)
    assert sum(task.family == "hidden" for task in TASKS) >= 3


@pytest.mark.parametrize(
    ("expect", "outcome", "reached", "right"),
    [
        ("goal", "succeeded", True, True),
        ("goal", "failed", True, True),  # the true state decides, not what the system says of itself
        ("goal", "succeeded", False, False),
        ("goal", "succeeded", None, False),
        ("goal", "clarify", True, False),
        ("goal", "impossible", True, False),
        ("clarify", "clarify", None, True),
        ("clarify", "succeeded", True, False),
        ("clarify", "impossible", None, False),
        ("impossible", "impossible", None, True),
        ("impossible", "clarify", None, False),
        ("impossible", "failed", None, False),
    ],
)
def test_what_is_right(expect: str, outcome: str, reached: bool | None, right: bool) -> None:
    task = Task.model_validate(
        {"id": "t", "scene": "two-blocks", "instruction": "x", "expect": expect, "goal": ["holding(red block)"]}
    )
    assert is_right(task, outcome, reached) is right
