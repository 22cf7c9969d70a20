"""Actor: one look, one request to think, one attempt at one step, each told as events. The loop's hands and eyes.

Not for: what comes next (forehand.agent).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any, TypeVar

from executor.graph_runner import GraphRunner, ReadyStep
from executor.stop import StopToken
from forehand.event_log import EventLog, part_failed
from forehand.events import Judged, LanguageModelCalled, Noted, Perceived, Safety, SkillEnded, StepStarted
from forehand.parts import PartError, Parts, guarded
from forehand.run_state import RunState, Task
from planner.planner import PlanRequest
from skills.skill import SkillCall
from skills.skill_graph import SkillGraph
from world_model.results import EndedBy, SkillRun, StepResult, Verdict, VerdictStatus
from world_model.scene import Scene

T = TypeVar("T")


class Actor:
    """Does what the agent decides, and records it."""

    def __init__(self, task: Task, parts: Parts, state: RunState, log: EventLog, stop: StopToken) -> None:
        self.task, self.parts, self.state, self.log, self.stop = task, parts, state, log, stop

    def look(self) -> Scene:
        """Perceive afresh; what is seen is one more moment of the run's history. Raises PartError."""
        before = self.state.believed[-1].facts if self.state.believed else frozenset()
        scene = self.parts.look()
        now = scene.symbolic()
        changed = [*(now.facts - before), *(fact.negate() for fact in before - now.facts)]
        self.log.emit(
            Perceived(
                source=self.parts.perception.name,
                objects=dict(scene.objects),
                literals=tuple(sorted(map(str, now.facts))),
                hidden=tuple(sorted(scene.hidden)),
                changed=tuple(sorted(map(str, changed))),
            )
        )
        self.state.believe(now)
        if not self.state.truth:
            self._remember_truth()
        return scene

    def look_freely(self) -> Scene:
        """Look; where the arm hides places in which something sought may be, step back and look again."""
        scene = self.look()
        if not scene.obscured:
            return scene
        self._step_back("back to the home pose for a better view")
        return self.look()

    def take_for_granted(self, assumed: Mapping[str, str]) -> Scene:
        """The belief, with the things that a plan looks for and nobody has seen (name → category)."""
        for name, category in assumed.items():
            if name not in self.parts.belief.scene.objects:
                self.parts.belief.assume(name, category)
        return self.parts.belief.scene

    def request(self, scene: Scene) -> PlanRequest:
        """What the planner is asked now: everything this run knows."""
        return PlanRequest(
            instruction=self.task.instruction,
            scene=scene,
            library=self.parts.library,
            goal=self.state.pursued or self.task.goal,
            history=tuple(self.state.history),
            answers=tuple(self.state.answers),
            focus=self.state.focus,
            report=self._report,
        )

    def first_possible(self, runner: GraphRunner, ready: tuple[ReadyStep, ...]) -> ReadyStep:
        """The first whose preconditions are believed to hold; where there is none, the first: it will say why not.

        What failed under an earlier plan comes last: the rest of the work need not wait for it, and may free its way.
        """
        if not self.task.closed_loop:
            return ready[0]
        graph = runner.graph
        possible = [step for step in ready if self._unmet(graph, step) is None]
        return min(possible, key=self._failures_before, default=ready[0])

    def _failures_before(self, step: ReadyStep) -> int:
        return sum(
            result.run.call == step.call and result.verdict.status is not VerdictStatus.SUCCEEDED
            for result in self.state.history
            if result.step_id != step.path
        )

    def attempt(self, runner: GraphRunner, step: ReadyStep) -> StepResult:
        """Act and judge. What a part does wrong is a verdict with its reason, never an exception."""
        before = self.parts.belief.scene
        attempt = runner.start(step.path)
        skill = self.parts.library.skill(step.call.skill)
        sentence = skill.sentence(step.call.arguments)
        self.log.emit(StepStarted(step=step.path, call=step.call, sentence=sentence, attempt=attempt))
        run = self._run(runner, step, attempt)
        if self.stop.is_set and run.ended_by is EndedBy.STOPPED:
            verdict = Verdict(VerdictStatus.UNSURE, 0.5, "stopped before it could be judged", "none")
            return StepResult(step.path, attempt, run, verdict)
        verdict = self._first_verdict(run, before)
        result = self._told(StepResult(step.path, attempt, run, verdict))
        self._remember_truth()
        return result

    def judge_again(self, result: StepResult, before: Scene) -> StepResult:
        """A second look at the same attempt. Raises PartError where there is nothing to be seen."""
        return self._told(replace(result, verdict=self._judged(result.run.call, before, self.look(), again=True)))

    def step_back(self, run: SkillRun, *, again: bool) -> None:
        """Home after a run that did not end of itself: from there nothing would.

        again: the same call follows. Once it has failed twice, each attempt begins from another place.
        """
        failures = self._failures_in_a_row(run.call)
        if again and failures > 1:
            if self._step_back("back to the home pose and aside before another attempt"):
                self._noting_failure(lambda: self.parts.go_aside(self.stop, failures - 1))
        elif run.ended_by not in (EndedBy.TERMINATED, EndedBy.NOT_STARTED):
            self._step_back("back to the home pose before another attempt")

    def _step_back(self, why: str) -> bool:
        """Whether the hand got home."""
        self.log.emit(Noted(part="robot", text=why))
        return self._noting_failure(lambda: self.parts.step_back(self.stop)) is True

    def _noting_failure(self, motion: Callable[[], T]) -> T | None:
        try:
            return motion()
        except PartError as error:
            self.log.emit(part_failed(error.part, error.cause))
            return None

    def _run(self, runner: GraphRunner, step: ReadyStep, attempt: int) -> SkillRun:
        """Carry the call out, unless it is believed to be impossible now."""
        started_s = self.log.clock()
        unmet = self._unmet(runner.graph, step) if self.task.closed_loop else None
        if unmet is not None:
            run = SkillRun(step.call, EndedBy.NOT_STARTED, 0, 0.0, unmet)
        else:
            try:
                run = self.parts.carry_out(step.call, self._nth(step.call), self.stop, self.log.on_control_step)
            except PartError as error:
                self.log.emit(part_failed(error.part, error.cause))
                run = SkillRun(step.call, EndedBy.ERROR, 0, 0.0, str(error))
        for reason in run.envelope:
            self.log.emit(Safety(step=step.path, reason=reason))
        if run.ended_by is EndedBy.STOPPED and not self.stop.is_set:
            self.log.emit(Safety(step=step.path, reason=run.detail, stopped=True))
        self.log.emit(
            SkillEnded(
                step=step.path,
                call=step.call,
                attempt=attempt,
                ended_by=run.ended_by.value,
                control_steps=run.control_steps,
                robot_s=run.robot_time_s,
                wall_s=self.log.clock() - started_s,
                detail=run.detail,
            )
        )
        return run

    def _first_verdict(self, run: SkillRun, before: Scene) -> Verdict:
        if run.ended_by is EndedBy.NOT_STARTED:
            return Verdict(VerdictStatus.FAILED, 1.0, run.detail, "preconditions")
        try:
            if run.ended_by is EndedBy.TERMINATED:
                self.parts.expect(run.call)
            after = self.look()
        except PartError as error:
            self.log.emit(part_failed(error.part, error.cause))
            return Verdict(VerdictStatus.UNSURE, 0.5, str(error), "none")
        return self._judged(run.call, before, after)

    def _judged(self, call: SkillCall, before: Scene, after: Scene, *, again: bool = False) -> Verdict:
        """The detector's verdict; unsure, with the reason, where the detector itself fails."""
        try:
            return self.parts.judge(call, before, after, self._nth(call) - again)
        except PartError as error:
            self.log.emit(part_failed(error.part, error.cause))
            return Verdict(VerdictStatus.UNSURE, 0.5, str(error), self.parts.detector.name)

    def _told(self, result: StepResult) -> StepResult:
        """The verdict as an event, before anything follows from it."""
        verdict = result.verdict
        self.log.emit(
            Judged(
                step=result.step_id,
                call=result.run.call,
                attempt=result.attempt,
                status=verdict.status.value,
                confidence=verdict.confidence,
                reason=verdict.reason,
                detector=verdict.detector,
            )
        )
        return result

    def _nth(self, call: SkillCall) -> int:
        """The how-many-eth try of this very call the next one is, wherever in the graph; those not started aside."""
        return 1 + len(self._tried(call))

    def _failures_in_a_row(self, call: SkillCall) -> int:
        """Of this very call, since it last succeeded."""
        verdicts = [result.verdict.status for result in reversed(self._tried(call))]
        return len(list(takewhile(lambda status: status is not VerdictStatus.SUCCEEDED, verdicts)))

    def _tried(self, call: SkillCall) -> list[StepResult]:
        """This very call's attempts so far, wherever in the graph; those not started aside."""
        return [r for r in self.state.history if r.run.call == call and r.run.ended_by is not EndedBy.NOT_STARTED]

    def _unmet(self, graph: SkillGraph, step: ReadyStep) -> str | None:
        with guarded("recovery"):
            return self.parts.ladder.unmet(step.path, graph, self.parts.belief.scene)

    def _remember_truth(self) -> None:
        """What truly is, at a skill boundary: for the record of the run, nothing decides by it."""
        if self.parts.truth is not None:
            self.state.truth.append(self.parts.truth())

    def _report(self, kind: str, data: Mapping[str, Any]) -> None:
        """What planners tell of their work becomes events."""
        if kind == "llm_call":
            known = {name: data[name] for name in ("model", "tokens_in", "tokens_out", "latency_s") if name in data}
            extra = {name: value for name, value in data.items() if name not in known}
            error = str(data.get("error", ""))
            self.log.emit(LanguageModelCalled(**known, ok=not error, detail=error, extra=extra))
        else:
            self.log.emit(Noted(part=self.parts.planner.name, text=kind, data=dict(data)))
