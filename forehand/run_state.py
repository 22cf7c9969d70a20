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
from forehand.pursuit import pursued, unmet
from planner.planner import Plan
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.state_record import StateRecord
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

    believed: symbolic states after each look that showed something new, the first from before anything moved.
    truth: true ones at the skill boundaries; empty where there is no simulator to ask.
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
        """The plan's graph is what runs from now on. The first plan's goal stays; one that wants nothing is none."""
        if self.goal is None and plan.goal != Goal():
            self.goal = plan.goal
        if self.runner is None:
            self.runner = GraphRunner(plan.graph, library, holds)
        else:
            self.runner.replace(plan.graph)
        self.focus = plan.focus or self.focus
        self.plan_wanted = False
        return self.runner

    def believe(self, now: SymbolicState) -> None:
        """A look showed this."""
        if not self.believed or self.believed[-1] != now:
            self.believed.append(now)

    @property
    def pursued(self) -> Goal | None:
        """What to plan for from here; None before the first plan."""
        return pursued(self.goal, self.believed) if self.goal is not None else None

    def unmet(self) -> tuple[str, ...]:
        """What is still wanted by what is believed now, in words; empty: the goal is reached."""
        return unmet(self.goal, self.believed) if self.goal is not None else ()

    def to_json(self) -> dict[str, Any]:
        record = _Record(
            goal=self.goal,
            graph=self.runner.snapshot() if self.runner is not None else None,
            plan_wanted=self.plan_wanted,
            history=RESULTS.dump_python(tuple(self.history), mode="json"),
            answers=self.answers,
            focus=self.focus,
            believed=[StateRecord.of(state) for state in self.believed],
            truth=[StateRecord.of(state) for state in self.truth],
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
            believed=[state.state() for state in record.believed],
            truth=[state.state() for state in record.truth],
        )


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    goal: Goal | None
    graph: dict[str, Any] | None
    plan_wanted: bool
    history: Any
    answers: list[tuple[str, str]]
    focus: tuple[str, ...]
    believed: list[StateRecord]
    truth: list[StateRecord]
