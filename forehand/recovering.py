"""Recoverer: asks the ladder what follows a failure, tells it as an event, and does it.

Not for: which rung is right (planner.recovery decides).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from executor.graph_runner import GraphRunner, Stuck
from forehand.acting import Actor
from forehand.event_log import EventLog
from forehand.events import Answered, GraphChanged, QuestionAsked, RecoveryChosen
from forehand.parts import Parts, guarded
from forehand.run_state import Ending, RunState
from planner.planner import Question
from planner.recovery import Recovery, Rung, Situation
from world_model.results import StepResult, VerdictStatus
from world_model.scene import Scene

Ask: TypeAlias = Callable[[Question], str | None]
"""Puts a question to the person; None or nothing where there is no answer."""

ENOUGH = "stop"  # what a person answers to end it


class Recoverer:
    """What the agent turns to when a step or the whole graph did not do what it was for."""

    def __init__(self, parts: Parts, state: RunState, log: EventLog, actor: Actor, ask: Ask | None) -> None:
        self.parts, self.state, self.log, self.actor, self._ask = parts, state, log, actor, ask

    def after(self, result: StepResult, before: Scene) -> Ending | None:
        """An attempt was judged; also a success goes to the ladder, whose budgets it refills, but needs no event."""
        while True:
            recovery = self._decide(result, before)
            if result.verdict.status is VerdictStatus.SUCCEEDED:
                return None
            if not recovery.judge_again:
                if recovery.rung not in (Rung.CONTINUE, Rung.GIVE_UP):
                    self.actor.step_back(result.run, again=recovery.rung is Rung.RETRY)
                return self._do(recovery, result.step_id)
            result = self.actor.judge_again(result, before)
            self._runner.record(result)
            self.state.history[-1] = result

    def stuck(self, stuck: tuple[Stuck, ...]) -> Ending | None:
        """Nothing is ready, and the graph is not done."""
        trouble = "; ".join(f"{s.path}: {s.reason}" for s in stuck) or "no step of the graph can start"
        return self._do(self._decide(None, self.parts.belief.scene, trouble), None)

    def goal_missed(self, unmet: tuple[str, ...]) -> Ending | None:
        """The graph is done, and the goal does not hold."""
        trouble = f"at the end: {'; '.join(unmet)}"
        return self._do(self._decide(None, self.parts.belief.scene, trouble), None)

    def ask(self, question: Question) -> Ending | None:
        """Puts a question to the person; without an answer the run ends in it."""
        answer = self._answer(question)
        if answer is None:
            return Ending("clarify", question.text)
        self.state.answers.append((question.text, answer))
        self.state.plan_wanted = True
        return None

    @property
    def _runner(self) -> GraphRunner:
        assert self.state.runner is not None, "there is nothing to recover before the first plan"
        return self.state.runner

    def _decide(self, result: StepResult | None, before: Scene, trouble: str = "") -> Recovery:
        situation = Situation(
            result=result,
            before=before,
            after=self.parts.belief.scene,
            graph=self._runner.graph,
            statuses=self._runner.statuses,
            goal=self.state.pursued,
            start=self.state.believed[0],
            can_ask=self._ask is not None,
            trouble=trouble,
        )
        with guarded("recovery"):
            recovery = self.parts.ladder.decide(situation)
        if result is None or result.verdict.status is not VerdictStatus.SUCCEEDED:
            step = result.step_id if result is not None else None
            self.log.emit(RecoveryChosen(step=step, rung=recovery.rung.value, reason=recovery.reason))
        return recovery

    def _do(self, recovery: Recovery, step: str | None) -> Ending | None:
        """Does what the rung says; a graph that changes by it is told."""
        match recovery.rung:
            case Rung.GIVE_UP:
                return Ending("impossible" if recovery.impossible else "failed", recovery.reason)
            case Rung.ASK:
                assert recovery.question is not None
                return self._ask_what_to_do(recovery.question)
            case Rung.REPLAN:
                self.state.plan_wanted = True
                return None
            case _:
                assert step is not None, f"the ladder says '{recovery.rung}' of no step"
                self._mend(recovery, step)
                return None

    def _mend(self, recovery: Recovery, step: str) -> None:
        """The rungs that keep the graph."""
        match recovery.rung:
            case Rung.CONTINUE:
                self._runner.accept(step)
            case Rung.REPAIR:
                assert recovery.graph is not None
                self._runner.splice(step, recovery.graph)
            case Rung.RE_GROUND:
                self.actor.look()
                self._runner.retry(step)
            case _:
                self._runner.retry(step)
        self.log.emit(GraphChanged.of(self._runner, f"{recovery.rung.value}: {recovery.reason}"))

    def _ask_what_to_do(self, question: Question) -> Ending | None:
        answer = self._answer(question)
        if answer is None or answer.lower() == ENOUGH:
            return Ending("failed", question.text)
        if answer not in question.choices:  # more than a nod: the planner is to know
            self.state.answers.append((question.text, answer))
        self.state.plan_wanted = True
        return None

    def _answer(self, question: Question) -> str | None:
        self.log.emit(QuestionAsked(text=question.text, choices=question.choices))
        answer = (self._ask(question) or "").strip() if self._ask is not None else ""
        if not answer:
            return None
        self.log.emit(Answered(question=question.text, text=answer))
        return answer
