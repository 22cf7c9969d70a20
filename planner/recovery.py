"""The recovery ladder: after each judged step, what now? The cheapest answer that can work comes first.

    continue → retry → re-ground → repair → replan → ask → give up

Pure decisions: no robot, no clock, no random numbers; its counters go into a snapshot, so a killed run resumes with the
budgets it had. Every rung has a budget, and replanning must bring at least one success before it may be done over
and over, so a detector that is always wrong ends a run and never loops.

Contract for whoever drives the loop (forehand). Call `decide` after each verdict, the good ones too, and when the
graph is done but the goal does not hold (result None). Then do what the rung says:

    continue    go on: the step counts as done (`GraphRunner.accept` unless it was recorded as succeeded)
    retry       the same step once more (`GraphRunner.retry`)
    re-ground   perceive afresh; with `judge_again` judge the same attempt on the new scene and call `decide` again,
                else the same step once more
    repair      `GraphRunner.splice(step, recovery.graph)`: restores the step's preconditions, the rest is kept
    replan      ask the planner for a new graph from the scene as it is, with the goal kept
    ask         put `recovery.question` to the person; whatever is answered, replan
    give up     end the run: `impossible` tells a goal that cannot be reached from one that was not

Before each step starts, its preconditions are to be held against the belief (`unmet` says which does not hold): that
catches a false "done" of an earlier step. Such a step is not run but handed in here as a StepResult whose run ended
by NOT_STARTED and whose verdict is failed. After Inner Monologue (arXiv 2207.05608) and DoReMi (arXiv 2307.00329), with
search in place of a language model for repairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from planner.planner import Question
from planner.remaining import call_at, meant_to_hold, remaining, with_repair
from planner.search import Found, find_graph
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.reasons import why_not
from skills.skill import SkillCall
from skills.skill_graph import GraphError, SkillGraph
from skills.symbolic_state import SymbolicState
from skills.validation import validate
from world_model.prediction import PredictionError, predict_graph
from world_model.results import StepResult, VerdictStatus
from world_model.scene import Scene

MOVED_M = 0.03
"""A thing this far from where it stood before the attempt was moved; less is the slack of a missed grasp."""


class Rung(StrEnum):
    """The rungs of the ladder, cheapest first."""

    CONTINUE = "continue"
    RETRY = "retry"
    RE_GROUND = "re-ground"
    REPAIR = "repair"
    REPLAN = "replan"
    ASK = "ask"
    GIVE_UP = "give up"


class RecoveryBudgets(BaseModel):
    """How often each rung may be taken. Per step: until the step is repaired or the graph is replaced.

    barren_replans: replans in a row without one step that succeeded in between.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    retries_per_step: int = Field(default=2, ge=0)
    looks_per_step: int = Field(default=2, ge=0)
    repairs: int = Field(default=8, ge=0)
    replans: int = Field(default=6, ge=0)
    barren_replans: int = Field(default=3, ge=0)
    questions: int = Field(default=5, ge=0)


@dataclass(frozen=True)
class Situation:
    """What the ladder looks at.

    result: the judged attempt; None when the graph is done (or stuck, `trouble` says how) and the goal does not hold.
    before, after: the scene believed before the attempt and after the look that followed it.
    graph, statuses: the graph as it stands and the status of each step by path (GraphRunner.graph, .statuses), the
    step of `result` not settled.
    start: the state at the start of the run, on which branches of the goal are decided.
    can_ask: somebody is there to answer.
    """

    result: StepResult | None
    before: Scene
    after: Scene
    graph: SkillGraph
    statuses: Mapping[str, str]
    goal: Goal | None
    start: SymbolicState
    can_ask: bool = False
    trouble: str = ""


@dataclass(frozen=True)
class Recovery:
    """The rung taken and why in words; graph with REPAIR, question with ASK. See the module's contract."""

    rung: Rung
    reason: str
    graph: SkillGraph | None = None
    question: Question | None = None
    judge_again: bool = False
    impossible: bool = False


@dataclass
class _Spent:
    """What was used of the budgets so far."""

    retries: dict[str, int] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)
    repairs: int = 0
    replans: int = 0
    barren_replans: int = 0
    questions: int = 0


