"""Scoring a planner without a robot: the end state that its graph leads to, predicted in symbols.

The scene is built once, and looked at as a run would look at it, so the planner knows what it would know; prediction
starts from the true state. What a graph reveals (an opened drawer) is seen, and the planner is asked again.
Not for: running the graph (forehand.running).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from forehand.assembly import assemble
from forehand.config import RunConfig
from forehand.events import Outcome
from planner.planner import Impossible, Plan, PlanRequest, Question
from skills.goal import Goal
from skills.literals import Literal
from skills.skill_graph import GraphError
from skills.symbolic_state import SymbolicState
from world_model.prediction import PredictionError, predict_graph
from world_model.scene import Scene

MOST_PLANS = 3  # a first plan, one for what an opened drawer showed, one to spare


@dataclass(frozen=True)
class Prediction:
    """What a run would come to if every skill did what its effects say."""

    outcome: Outcome
    goal_reached: bool | None
    reason: str


def plan_and_predict(config: RunConfig, wanted: Goal) -> Prediction:
    """Plan as a run would, and predict. wanted: the task's goal, which `goal_reached` is held against.

    Raises PlannerError, InstructionError.
    """
    with assemble(config) as workplace:
        history = [workplace.truth()]
        scene, library = workplace.look(), workplace.library
        planner = workplace.planner_for(config)
    request = PlanRequest(config.instruction, scene, library, config.goal)
    problem = ""
    for _ in range(MOST_PLANS):
        match planner.plan(request):
            case Question(text=text):
                return Prediction("clarify", None, text)
            case Impossible(reason=reason):
                return Prediction("impossible", None, reason)
            case Plan(graph=graph, goal=goal):
                try:
                    history += predict_graph(history[-1], graph, library)[1:]
                    break
                except GraphError as error:
                    return Prediction("failed", False, str(error))
                except PredictionError as error:
                    history += error.states[1:]
                    problem = str(error)
        request = replace(request, goal=goal, scene=_seen_after(history, scene))
    else:
        return Prediction("failed", False, problem)
    if wanted.reached(history):
        return Prediction("succeeded", True, "the graph leads to the goal")
    unmet = ", ".join(map(str, wanted.unmet(history[-1], history[0]))) or "its order was not kept"
    believed = goal.reached(history)
    return Prediction("succeeded" if believed else "failed", False, f"the graph does not lead to the goal: {unmet}")


def _seen_after(history: Sequence[SymbolicState], first: Scene) -> Scene:
    """What would be known by now: what was in view at the start, and what an opened drawer has shown since."""
    now = history[-1]
    opened = {drawer for state in history for drawer in state.of_category("drawer") if _is_open(state, drawer)}
    unseen = {name for name in now.objects if now.container_of(name) in set(now.of_category("drawer")) - opened}
    unseen -= set(first.objects)
    objects = {name: category for name, category in now.objects.items() if name not in unseen}
    facts = frozenset(fact for fact in now.facts if not unseen & set(fact.arguments))
    return Scene.from_symbolic(SymbolicState(objects, facts), unexplored=set(now.of_category("drawer")) - opened)


def _is_open(state: SymbolicState, drawer: str) -> bool:
    return Literal("open", (drawer,)) in state.facts
