"""Prediction: the symbolic effects of a skill call and of a whole graph, and the Affordance protocol.

Not for: checking every order a graph allows (skills.validation), trying calls in physics (executor.lookahead
implements Affordance and is passed in).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from skills.calls import apply_call, unmet_precondition
from skills.hand_blocks import hand_blocks
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.reasons import why_not
from skills.skill import SkillCall, SkillCallError
from skills.skill_graph import BranchStep, CallStep, GraphError, RepeatStep, SkillGraph, Step, SubGraphStep
from skills.symbolic_state import SymbolicState
from world_model.scene import Scene


class PredictionError(ValueError):
    """A call that cannot be made in the state it meets; the message names the call and the precondition.

    states: those predicted before it, the start first.
    """

    def __init__(self, message: str, states: Sequence[SymbolicState] = ()) -> None:
        super().__init__(message)
        self.states = tuple(states)


class Affordance(Protocol):
    """Says how likely a skill call is to succeed in a scene: SayCan's value function (arXiv 2204.01691)."""

    name: str

    def success_probability(self, call: SkillCall, scene: Scene) -> float:
        """In [0, 1]. Raises SkillCallError where the call does not fit the scene."""
        ...


def predict_call(state: SymbolicState, call: SkillCall, library: SkillLibrary) -> SymbolicState:
    """The state after the call. Raises PredictionError when a precondition does not surely hold, SkillCallError
    when the call fits neither library nor objects."""
    unmet = unmet_precondition(call, state, library)
    if unmet is not None:
        raise PredictionError(f"{call} cannot be done: it needs {unmet}, but {why_not(unmet, state)}")
    return apply_call(call, state, library)


def predict_graph(state: SymbolicState, graph: SkillGraph, library: SkillLibrary) -> list[SymbolicState]:
    """The states along the graph's canonical order: the start, then one after each call that is made.

    Branches follow their literal as it is predicted (not known: `otherwise`); repeats end with their literal or their
    bound, and whole turns of rounds that only go round in circles are left out. Raises PredictionError at the first
    call that cannot be made, GraphError where the graph has no order.
    """
    states = [state]
    for call in _course(graph, states, library):
        try:
            states.append(predict_call(states[-1], call, library))
        except (PredictionError, SkillCallError) as error:
            raise PredictionError(str(error), states) from error
    return states


def _course(graph: SkillGraph, states: list[SymbolicState], library: SkillLibrary) -> Iterator[SkillCall]:
    """The calls as they come, decided on the last state that was appended before each."""
    for group in hand_blocks(graph, library):
        for step_id in group:
            yield from _calls_of(graph.step(step_id), states, library)


def _calls_of(step: Step, states: list[SymbolicState], library: SkillLibrary) -> Iterator[SkillCall]:
    match step:
        case CallStep():
            yield step.do
        case BranchStep():
            arm = step.then if states[-1].holds(step.condition) else step.otherwise
            yield from _course(arm, states, library)
        case SubGraphStep():
            yield from _course(step.graph, states, library)
        case RepeatStep(at_most=None):
            raise GraphError(step.id, "repeats without a bound: give at_most")
        case RepeatStep(at_most=int() as left):
            begun: dict[frozenset[Literal], int] = {}  # what a round began with → the rounds that were left then
            while left > 0 and not (step.until is not None and states[-1].holds(step.until)):
                facts = states[-1].facts
                if facts in begun:  # the rounds go round in circles: whole turns change nothing
                    left %= begun[facts] - left
                    begun.clear()
                    continue
                begun[facts] = left
                yield from _course(step.body, states, library)
                left -= 1