class RecoveryLadder:
    """Decides what follows each verdict of one run."""

    def __init__(self, library: SkillLibrary, budgets: RecoveryBudgets | None = None) -> None:
        self.library = library
        self.budgets = budgets or RecoveryBudgets()
        self._spent = _Spent()

    def snapshot(self) -> dict[str, Any]:
        """JSON-ready; `restore` goes on from it."""
        return _SpentRecord.model_validate(vars(self._spent)).model_dump(mode="json")

    def restore(self, data: Any) -> None:
        """Raises pydantic.ValidationError where `data` is no snapshot."""
        self._spent = _Spent(**_SpentRecord.model_validate(data).model_dump())

    def unmet(self, path: str, graph: SkillGraph, scene: Scene) -> str | None:
        """Why the call at `path` should not start now, in words; None where nothing speaks against it.

        A precondition that cannot be told does not speak against it; something else in the hand than the pick of
        this step's block took does. Raises GraphError where `path` is no call that is under way.
        """
        _, step = call_at(graph, path)
        state = scene.symbolic()
        needs = self._needs(step.do, state, meant_to_hold(graph, path, self.library))
        wrong = next((literal for literal in needs if state.holds(literal) is False), None)
        return None if wrong is None else f"{step.do} needs {wrong}, but {why_not(wrong, state)}"

    def decide(self, situation: Situation) -> Recovery:
        """The cheapest rung that can work and has budget left. Never raises for what went wrong in the world."""
        result = situation.result
        if result is None:
            return self._without_step(situation)
        if result.verdict.status is VerdictStatus.SUCCEEDED:
            self._spent.barren_replans = 0
            return Recovery(Rung.CONTINUE, result.verdict.reason)
        holds = self._effects_hold(situation, result)
        if holds:
            return Recovery(Rung.CONTINUE, f"judged {result.verdict.status}, yet {holds}")
        if result.verdict.status is VerdictStatus.UNSURE:
            return self._unsure(situation, result)
        return self._failed(situation, result)

    def _unsure(self, situation: Situation, result: StepResult) -> Recovery:
        looks = self._spent.looks.get(result.step_id, 0)
        if looks < self.budgets.looks_per_step:
            self._spent.looks[result.step_id] = looks + 1
            reason = f"cannot tell whether {result.run.call} worked ({result.verdict.reason}): looking again"
            return Recovery(Rung.RE_GROUND, reason, judge_again=True)
        if self._rest_suffices(situation, result):
            return Recovery(Rung.CONTINUE, f"cannot tell whether {result.run.call} worked, but nothing after needs it")
        return self._failed(situation, result)

    def _failed(self, situation: Situation, result: StepResult) -> Recovery:
        call, after = result.run.call, situation.after
        missing = [name for name in call.arguments if name in after.gone]
        if missing:
            return self._replan(situation, f"the {missing[0]} is nowhere to be found")
        state = after.symbolic()
        held = meant_to_hold(situation.graph, result.step_id, self.library) or situation.before.symbolic().held
        needs = self._needs(call, state, held)
        unmet = [literal for literal in needs if state.holds(literal) is not True]
        if not unmet:
            return self._once_more(situation, result)
        why = f"{call} needs {unmet[0]}, but {why_not(unmet[0], state)}"
        return self._repair(situation, result, needs, why)

    def _once_more(self, situation: Situation, result: StepResult) -> Recovery:
        """The step could work right away: try again, with a fresh look where something was moved."""
        path, call = result.step_id, result.run.call
        retries = self._spent.retries.get(path, 0)
        failed = f"{call} failed: {result.verdict.reason}"
        if retries >= self.budgets.retries_per_step:
            return self._replan(situation, f"{failed}; it was tried {retries + 1} times")
        self._spent.retries[path] = retries + 1
        moved = _moved(call, situation.before, situation.after)
        if moved is not None:
            return Recovery(Rung.RE_GROUND, f"{failed}; the {moved} is not where it was: looking where things are now")
        count = f"retry {retries + 1} of {self.budgets.retries_per_step}"
        return Recovery(Rung.RETRY, f"{failed}; what it needs still holds: {count}")

    def _repair(self, situation: Situation, result: StepResult, needs: tuple[Literal, ...], why: str) -> Recovery:
        """Search to the step's preconditions, and keep the rest where it still works and still reaches the goal."""
        if self._spent.repairs >= self.budgets.repairs:
            return self._replan(situation, f"{why}; no repairs left")
        state = situation.after.symbolic()
        found = find_graph(state, Goal(literals=needs), self.library, unexplored=situation.after.unexplored)
        if not isinstance(found, Found):
            return self._replan(situation, f"{why}; that cannot be mended: {found.reason}")
        trouble = self._trouble_after(situation, result, found.graph)
        if trouble is not None:
            return self._replan(situation, f"{why}; mending it would not do: {trouble}")
        self._spent.repairs += 1
        self._spent.retries.pop(result.step_id, None)
        calls = ", ".join(str(call) for call in found.graph.calls())
        return Recovery(Rung.REPAIR, f"{why}; first {calls}, then on as planned", graph=found.graph)

    def _trouble_after(self, situation: Situation, result: StepResult, repair: SkillGraph) -> str | None:
        """Why the rest of the graph would not work or not reach the goal after the repair."""
        state = situation.after.symbolic()
        try:
            rest = with_repair(remaining(situation.graph, situation.statuses), result.step_id, repair)
            validate(rest, state, self.library)
        except GraphError as error:
            return str(error)
        return self._misses_goal(situation, rest)

    def _misses_goal(self, situation: Situation, rest: SkillGraph) -> str | None:
        if situation.goal is None:
            return None
        try:
            end = predict_graph(situation.after.symbolic(), rest, self.library)[-1]
        except PredictionError:
            return None  # hangs on where a hidden thing is: found out on the way
        unmet = situation.goal.unmet(end, situation.start)
        return f"{unmet[0]} would not hold at the end" if unmet else None

    def _replan(self, situation: Situation, why: str) -> Recovery:
        spent, budgets = self._spent, self.budgets
        wanted = _gone_from_goal(situation)
        if wanted is not None:
            return Recovery(Rung.GIVE_UP, f"{why}; the goal needs the {wanted}, which is gone", impossible=True)
        if situation.goal is None:
            return self._ask_or_give_up(situation, f"{why}; there is no goal to plan for, only the graph")
        if spent.replans >= budgets.replans:
            return self._ask_or_give_up(situation, f"{why}; planned anew {spent.replans} times already")
        if spent.barren_replans >= budgets.barren_replans:
            tries = f"planned anew {spent.barren_replans} times without one step that worked"
            return self._ask_or_give_up(situation, f"{why}; {tries}")
        spent.replans += 1
        spent.barren_replans += 1
        spent.retries.clear()
        spent.looks.clear()
        return Recovery(Rung.REPLAN, f"{why}; planning anew from here")

    def _ask_or_give_up(self, situation: Situation, why: str) -> Recovery:
        if not situation.can_ask or self._spent.questions >= self.budgets.questions:
            return Recovery(Rung.GIVE_UP, why)
        self._spent.questions += 1
        self._spent.replans = min(self._spent.replans, self.budgets.replans - 1)
        self._spent.barren_replans = 0
        question = Question(f"{why}. What should be done?", ("try again", "stop"))
        return Recovery(Rung.ASK, why, question=question)

    def _without_step(self, situation: Situation) -> Recovery:
        """The graph is at its end and the goal is not reached, or it is stuck."""
        state = situation.after.symbolic()
        unmet = situation.goal.unmet(state, situation.start) if situation.goal is not None else ()
        why = situation.trouble or (f"{unmet[0]} does not hold at the end" if unmet else "the order was not kept")
        return self._replan(situation, why)

    def _needs(self, call: SkillCall, state: SymbolicState, held: str | None) -> tuple[Literal, ...]:
        """The call's preconditions, about what it should hold even where the hand holds something else or nothing."""
        if held is not None:
            state = SymbolicState(state.objects, frozenset({Literal("holding", (held,))}))
        return self.library.skill(call.skill).preconditions_of(call.arguments, state)

    def _effects_hold(self, situation: Situation, result: StepResult) -> str | None:
        """What shows that the step's success condition holds after all; None where it does not."""
        call, after = result.run.call, situation.after
        wanted = self.library.skill(call.skill).success_of(call.arguments, situation.before.symbolic())
        if any("*" in argument for literal in wanted for argument in literal.arguments):
            return None  # it was to work on what the hand held, and the hand was empty
        if all(after.symbolic().holds(literal) is True and after.confidence(literal) > 0.5 for literal in wanted):
            return f"{' and '.join(map(str, wanted))} can be seen to hold"
        return None

    def _rest_suffices(self, situation: Situation, result: StepResult) -> bool:
        """Whether what follows works and reaches the goal from what is believed, without this step."""
        done = {**situation.statuses, result.step_id: "succeeded"}
        rest = remaining(situation.graph, done)
        try:
            validate(rest, situation.after.symbolic(), self.library)
        except GraphError:
            return False
        return situation.goal is not None and self._misses_goal(situation, rest) is None


def _moved(call: SkillCall, before: Scene, after: Scene) -> str | None:
    """The first of the call's objects that stands elsewhere than before the attempt."""
    if before.physical is None or after.physical is None:
        return None
    for name in call.arguments:
        was, now = before.physical.objects.get(name), after.physical.objects.get(name)
        if was is not None and now is not None:
            distance_m = sum((a - b) ** 2 for a, b in zip(was.position_m, now.position_m, strict=True)) ** 0.5
            if distance_m > MOVED_M:
                return name
    return None


def _gone_from_goal(situation: Situation) -> str | None:
    """An object that every way of reaching the goal speaks of and that is nowhere to be found."""
    if situation.goal is None:
        return None
    ways = situation.goal.end_states(situation.start)
    in_all = set.intersection(*({name for literal in way for name in literal.arguments} for way in ways))
    return next((name for name in sorted(in_all) if name in situation.after.gone), None)


class _SpentRecord(BaseModel):
    model_config = ConfigDict(extra="forbid")

    retries: dict[str, int]
    looks: dict[str, int]
    repairs: int
    replans: int
    barren_replans: int
    questions: int
