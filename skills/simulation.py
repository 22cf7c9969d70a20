"""Running a skill graph on symbols, keeping every state that it may be in: what validation is made of.

Two kinds of not knowing are told apart. After a branch whose literal is not known, the graph may be in either arm's
end state, and what follows must work in all of them. A hidden object may turn up in what a step opens: from then on
its place may be counted on, not before.
Not for: which orders are possible (skills.validation), predicting one course of events (world_model.prediction).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from skills.calls import apply_call, unmet_precondition
from skills.hand_blocks import hand_blocks
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.reasons import why_not
from skills.skill_graph import BranchStep, CallStep, GraphError, RepeatStep, SkillGraph, Step, SubGraphStep
from skills.symbolic_state import SymbolicState

MOST_POSSIBILITIES = 512
"""Beyond this many possible states a graph is refused: nobody could follow what it does."""


Key: TypeAlias = tuple[frozenset[Literal], frozenset[str], bool]


@dataclass(frozen=True)
class Possibility:
    """One state the graph may be in. may_be_found: something was opened in which hidden objects can turn up."""

    state: SymbolicState
    may_be_found: bool = False

    @property
    def key(self) -> Key:
        return self.state.facts, self.state.hidden, self.may_be_found


Possibilities: TypeAlias = tuple[Possibility, ...]
LevelCheck: TypeAlias = Callable[[SkillGraph, Possibilities, str], None]
"""Called with each graph, the states it may start in and its path ("loop/") before it is run."""


def _no_check(graph: SkillGraph, start: Possibilities, path: str) -> None:
    """The check of whoever only wants the end states."""


@dataclass(frozen=True)
class Simulation:
    """Runs graphs and steps; raises GraphError at the first step that cannot work in a state it may start in."""

    library: SkillLibrary
    check_level: LevelCheck = _no_check

    def graph(self, graph: SkillGraph, start: Possibilities, path: str = "") -> Possibilities:
        """The states after all steps of one level, taken in its canonical order."""
        current = start
        for group in hand_blocks(graph, self.library):
            for step_id in group:
                current = self.step(graph.step(step_id), current, path)
        self.check_level(graph, start, path)
        return current

    def step(self, step: Step, start: Possibilities, path: str = "") -> Possibilities:
        """The states after one step."""
        here = f"{path}{step.id}"
        match step:
            case CallStep():
                return _distinct((self._call(step, possible, here) for possible in start), here)
            case BranchStep():
                return self._branch(step, start, here)
            case RepeatStep():
                return self._repeat(step, start, here)
            case SubGraphStep():
                return self.graph(step.graph, start, f"{here}/")

    def _call(self, step: CallStep, start: Possibility, path: str) -> Possibility:
        state = start.state
        unmet = unmet_precondition(step.do, state, self.library)
        if unmet is not None and state.holds(unmet) is None and start.may_be_found:
            needs = self.library.skill(step.do.skill).preconditions_of(step.do.arguments, state)
            unmet = next((literal for literal in needs if state.holds(literal) is False), None)
        if unmet is not None:
            raise GraphError(path, _does_not_work(step, unmet, state))
        after = apply_call(step.do, state, self.library)
        opened = any(fact.predicate == "open" for fact in after.facts - state.facts)
        return Possibility(after, start.may_be_found or opened)

    def _branch(self, step: BranchStep, start: Possibilities, path: str) -> Possibilities:
        ends: list[Possibility] = []
        for possible in start:
            truth = possible.state.holds(step.condition)
            if truth is not False:
                assumed = _assume(step.condition, possible) if truth is None else possible
                ends.extend(self.graph(step.then, (assumed,), f"{path}/then/"))
            if truth is not True:
                assumed = _assume(step.condition.negate(), possible) if truth is None else possible
                ends.extend(self.graph(step.otherwise, (assumed,), f"{path}/else/"))
        return _distinct(ends, path)

    def _repeat(self, step: RepeatStep, start: Possibilities, path: str) -> Possibilities:
        ends: list[Possibility] = []
        begun: dict[frozenset[Key], int] = {}  # what a round began with → the rounds that were left then
        current, left = start, step.at_most or 0
        while current and left > 0:
            keys = frozenset(possible.key for possible in current)
            if keys in begun:  # the rounds go round in circles: whole turns change nothing
                left %= begun[keys] - left
                begun.clear()
                continue
            begun[keys] = left
            going_on = tuple(p for p in current if step.until is None or p.state.holds(step.until) is not True)
            ends.extend(p for p in current if p not in going_on)
            current = self.graph(step.body, going_on, f"{path}/") if going_on else ()
            left -= 1
        return _distinct((*ends, *current), path)


def _assume(literal: Literal, possible: Possibility) -> Possibility:
    """In an arm taken because of a literal, that literal may be counted on."""
    return Possibility(possible.state.apply((literal,)), possible.may_be_found)


def _does_not_work(step: CallStep, unmet: Literal, state: SymbolicState) -> str:
    one_hand = "the one hand must be empty" if unmet.predicate == "hand_empty" else f"it needs {unmet}"
    return f"{step.do} cannot work: {one_hand}, and by then {why_not(unmet, state)}"


def _distinct(possibilities: Iterable[Possibility], path: str) -> Possibilities:
    distinct = tuple({possible.key: possible for possible in possibilities}.values())
    if len(distinct) > MOST_POSSIBILITIES:
        raise GraphError(path, f"leaves more than {MOST_POSSIBILITIES} possible states: split the graph")
    return distinct
