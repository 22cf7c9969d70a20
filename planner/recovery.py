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

Before each step starts, its preconditions are to be held against the belief (`unmet` says which does not surely hold):
that catches a false "done" of an earlier step, and a thing that was taken away. Such a step is not run but handed in
here as a StepResult whose run ended by NOT_STARTED and whose verdict is failed. After Inner Monologue (arXiv
2207.05608) and DoReMi (arXiv 2307.00329), with search in place of a language model for repairs.
"""

from __future__ import annotations

from typing import Any

from planner.mending import MendingError, mend, suffices_without
from planner.planner import Question
from planner.recovery_terms import Recovery, RecoveryBudgets, Rung, Situation, Spent
from planner.remaining import call_at, meant_to_hold
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.reasons import why_not
from skills.skill import SkillCall
from skills.skill_graph import SkillGraph
from skills.symbolic_state import SymbolicState
from world_model.believed import NOT_OBSERVED
from world_model.results import StepResult, VerdictStatus
from world_model.scene import Scene

__all__ = ["Recovery", "RecoveryBudgets", "RecoveryLadder", "Rung", "Situation"]

MOVED_M = 0.03
"""A thing this far from where it stood before the attempt was moved; less is the slack of a missed grasp."""


class RecoveryLadder:
    """Decides what follows each verdict of one run."""

    def __init__(self, library: SkillLibrary, budgets: RecoveryBudgets | None = None) -> None:
        self.library = library
        self.budgets = budgets or RecoveryBudgets()
        self._spent = Spent()

    def snapshot(self) -> dict[str, Any]:
        """JSON-ready; `restore` goes on from it."""
        return self._spent.model_dump(mode="json")

    def restore(self, data: Any) -> None:
        """Raises pydantic.ValidationError where `data` is no snapshot."""
        self._spent = Spent.model_validate(data)

    def unmet(self, path: str, graph: SkillGraph, scene: Scene) -> str | None:
        """Why the call at `path` should not start now, in words; None where all that it needs is believed.

        Something else in the hand than what the pick of this step's block took is a reason, too. Raises GraphError
        where `path` is no call of the graph.
        """
        call, state = call_at(graph, path), scene.symbolic()
        needs = self._needs(call, state, meant_to_hold(graph, path, self.library))
        wrong = next((literal for literal in needs if state.holds(literal) is not True), None)
        return None if wrong is None else f"{call} needs {wrong}, but {why_not(wrong, state)}"

    def decide(self, situation: Situation) -> Recovery:
        """The cheapest rung that can work and has budget left. Never raises for what went wrong in the world."""
        result = situation.result
        if result is None:
            return self._without_step(situation)
        if result.verdict.status is VerdictStatus.SUCCEEDED:
            self._spent.barren_replans = 0
            return Recovery(Rung.CONTINUE, result.verdict.reason)
        seen = self._effects_hold(situation, result, observed=True)
        if seen is not None:
            return Recovery(Rung.CONTINUE, f"judged {result.verdict.status}, yet {seen} can be seen to hold")
        if result.verdict.status is VerdictStatus.UNSURE:
            return self._unsure(situation, result)
        return self._failed(situation, result)

    def _unsure(self, situation: Situation, result: StepResult) -> Recovery:
        """Look again; then go on only where what is needed next is believed."""
        doubt = f"cannot tell whether {result.run.call} worked ({result.verdict.reason})"
        if self._may_look(result.step_id):
            return Recovery(Rung.RE_GROUND, f"{doubt}: looking again", judge_again=True)
        expected = self._effects_hold(situation, result)
        if expected is not None:
            return Recovery(Rung.CONTINUE, f"{doubt}, but {expected} is believed")
        if suffices_without(situation, result.step_id, self.library):
            return Recovery(Rung.CONTINUE, f"{doubt}, but nothing that follows needs it")
        return self._failed(situation, result)

    def _failed(self, situation: Situation, result: StepResult) -> Recovery:
        call, after = result.run.call, situation.after
        gone = next((name for name in call.arguments if name in after.gone), None)
        if gone is not None:
            return self._replan(situation, f"the {gone} is nowhere to be found")
        state = after.symbolic()
        held = meant_to_hold(situation.graph, result.step_id, self.library) or situation.before.symbolic().held
        needs = self._needs(call, state, held)
        unmet = next((literal for literal in needs if state.holds(literal) is not True), None)
        if unmet is None:
            return self._once_more(situation, result)
        why = f"{call} needs {unmet}, but {why_not(unmet, state)}"
        if state.holds(unmet) is None and self._may_look(result.step_id):
            return Recovery(Rung.RE_GROUND, f"{why}: looking again")
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
        if any("*" in argument for literal in needs if not literal.negated for argument in literal.arguments):
            return self._replan(situation, f"{why}; nobody knows what it should hold")
        try:
            repair = mend(situation, result.step_id, needs, self.library)
        except MendingError as error:
            return self._replan(situation, f"{why}; a repair would not do: {error}")
        self._spent.repairs += 1
        self._spent.retries.pop(result.step_id, None)
        calls = ", ".join(str(call) for call in repair.calls())
        return Recovery(Rung.REPAIR, f"{why}; first {calls}, then on as planned", graph=repair)

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
        """A person may allow one more plan; without a goal there is nothing that a plan could be made for."""
        if not situation.can_ask or situation.goal is None or self._spent.questions >= self.budgets.questions:
            return Recovery(Rung.GIVE_UP, why)
        self._spent.questions += 1
        self._spent.barren_replans = 0
        question = Question(f"{why}. What should be done?", ("try again", "stop"))
        return Recovery(Rung.ASK, why, question=question)

    def _without_step(self, situation: Situation) -> Recovery:
        """The graph is at its end and the goal is not reached, or it is stuck."""
        state = situation.after.symbolic()
        unmet = situation.goal.unmet(state, situation.start) if situation.goal is not None else ()
        why = situation.trouble or (f"{unmet[0]} does not hold at the end" if unmet else "the order was not kept")
        return self._replan(situation, why)

    def _may_look(self, path: str) -> bool:
        """Takes one look of the step's budget, if there is one left."""
        looks = self._spent.looks.get(path, 0)
        if looks >= self.budgets.looks_per_step:
            return False
        self._spent.looks[path] = looks + 1
        return True

    def _needs(self, call: SkillCall, state: SymbolicState, held: str | None) -> tuple[Literal, ...]:
        """The call's preconditions, about what it should hold even where the hand holds something else or nothing."""
        if held is not None:
            state = SymbolicState(state.objects, frozenset({Literal("holding", (held,))}))
        return self.library.skill(call.skill).preconditions_of(call.arguments, state)

    def _effects_hold(self, situation: Situation, result: StepResult, *, observed: bool = False) -> str | None:
        """The call's success condition where it is believed to hold after all, by a look where `observed`."""
        call, after = result.run.call, situation.after
        wanted = self.library.skill(call.skill).success_of(call.arguments, situation.before.symbolic())
        if any("*" in argument for literal in wanted for argument in literal.arguments):
            return None  # it was to work on what the hand held, and the hand was empty
        believed = all(
            after.symbolic().holds(literal) is True
            and after.confidence(literal) > 0.5
            and not (observed and after.source(literal) in NOT_OBSERVED)
            for literal in wanted
        )
        return " and ".join(map(str, wanted)) if believed else None


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
