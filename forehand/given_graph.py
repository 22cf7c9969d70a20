"""GivenGraphPlanner: a graph written by a person as the plan; once it has failed, search for what it was meant to do.

Not for: checking it (skills.validation; the agent does).
"""

from __future__ import annotations

from planner.planner import Plan, Planner, PlanOutcome, PlanRequest
from planner.search_hidden import kinds_sought, with_unseen
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.skill_graph import SkillGraph
from skills.symbolic_state import SymbolicState
from world_model.prediction import PredictionError, predict_graph


class GivenGraphPlanner:
    """Implements Planner. fallback: plans anew for the goal, which is given or what the graph would change."""

    def __init__(self, graph: SkillGraph, fallback: Planner) -> None:
        self.name = "given graph"
        self._graph, self._fallback = graph, fallback

    def plan(self, request: PlanRequest) -> PlanOutcome:
        if request.history:
            return self._fallback.plan(request)
        spoken_of = {name for call in self._graph.calls() for name in call.arguments}
        scene = with_unseen(request.scene, spoken_of, kinds_sought(request.library))
        assumed = {name: scene.objects[name] for name in set(scene.objects) - set(request.scene.objects)}
        goal = request.goal or intended(self._graph, scene.symbolic(), request.library)
        return Plan(goal, self._graph, "the graph as it was given", assumed=assumed)


def intended(graph: SkillGraph, start: SymbolicState, library: SkillLibrary) -> Goal:
    """What the graph would change: the literals that come to hold by it, and those that cease to.

    Empty where that cannot be told beforehand (it hangs on where a hidden thing is), or nothing changes.
    """
    try:
        end = predict_graph(start, graph, library)[-1]
    except PredictionError:
        return Goal()
    gained = sorted(end.facts - start.facts)
    moved = {fact.arguments[0] for fact in gained if fact.arguments}
    lost = sorted(f.negate() for f in start.facts - end.facts if not (f.arguments and f.arguments[0] in moved))
    return Goal(literals=(*gained, *lost))
