"""A* over the bits of a problem: the shortest sequence of skill calls, or an honest answer why there is none.

Not for: turning the sequence into a graph (planner.search_ordering).
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from planner.search_conditions import Condition, GroundAction
from planner.search_heuristic import UNREACHABLE, Landmarks
from planner.search_order import OrderWatch
from planner.search_problem import Problem
from planner.search_pruning import useful_actions


class SearchEnd(StrEnum):
    """How a search ended; running out of budget is not a proof."""

    SHORTEST = "shortest"
    FOUND = "found"  # a plan, perhaps not the shortest: the budget for proving that ran out
    UNREACHABLE = "unreachable"  # proved: every reachable state was looked at
    OUT_OF_BUDGET = "out_of_budget"


@dataclass(frozen=True)
class SearchResult:
    end: SearchEnd
    actions: tuple[GroundAction, ...] = ()
    expanded: int = 0


@dataclass(frozen=True)
class Budget:
    """States expanded with each weight on the heuristic before the next, greedier one; and a wall-clock limit.

    The counts decide, so that results repeat; the clock only guards against a machine that stands still.
    """

    rounds: tuple[tuple[float, int], ...] = ((1.0, 12_000), (2.0, 6_000), (5.0, 12_000))
    wall_s: float = 20.0


def search(
    problem: Problem, goal: Condition, watch: OrderWatch, budget: Budget, clock: Callable[[], float] = time.monotonic
) -> SearchResult:
    """The shortest plan, else a plan, else why not."""
    actions = useful_actions(problem, (goal, *watch.conditions))
    landmarks = Landmarks(problem, goal, actions)
    deadline = clock() + budget.wall_s
    expanded = 0
    for weight, nodes in budget.rounds:
        result = _best_first(problem, goal, watch, actions, landmarks, weight, nodes, lambda: clock() > deadline)
        expanded += result.expanded
        if result.end is not SearchEnd.OUT_OF_BUDGET:
            return SearchResult(result.end, result.actions, expanded)
    return SearchResult(SearchEnd.OUT_OF_BUDGET, (), expanded)


def _best_first(
    problem: Problem,
    goal: Condition,
    watch: OrderWatch,
    actions: tuple[GroundAction, ...],
    landmarks: Landmarks,
    weight: float,
    nodes: int,
    late: Callable[[], bool],
) -> SearchResult:
    start = (problem.start, watch.start(problem.start))
    estimate = landmarks.estimate(problem.start, watch.wants(start))
    if estimate >= UNREACHABLE:
        return SearchResult(SearchEnd.UNREACHABLE)
    best = {start: 0}
    came_from: dict[tuple[int, int], tuple[tuple[int, int], GroundAction]] = {}
    frontier = [(weight * estimate, estimate, 0, 0, start)]
    estimates = {start: estimate}
    ticket = expanded = 0
    while frontier:
        _, _, _, cost, node = heapq.heappop(frontier)
        if cost > best[node]:
            continue
        bits = node[0]
        if problem.holds(goal, bits) and watch.satisfied(node[1]):
            end = SearchEnd.SHORTEST if weight <= 1 else SearchEnd.FOUND
            return SearchResult(end, _path(came_from, node), expanded)
        expanded += 1
        if expanded > nodes or (expanded % 256 == 0 and late()):
            return SearchResult(SearchEnd.OUT_OF_BUDGET, (), expanded)
        for action in actions:
            if not problem.holds(action.condition, bits):
                continue
            after = problem.apply(action, bits)
            following = (after, watch.advance(node[1], bits, after))
            if following == node or cost + 1 >= best.get(following, UNREACHABLE):
                continue
            if following not in estimates:
                estimates[following] = landmarks.estimate(after, watch.wants(following))
            if estimates[following] >= UNREACHABLE:
                continue
            best[following] = cost + 1
            came_from[following] = (node, action)
            ticket += 1
            priority = cost + 1 + weight * estimates[following]
            heapq.heappush(frontier, (priority, estimates[following], -ticket, cost + 1, following))
    return SearchResult(SearchEnd.UNREACHABLE, (), expanded)


def _path(
    came_from: dict[tuple[int, int], tuple[tuple[int, int], GroundAction]], node: tuple[int, int]
) -> tuple[GroundAction, ...]:
    actions = []
    while node in came_from:
        node, action = came_from[node]
        actions.append(action)
    return tuple(reversed(actions))
