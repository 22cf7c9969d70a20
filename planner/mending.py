"""Mending a graph: the shortest repair that brings back a step's preconditions and leaves the rest working.

Not for: whether to mend at all (planner.recovery).
"""

from __future__ import annotations

from planner.recovery_terms import Situation
from planner.remaining import block_first, remaining, with_repair
from planner.search import Found, find_graph
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill_graph import GraphError, SkillGraph
from skills.validation import validate
from world_model.prediction import PredictionError, predict_graph


class MendingError(ValueError):
    """Why no repair would do, in words."""


def mend(situation: Situation, path: str, needs: tuple[Literal, ...], library: SkillLibrary) -> SkillGraph:
    """A graph to run before the step at `path`, so that `needs` hold; what is left of the graph then still works and
    still reaches the goal. Raises MendingError.
    """
    state = situation.after.symbolic()
    found = find_graph(state, Goal(literals=needs), library, unexplored=situation.after.unexplored)
    if not isinstance(found, Found):
        raise MendingError(found.reason)
    try:
        rest = with_repair(remaining(situation.graph, situation.statuses), path, found.graph)
        if state.held is not None:
            rest = block_first(rest, path)
        validate(rest, state, library)
    except GraphError as error:
        raise MendingError(str(error)) from error
    missed = misses_goal(situation, rest, library)
    if missed is not None:
        raise MendingError(missed)
    return found.graph


def suffices_without(situation: Situation, path: str, library: SkillLibrary) -> bool:
    """Whether what comes after the step works and reaches the goal from what is believed now, as if it were done."""
    rest = remaining(situation.graph, {**situation.statuses, path: "succeeded"})
    try:
        validate(rest, situation.after.symbolic(), library)
    except GraphError:
        return False
    return situation.goal is not None and misses_goal(situation, rest, library) is None


def misses_goal(situation: Situation, rest: SkillGraph, library: SkillLibrary) -> str | None:
    """What would not hold after the rest of the graph, in words; None where the goal does, or there is none."""
    if situation.goal is None:
        return None
    try:
        end = predict_graph(situation.after.symbolic(), rest, library)[-1]
    except PredictionError:
        return None  # hangs on where a hidden thing is: found out on the way
    unmet = situation.goal.unmet(end, situation.start)
    return f"{unmet[0]} would not hold at the end" if unmet else None
