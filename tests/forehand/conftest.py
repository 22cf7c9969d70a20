"""A table without physics: literals for a world, so that the loop is tested apart from simulator, robot and cameras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from executor.skill_executor import OnControlStep
from executor.stop import StopToken
from forehand.agent import Agent
from forehand.event_log import EventLog
from forehand.events import Event
from forehand.parts import Parts
from forehand.recovering import Ask
from forehand.run_state import Ending, RunState, Task
from forehand.watching import Watcher
from planner.planner import Planner
from planner.recovery import RecoveryBudgets, RecoveryLadder
from planner.search import SearchPlanner
from robots.physical_state import HandState, ObjectState, PhysicalState
from robots.robot import Action, Observation, Proprioception, SentAction, Vector3
from skills.calls import apply_call
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import Skill, SkillCall
from skills.symbolic_state import SymbolicState
from world_model.belief import Belief
from world_model.perception.percept import Percept
from world_model.results import EndedBy, SkillRun
from world_model.scene import Scene
from world_model.success.detector import SuccessDetector
from world_model.success.from_scenes import SceneDetector

LIBRARY = SkillLibrary()
NOWHERE = PhysicalState(0.0, {}, HandState((0.4, 0.0, 0.3), (0.0, 0.0, 0.0, 1.0), 0.08))
BODY = Proprioception((0.4, 0.0, 0.3), (0.0, 0.0, 0.0, 1.0), (0.0,) * 7, (0.0,) * 7, 0.08, 0.0, 0.0)
Mishap = Callable[["SymbolicTable", SkillCall], SkillRun | None]


def nothing_happens(table: SymbolicTable, call: SkillCall) -> SkillRun:
    """The policy says it is done, and nothing has changed."""
    del table
    return SkillRun(call, EndedBy.TERMINATED, 7, 0.7)


def ends_by(ended_by: EndedBy, detail: str = "") -> Mishap:
    return lambda _table, call: SkillRun(call, ended_by, 3, 0.3, detail)


def also(*effects: str) -> Mishap:
    """The call works, and something else changes as well."""

    def mishap(table: SymbolicTable, _call: SkillCall) -> None:
        table.also.extend(effects)

    return mishap


@dataclass
class SymbolicTable:
    """Robot, executor, perception and truth over one SymbolicState. mishaps: what goes wrong in the n-th attempt."""

    state: SymbolicState
    mishaps: dict[int, Mishap] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    also: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    homed: list[str] = field(default_factory=list)
    moved: list[Vector3] = field(default_factory=list)
    blocked: bool = False  # it never gets home
    name: str = "symbols"

    # executor
    def run(
        self,
        skill: Skill,
        call: SkillCall,
        *,
        stop: StopToken | None = None,
        on_control_step: OnControlStep | None = None,
    ) -> SkillRun:
        del skill, on_control_step
        self.done.append(str(call))
        if stop is not None and stop.is_set:
            return SkillRun(call, EndedBy.STOPPED, 0, 0.0, stop.reason)
        mishap = self.mishaps.get(len(self.done))
        ended = mishap(self, call) if mishap is not None else None
        if ended is not None:
            return ended
        self.state = apply_call(call, self.state, LIBRARY)
        self.state = self.state.apply(Literal.parse(effect) for effect in self.also)
        self.also.clear()
        return SkillRun(call, EndedBy.TERMINATED, 10, 1.0)

    # perception
    def perceive(self, expected: Mapping[str, ObjectState] | None = None) -> Percept:
        del expected
        return Percept(self.name, NOWHERE)

    # robot
    def observe(self) -> Observation:
        return Observation(len(self.done), 0.0, BODY)

    def apply(self, action: Action) -> SentAction:
        self.moved.append(action.world_vector)
        return SentAction(action, action)

    def stop(self, reason: str) -> None:
        self.stopped.append(reason)

    def resume(self) -> None:
        self.stopped.clear()

    def home(self, *, open_hand: bool = True) -> bool:
        self.homed.append("open" if open_hand else "closed")
        return not self.blocked


class SymbolicBelief(Belief):
    """Believes what the table is like; remembers and predicts nothing."""

    def __init__(self, table: SymbolicTable, source: str = "seen") -> None:
        super().__init__(LIBRARY)
        self.table, self.source = table, source
        self.now = Scene({})

    @property
    def scene(self) -> Scene:
        return self.now

    def update(self, percept: Percept) -> Scene:
        del percept
        self.now = Scene.from_symbolic(self.table.state, self.source)
        return self.now

    def predict(self, call: SkillCall) -> Scene:
        del call
        return self.now


class Recorder(Watcher):
    """Remembers what it heard."""

    name = "recorder"

    def __init__(self, on_event: Callable[[Event], None] | None = None) -> None:
        self.heard: list[Event] = []
        self._on_event = on_event

    def on_event(self, event: Event) -> None:
        self.heard.append(event)
        if self._on_event is not None:
            self._on_event(event)


@dataclass
class Bench:
    """One run on a symbolic table, with any part replaced by a test's own."""

    table: SymbolicTable
    goal: Goal | None
    planner: Planner = field(default_factory=SearchPlanner)
    detector: SuccessDetector = field(default_factory=lambda: SceneDetector(LIBRARY))
    budgets: RecoveryBudgets = field(default_factory=RecoveryBudgets)
    closed_loop: bool = True
    instruction: str = ""
    most_steps: int = 60
    ask: Ask | None = None
    stop: StopToken = field(default_factory=StopToken)
    watchers: tuple[Watcher, ...] = ()
    checkpoint: Callable[[Bench], None] = lambda _bench: None
    parts_changed: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state = RunState()
        ticks = iter(range(1, 1_000_000))
        self.log = EventLog(None, clock=lambda: float(next(ticks)))
        self.log.attach(self.watchers, None)  # type: ignore[arg-type] - no workplace is looked at
        parts: dict[str, Any] = {
            "library": LIBRARY,
            "robot": self.table,
            "executor": self.table,
            "belief": SymbolicBelief(self.table),
            "perception": self.table,
            "detector": self.detector,
            "planner": self.planner,
            "ladder": RecoveryLadder(LIBRARY, self.budgets),
            "truth": lambda: self.table.state,
        }
        self.parts = Parts(**{**parts, **self.parts_changed})

    def run(self) -> Ending:
        task = Task(self.instruction, self.goal, self.closed_loop, self.most_steps)
        agent = Agent(
            task,
            self.parts,
            self.state,
            self.log,
            stop=self.stop,
            checkpoint=lambda: self.checkpoint(self),
            ask=self.ask,
        )
        return agent.run()

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.log.events]

    def of_kind(self, kind: str) -> list[Any]:
        return [event for event in self.log.events if event.kind == kind]


def state_of(objects: str, *facts: str) -> SymbolicState:
    """`state_of("red block, red bowl", "on(red block, table)")`."""
    names = [name.strip() for name in objects.split(",")]
    categories = {name: name.split()[-1] for name in names} | {"table": "table"}
    return SymbolicState(categories, frozenset(map(Literal.parse, facts)))


@pytest.fixture
def table() -> SymbolicTable:
    """Two blocks, two bowls, a closed drawer, a lamp that is off."""
    return SymbolicTable(
        state_of(
            "red block, blue block, red bowl, blue bowl, drawer, button, lamp",
            "on(red block, table)",
            "on(blue block, table)",
        )
    )


@pytest.fixture
def bench(table: SymbolicTable) -> Callable[..., Bench]:
    """`bench("in(red block, red bowl)", ask=…)` on the table of this test."""

    def make(goal: str | None, **changes: Any) -> Bench:
        return Bench(table, Goal.parse(goal) if goal else None, **changes)

    return make


@pytest.fixture
def mishaps() -> dict[str, Any]:
    """The mishaps by name, for tests that cannot import this file."""
    return {"nothing": nothing_happens, "ends_by": ends_by, "also": also, "Recorder": Recorder}
