"""Workplace: a world, the robot in it and what is believed of them; stays while commands come and go.

Not for: choosing its parts by name (forehand.assembly) or a single run (forehand.running).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from executor.policy import Policy
from executor.skill_executor import SkillExecutor
from executor.stop import StopToken
from forehand.checkpoints import pinned
from forehand.config import RunConfig
from forehand.event_log import EventLog
from forehand.events import Event, FaultInjected
from forehand.parts import Parts
from forehand.recovering import Ask
from forehand.results import RunResult
from forehand.running import Run
from forehand.runs import Found, RunFolder
from forehand.watching import Watcher
from planner.planner import Planner, PlannerError, PlanOutcome, PlanRequest
from planner.recovery import RecoveryLadder
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.world import TabletopWorld
from skills.library import SkillLibrary
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState
from world_model.belief import Belief
from world_model.perception.percept import Perception
from world_model.scene import Scene
from world_model.success.detector import SuccessDetector
from world_model.true_state import true_state

Clock: TypeAlias = Callable[[], float]
"""Unix seconds."""


@dataclass
class FaultReport:
    """Where faults are told: the log of the run that goes on now."""

    log: EventLog | None = None

    def __call__(self, words: str) -> None:
        if self.log is not None:
            self.log.emit(FaultInjected(fault=words))


@dataclass
class Workplace:
    """planner_for: the planner a run's configuration names, over this library."""

    world: TabletopWorld
    robot: TabletopRobot
    library: SkillLibrary
    perception: Perception
    detector: SuccessDetector
    policy: Policy
    planner_for: Callable[[RunConfig], Planner]
    belief: Belief
    fault_report: FaultReport = field(default_factory=FaultReport)
    focus: tuple[str, ...] = ()  # what "it" may mean, from command to command

    def parts_for(self, config: RunConfig) -> Parts:
        """What one run is made of."""
        return Parts(
            library=self.library,
            robot=self.robot,
            executor=SkillExecutor(self.robot, self.policy),
            belief=self.belief,
            perception=self.perception,
            detector=self.detector,
            planner=self.planner_for(config),
            ladder=RecoveryLadder(self.library, config.budgets),
            truth=self.truth,
            before_attempt=self._before_attempt,
            after_attempt=self.robot.end_attempt,
        )

    def plan(self, config: RunConfig) -> PlanOutcome:
        """What the planner makes of a command here; nothing moves. Raises ConfigError, PlannerError."""
        config.check_asks_for_something()
        self.look()
        request = PlanRequest(config.instruction, self.belief.scene, self.library, goal=config.goal, focus=self.focus)
        return self.planner_for(config).plan(request)

    def run(
        self,
        config: RunConfig,
        *,
        folder: Path | None = None,
        watchers: Sequence[Watcher] = (),
        ask: Ask | None = None,
        stop: StopToken | None = None,
        clock: Clock = time.time,
    ) -> RunResult:
        """One command from beginning to end; see forehand.assembly.start_run for the errors."""
        config.check_asks_for_something()
        config = pinned(config)
        parts = self.parts_for(config)  # what cannot be built is told before there is a folder
        with ExitStack() as closing:
            kept = closing.enter_context(RunFolder.create(folder, config)) if folder is not None else None
            log = closing.enter_context(self._logging(kept, watchers, clock))
            try:
                return Run(self, config, parts, log, kept, ask=ask, stop=stop).start()
            except PlannerError:
                if kept is not None:
                    kept.discard()
                raise

    def resume(
        self,
        config: RunConfig,
        kept: RunFolder,
        found: Found,
        *,
        watchers: Sequence[Watcher] = (),
        ask: Ask | None = None,
        stop: StopToken | None = None,
        clock: Clock = time.time,
    ) -> RunResult:
        """Goes on with what a folder holds of a run, to its end."""
        parts = self.parts_for(config)
        with self._logging(kept, watchers, clock, earlier=found.events) as log:
            return Run(self, config, parts, log, kept, ask=ask, stop=stop).resume(found)

    @contextmanager
    def _logging(
        self, kept: RunFolder | None, watchers: Sequence[Watcher], clock: Clock, earlier: Sequence[Event] = ()
    ) -> Iterator[EventLog]:
        """An event log with its watchers attached; closed afterwards, whatever happens."""
        log = EventLog(
            kept.log_path if kept is not None else None,
            clock=clock,
            robot_clock=lambda: self.world.time_s,
            earlier=earlier,
        )
        self.fault_report.log = log
        try:
            log.attach(watchers, self)
            yield log
        finally:
            self.fault_report.log = None
            log.close()

    def truth(self) -> SymbolicState:
        """The simulator's true state in symbols: for the record, never for deciding."""
        return true_state(self.world, self.library.predicates)

    def look(self) -> Scene:
        """Perceive afresh and revise the belief."""
        return self.belief.update(self.perception.perceive(self.belief.expected))

    def describe(self) -> str:
        """What is on the table, as far as a look shows."""
        return self.look().describe()

    def snapshot(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "world": self.world.snapshot().model_dump(mode="json"),
            "robot": self.robot.state(),
            "belief": self.belief.snapshot(),
            "focus": list(self.focus),
        }

    def restore(self, data: Any) -> None:
        """What `snapshot` returned, over a world that was restored already (forehand.assembly)."""
        self.robot.load_state(data["robot"])
        self.belief.restore(data["belief"])
        self.focus = tuple(data["focus"])

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *_: object) -> None:
        self.world.close()

    def _before_attempt(self, call: SkillCall, attempt: int) -> None:
        self.robot.begin_attempt(str(call), attempt)
