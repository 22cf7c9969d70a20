"""SearchPlanner: goal literals → the shortest valid graph, by A* on symbols; the planner that needs no model.

Hidden objects are looked for: the plan takes for granted that they lie in the first place nobody has looked into,
opens that first, and is made anew from what turned out. Where every place was looked into, it says so.
Not for: reading instructions (planner.language), repairing a run (planner.recovery).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from planner.planner import Impossible, Plan, PlanOutcome, PlanRequest, Question
from planner.search_engine import Budget, SearchEnd, search
from planner.search_hidden import Sought, closed_places, seek
from planner.search_order import OrderWatch
from planner.search_ordering import partial_order
from planner.search_problem import Problem
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill_graph import SkillGraph
from skills.symbolic_state import SymbolicState
from skills.validation import validate


@dataclass(frozen=True)
class Found:
    """A graph that reaches the goal. shortest: proved, not only likely. expanded: states looked at."""

    graph: SkillGraph
    skills: int
    shortest: bool
    expanded: int
    looks_for: tuple[str, ...] = ()  # hidden objects that the graph takes to be where it looks


@dataclass(frozen=True)
class NotFound:
    """No graph. proved: there is none; otherwise the search gave up within its budget."""

    reason: str
    proved: bool


def find_graph(
    state: SymbolicState,
    goal: Goal,
    library: SkillLibrary,
    budget: Budget | None = None,
    *,
    unexplored: Collection[str] | None = None,
) -> Found | NotFound:
    """The shortest graph from `state` to the nearest of the goal's end states, or why there is none.

    unexplored: containers in which hidden objects may be; all closed drawers where it is not said.
    The graph is valid from `state` and ends with an empty hand unless the goal says holding.
    """
    places = closed_places(state) if unexplored is None else sorted(unexplored)
    best: Found | NotFound | None = None
    for end_state in goal.end_states(state):
        sought = seek(state, end_state, goal.order, places)
        answer = _find_one(sought, end_state, goal, library, budget or Budget()) if sought.reason is None else None
        answer = answer or NotFound(sought.reason or "", proved=True)
        if best is None or (isinstance(answer, Found) and not _at_most(best, answer.skills)):
            best = answer
    assert best is not None
    return best


def _at_most(answer: Found | NotFound, skills: int) -> bool:
    return isinstance(answer, Found) and answer.skills <= skills


def _find_one(
    sought: Sought, end_state: tuple[Literal, ...], goal: Goal, library: SkillLibrary, budget: Budget
) -> Found | NotFound:
    holding = any(lit.predicate == "holding" and not lit.negated for lit in end_state)
    wanted = end_state if holding else (*end_state, Literal("hand_empty"))
    problem = Problem(sought.assumed, library)
    watch = OrderWatch(problem, goal.order, sought.openings)
    result = search(problem, problem.condition(wanted), watch, budget)
    if result.end is SearchEnd.UNREACHABLE:
        return NotFound("no sequence of skills reaches it from here", proved=True)
    if result.end is SearchEnd.OUT_OF_BUDGET:
        return NotFound(f"no plan was found within {result.expanded} states", proved=False)
    graph = partial_order(problem, [a.index for a in result.actions], watch)
    shortest = result.end is SearchEnd.SHORTEST
    return Found(graph, len(result.actions), shortest, result.expanded, sought.names)


class SearchPlanner:
    """The Planner that searches symbols. Needs request.goal."""

    name = "search"

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()

    def plan(self, request: PlanRequest) -> PlanOutcome:
        if request.goal is None:
            return Question("What should hold at the end? Searching needs a goal such as 'in(red block, red bowl)'.")
        scene = request.scene
        state = scene.symbolic()
        answer = find_graph(state, request.goal, request.library, self.budget, unexplored=scene.unexplored)
        if isinstance(answer, NotFound):
            return Impossible(answer.reason, request.goal)
        validate(answer.graph, state, request.library)
        return Plan(request.goal, answer.graph, f"{answer.skills} skills, found by search")
