"""RunState: what the loop itself remembers of a run between two boundaries; all of it goes into a snapshot.

Belief, world, robot and ladder keep their own and are gathered beside it (forehand.assembly).
Not for: what happened (forehand.events).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from executor.graph_runner import GraphRunner, Holds
from forehand.events import Outcome
from planner.planner import Plan
from skills.goal import Goal, GoalBranch
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.reasons import why_not
from skills.symbolic_state import SymbolicState
from world_model.results import StepResult

RESULTS = TypeAdapter(tuple[StepResult, ...])


@dataclass(frozen=True)
class Task:
    """What one run is asked. goal: given directly by a person, else the planner finds it. most_steps: attempts in all.

    closed_loop=False runs the graph once and looks at no verdict.
    """

    instruction: str
    goal: Goal | None = None
    closed_loop: bool = True
    most_steps: int = 200


@dataclass(frozen=True)
class Ending:
    """How a run ends, and why in words."""

    outcome: Outcome
    reason: str


@dataclass
class RunState:
    """runner: the graph on its way; None before the first plan. plan_wanted: think (again) before the next step.

    believed, truth: symbolic states at the skill boundaries, the first from before anything moved. truth stays empty
    where there is no simulator to ask.
    """

    goal: Goal | None = None
    runner: GraphRunner | None = None
    plan_wanted: bool = True
    history: list[StepResult] = field(default_factory=list)
    answers: list[tuple[str, str]] = field(default_factory=list)
    focus: tuple[str, ...] = ()
    believed: list[SymbolicState] = field(default_factory=list)
    truth: list[SymbolicState] = field(default_factory=list)

    def take_up(self, plan: Plan, library: SkillLibrary, holds: Holds) -> GraphRunner:
        """The plan's graph is what runs from now on. The first plan's goal stays the goal."""
        if self.goal is None:
            self.goal = plan.goal
        if self.runner is None:
            self.runner = GraphRunner(plan.graph, library, holds)
        else:
            self.runner.replace(plan.graph)
        self.focus = plan.focus or self.focus
        self.plan_wanted = False
        return self.runner

    @property
    def pursued(self) -> Goal | None:
        """The goal, its branches settled by what is known of the start by now: what to replan for."""
        if self.goal is None or not self.believed:
            return self.goal
        goal = self.goal
        for branch in self.goal.branches:
            known = (s.holds(branch.condition) for s in self.believed)  # nothing moved it before it was first seen
            truth = next((t for t in known if t is not None), None)
            if truth is not None:
                goal = _settled(goal, branch, branch.then if truth else branch.otherwise)
        return goal

    def unmet(self, now: SymbolicState) -> tuple[str, ...]:
        """What the goal still wants, in words; empty where it is believed to be reached."""
        goal = self.pursued
        if goal is None:
            return ()
        start = self.believed[0] if self.believed else now
        missing = goal.unmet(now, start)
        if missing:
            return tuple(f"{literal}: {why_not(literal, now)}" for literal in missing)
        if now.held is not None and not any(lit.predicate == "holding" for s in goal.end_states(start) for lit in s):
            return (f"hand_empty(): {why_not(Literal('hand_empty'), now)}",)
        if not goal.reached([*self.believed, now]):
            return tuple(f"{first} was to become true before {second}" for first, second in goal.order)
        return ()

    def to_json(self) -> dict[str, Any]:
        record = _Record(
            goal=self.goal,
            graph=self.runner.snapshot() if self.runner is not None else None,
            plan_wanted=self.plan_wanted,
            history=RESULTS.dump_python(tuple(self.history), mode="json"),
            answers=self.answers,
            focus=self.focus,
            believed=[_written(state) for state in self.believed],
            truth=[_written(state) for state in self.truth],
        )
        return record.model_dump(mode="json", by_alias=True)

    @classmethod
    def from_json(cls, data: Any, library: SkillLibrary, holds: Holds) -> RunState:
        """Raises pydantic.ValidationError where `data` is not what `to_json` wrote."""
        record = _Record.model_validate(data)
        return cls(
            goal=record.goal,
            runner=GraphRunner.restored(record.graph, library, holds) if record.graph is not None else None,
            plan_wanted=record.plan_wanted,
            history=list(RESULTS.validate_python(record.history)),
            answers=record.answers,
            focus=record.focus,
            believed=[_read(state) for state in record.believed],
            truth=[_read(state) for state in record.truth],
        )


def _settled(goal: Goal, branch: GoalBranch, wanted: tuple[Literal, ...]) -> Goal:
    """The goal with the branch's arm among its literals, and among those of each alternative."""
    return Goal(
        literals=(*goal.literals, *wanted),
        alternatives=tuple((*alternative, *wanted) for alternative in goal.alternatives),
        order=goal.order,
        branches=tuple(b for b in goal.branches if b != branch),
    )


class _StateRecord(BaseModel):
    model_config = ConfigDict(extra="forbid")

    objects: dict[str, str]
    facts: list[str]
    hidden: list[str]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    goal: Goal | None
    graph: dict[str, Any] | None
    plan_wanted: bool
    history: Any
    answers: list[tuple[str, str]]
    focus: tuple[str, ...]
    believed: list[_StateRecord]
    truth: list[_StateRecord]


def _written(state: SymbolicState) -> _StateRecord:
    facts = sorted(str(fact) for fact in state.facts)
    return _StateRecord(objects=dict(state.objects), facts=facts, hidden=sorted(state.hidden))


def _read(record: _StateRecord) -> SymbolicState:
    return SymbolicState(record.objects, frozenset(map(Literal.parse, record.facts)), frozenset(record.hidden))
