"""Run: one run in one workplace, from first event to result; saved at every boundary, gone on with after a kill.

Not for: wiring the workplace (forehand.assembly) or the loop (forehand.agent).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import TYPE_CHECKING, Any

from executor.stop import StopToken
from forehand.agent import Agent
from forehand.checkpoints import checkpoint_words
from forehand.config import RunConfig
from forehand.event_log import EventLog, part_failed
from forehand.events import (
    AttemptAbandoned,
    Checkpointed,
    Event,
    GraphChanged,
    Resumed,
    RunEnded,
    RunStarted,
    StepStarted,
)
from forehand.parts import Parts
from forehand.recovering import Ask
from forehand.results import RunResult, summarise
from forehand.run_state import Ending, RunState, Task
from forehand.runs import Found, RunFolder, reading_snapshot, snapshot_name
from planner.planner import Remembers

if TYPE_CHECKING:
    from forehand.workplace import Workplace

SETTLING_S = 3.0  # of simulated time at most, before the true end state is read
TRUTH = "simulator state (oracle), after settling"
VERSIONED = ("forehand", "pybullet", "numpy", "torch", "transformers")


class Run:
    """config's task, done by the parts of a workplace. folder=None keeps nothing on disk."""

    def __init__(
        self,
        workplace: Workplace,
        config: RunConfig,
        parts: Parts,
        log: EventLog,
        folder: RunFolder | None = None,
        *,
        ask: Ask | None = None,
        stop: StopToken | None = None,
    ) -> None:
        self.workplace, self.config, self.parts, self.log, self.folder = workplace, config, parts, log, folder
        self.state = RunState(focus=workplace.focus)
        self._ask, self._stop = ask, stop or StopToken()

    def start(self) -> RunResult:
        """From the beginning to the end."""
        self._announce()
        self.checkpoint()
        return self._carry_on()

    def resume(self, found: Found) -> RunResult:
        """From what a folder holds to the end; from the beginning where nothing was saved yet."""
        lost = [event for event in found.events if event.seq > found.from_seq]
        if found.snapshot is not None:
            with reading_snapshot(found):
                self.restore(found.snapshot)
        self.log.emit(Resumed(from_seq=found.from_seq, detail=found.note))
        if lost:
            self.log.emit(_abandoned(lost))
        return self._carry_on() if found.snapshot is not None else self.start()

    def checkpoint(self) -> None:
        """A boundary: the world is rebuilt from its own numbers, and everything is saved. Raises RunFolderError."""
        self.workplace.world.checkpoint()
        if self.folder is not None:
            event = self.log.emit(Checkpointed(snapshot=snapshot_name(self.log.last_seq + 1)))
            self.folder.save_snapshot(event.seq, self.snapshot())

    def snapshot(self) -> dict[str, Any]:
        """Every part that remembers anything, as JSON."""
        return {
            "run": self.state.to_json(),
            "ladder": self.parts.ladder.snapshot(),
            "planner": self.parts.planner.snapshot() if isinstance(self.parts.planner, Remembers) else None,
            "workplace": self.workplace.snapshot(),
        }

    def restore(self, data: Any) -> None:
        """What `snapshot` returned, over a restored world. Raises what a part raises that cannot read its own."""
        self.workplace.restore(data["workplace"])
        self.parts.ladder.restore(data["ladder"])
        if isinstance(self.parts.planner, Remembers):
            self.parts.planner.restore(data["planner"])
        self.state = RunState.from_json(data["run"], self.parts.library, self.parts.holds)

    def _carry_on(self) -> RunResult:
        task = Task(self.config.instruction, self.config.goal, self.config.closed_loop, self.config.most_attempts)
        agent = Agent(
            task, self.parts, self.state, self.log, stop=self._stop, checkpoint=self.checkpoint, ask=self._ask
        )
        ending = agent.run()
        self.workplace.focus = self.state.focus
        self.log.emit(self._ended(ending))
        result = summarise(self.log.events)
        if self.folder is not None:
            self.folder.write_result(result)
        return result

    def _ended(self, ending: Ending) -> RunEnded:
        if self.state.runner is not None:
            self.log.emit(GraphChanged.of(self.state.runner, "the run ends"))
        reached: bool | None = None
        try:
            if ending.outcome != "stopped":  # a stopped run may go on: nothing moves it
                self.workplace.world.settle(SETTLING_S)
            reached = self._goal_reached()
        except Exception as error:
            self.log.emit(part_failed("simulator", error))
        return RunEnded(
            outcome=ending.outcome,
            reason=ending.reason,
            goal_reached=reached,
            truth="" if reached is None else "simulator state (oracle)",
        )

    def _goal_reached(self) -> bool | None:
        goal = self.config.truth_goal or self.config.goal or self.state.goal
        if goal is None or self.parts.truth is None:
            return None
        return goal.reached([*self.state.truth, self.parts.truth()])

    def _announce(self) -> None:
        self.log.emit(
            RunStarted(
                run_id=self.folder.path.name if self.folder is not None else f"seed-{self.config.seed}",
                instruction=self.config.instruction,
                goal=self.config.goal,
                seed=self.config.seed,
                planner=self.parts.planner.name,
                policy=self.parts.executor.policy.name,
                checkpoint=checkpoint_words(self.config),
                perception=self.parts.perception.name,
                detector=self.parts.detector.name,
                closed_loop=self.config.closed_loop,
                faults=self.config.faults,
                versions=_versions(),
                config=self.config.model_dump(mode="json", by_alias=True),
            )
        )


def _abandoned(lost: Sequence[Event]) -> AttemptAbandoned:
    """What happened after the snapshot, and in which attempt."""
    attempt = next((e for e in reversed(lost) if isinstance(e, StepStarted)), None)
    return AttemptAbandoned(
        first_seq=lost[0].seq,
        last_seq=lost[-1].seq,
        step=attempt.step if attempt else None,
        attempt=attempt.attempt if attempt else None,
    )


def _versions() -> dict[str, str]:
    found = {"python": python_version()}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a checkout that is not installed
            found[name] = "unknown"
    return found
