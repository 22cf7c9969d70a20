"""The words of recovery: rungs, budgets, the situation that is decided on and the decision.

Not for: deciding (planner.recovery).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from planner.planner import Question
from skills.goal import Goal
from skills.skill_graph import SkillGraph
from skills.symbolic_state import SymbolicState
from world_model.results import StepResult
from world_model.scene import Scene


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


class Spent(BaseModel):
    """What was used of the budgets so far; retries and looks by step path."""

    model_config = ConfigDict(extra="forbid")

    retries: dict[str, int] = {}
    looks: dict[str, int] = {}
    repairs: int = 0
    replans: int = 0
    barren_replans: int = 0
    questions: int = 0


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
    """The rung taken and why in words; graph with REPAIR, question with ASK. planner.recovery says what to do."""

    rung: Rung
    reason: str
    graph: SkillGraph | None = None
    question: Question | None = None
    judge_again: bool = False
    impossible: bool = False
