"""The loop: perceive → plan → validate → for each ready skill call: act → judge → continue or recover.

Read this file first. Each turn of the loop ends at a boundary where everything is saved, so that a run that is killed
goes on from there. Everything that happens is an event, written before it takes effect.
Not for: how a part does its work (forehand.parts) or what follows a failure (forehand.recovering).
"""

from __future__ import annotations

from collections.abc import Callable

from executor.graph_runner import GraphRunner, ReadyStep
from executor.stop import StopToken
from forehand.acting import Actor
from forehand.event_log import EventLog, RunFolderError, part_failed
from forehand.events import FoundImpossible, GoalChecked, GraphChanged, Planned
from forehand.parts import PartError, Parts, guarded
from forehand.recovering import Ask, Recoverer
from forehand.run_state import Ending, RunState, Task
from planner.planner import Cancellable, Impossible, Plan, PlannerError, Question
from skills.validation import validate
from world_model.results import EndedBy


class Agent:
    """Drives one run from wherever its state stands to its end; what goes wrong in a part becomes its reason.

    checkpoint: saves everything; called between turns. ask: puts a question to the person; without it a question ends
    the run as `clarify`. Raises RunFolderError for a log that cannot be written, and PlannerError where an outside
    service fails before anything has moved.
    """

    def __init__(
        self,
        task: Task,
        parts: Parts,
        state: RunState,
        log: EventLog,
        *,
        stop: StopToken,
        checkpoint: Callable[[], None],
        ask: Ask | None = None,
    ) -> None:
        self.task, self.parts, self.state, self.log = task, parts, state, log
        self.stop, self.checkpoint = stop, checkpoint
        stop.halts(parts.robot.stop)
        if isinstance(planner := parts.planner, Cancellable):
            stop.halts(lambda _reason: planner.cancel())
        self.actor = Actor(task, parts, state, log, stop)
        self.recoverer = Recoverer(parts, state, log, self.actor, ask)

    def run(self) -> Ending:
        """Turn after turn until one of them is the last."""
        ending: Ending | None = None
        while ending is None:
            ending = self._guarded_turn()
        return ending

    def _guarded_turn(self) -> Ending | None:
        """One turn and what it leaves to be saved; whatever is raised in it becomes the end of the run."""
        try:
            ending = None if self.stop.is_set else self._turn()
            if ending is None and self.stop.is_set:
                return Ending("stopped", self.stop.reason)
            if ending is None:
                self.checkpoint()
            return ending
        except KeyboardInterrupt:
            self.parts.robot.stop("interrupted")
            return Ending("stopped", "interrupted")
        except RunFolderError:
            self.parts.robot.stop("the run's log cannot be written")
            raise
        except Exception as error:
            if self.stop.is_set:  # what was waited for was cancelled
                return Ending("stopped", self.stop.reason)
            part, cause = (error.part, error.cause) if isinstance(error, PartError) else ("agent", error)
            self.log.emit(part_failed(part, cause))
            if isinstance(cause, PlannerError) and not self.state.history:
                raise cause from error  # nothing has moved yet: this is for whoever asked, not for the record
            self.parts.robot.stop(f"{part} failed")
            return Ending("failed", str(PartError(part, cause)))

    def _turn(self) -> Ending | None:
        """From one boundary to the next."""
        runner = self.state.runner
        if runner is None or self.state.plan_wanted:
            return self._plan()
        ready = runner.ready()
        if runner.decisions:
            self.log.emit(GraphChanged.of(runner, "; ".join(runner.decisions)))
        if ready:
            return self._step(runner, ready)
        return self._check_goal() if runner.done else self.recoverer.stuck(runner.stuck)

    def _plan(self) -> Ending | None:
        """Look, think, and take up the graph; or ask; or say that it is impossible."""
        scene = self.actor.look_freely()
        started_s = self.log.clock()
        match self.parts.plan(self.actor.request(scene)):
            case Plan() as plan:
                scene = self.actor.take_for_granted(plan.assumed)
                with guarded("planner"):
                    validate(plan.graph, scene.symbolic(), self.parts.library)
                wall_s = self.log.clock() - started_s
                self.log.emit(
                    Planned(
                        planner=self.parts.planner.name,
                        goal=plan.goal,
                        graph=plan.graph,
                        reasoning=plan.reasoning,
                        wall_s=wall_s,
                    )
                )
                runner = self.state.take_up(plan, self.parts.library, self.parts.holds)
                self.log.emit(GraphChanged.of(runner, "planned"))
                return None
            case Question() as question:
                return self.recoverer.ask(question)
            case Impossible(reason=reason, goal=goal):
                self.log.emit(FoundImpossible(reason=reason, goal=goal))
                return Ending("impossible", reason)

    def _step(self, runner: GraphRunner, ready: tuple[ReadyStep, ...]) -> Ending | None:
        """Act, judge, and continue or recover."""
        if len(self.state.history) >= self.task.most_steps:
            return Ending("failed", f"gave up after {self.task.most_steps} attempts at steps")
        before = self.parts.belief.scene
        step = self.actor.first_possible(runner, ready)
        result = self.actor.attempt(runner, step)
        if self.stop.is_set and result.run.ended_by is EndedBy.STOPPED:
            return None  # nobody judged it
        runner.record(result)
        self.state.history.append(result)
        if not self.task.closed_loop:
            runner.accept(step.path)  # nobody looks at the verdict: that is what this arm is for
            return None
        return self.recoverer.after(result, before)

    def _check_goal(self) -> Ending | None:
        """The graph is through: look afresh, and believe it only where the goal is seen to hold."""
        self.parts.hold_still(self.stop)
        self.actor.look()
        unmet = self.state.unmet()
        self.log.emit(GoalChecked(holds=not unmet, unmet=unmet))
        if not unmet:
            return Ending("succeeded", "the goal holds" if self.state.goal is not None else "every step is done")
        if not self.task.closed_loop:
            return Ending("failed", f"at the end {'; '.join(unmet)}")
        return self.recoverer.goal_missed(unmet)
