"""The Planner protocol: instruction, scene, skills and history → a plan, a question, or "impossible"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from skills.goal import Goal
from skills.library import SkillLibrary
from skills.skill_graph import SkillGraph
from world_model.results import StepResult
from world_model.scene import Scene

Report: TypeAlias = Callable[[str, Mapping[str, Any]], None]
"""Called with an event kind and its data ("llm_call", {"tokens_in": 812, …}); planners know no event log."""


def _silent(kind: str, data: Mapping[str, Any]) -> None:
    """The report of whoever does not listen."""


@dataclass(frozen=True)
class PlanRequest:
    """What a planner is asked.

    goal: given directly by a user (then instruction may be empty), or kept from the first plan when replanning.
    history: every step tried so far in this run with its verdict, oldest first.
    answers: (question, answer) pairs of this dialogue, oldest first.
    focus: the objects last spoken of, most recent first: what "it" may mean.
    """

    instruction: str
    scene: Scene
    library: SkillLibrary
    goal: Goal | None = None
    history: tuple[StepResult, ...] = ()
    answers: tuple[tuple[str, str], ...] = ()
    focus: tuple[str, ...] = ()
    report: Report = field(default=_silent, compare=False)


@dataclass(frozen=True)
class Plan:
    """A goal and a validated graph that reaches it; reasoning is a sentence or two for the reader.

    assumed: things the graph looks for that nobody has seen (name → category). Take them up into the belief
    (`Belief.assume`) before the graph is held against a scene.
    """

    goal: Goal
    graph: SkillGraph
    reasoning: str = ""
    focus: tuple[str, ...] = ()  # objects spoken of, most recent first; kept for the next command
    assumed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """The instruction cannot be settled without the person. choices: possible answers, may be empty."""

    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Impossible:
    """No graph can reach the goal; reason says why in words."""

    reason: str
    goal: Goal | None = None


PlanOutcome: TypeAlias = Plan | Question | Impossible


class Planner(Protocol):
    """Decides what to do; never touches a robot. Raises PlannerError when an outside service fails."""

    name: str

    def plan(self, request: PlanRequest) -> PlanOutcome: ...


@runtime_checkable
class Remembers(Protocol):
    """A planner that carries something from one command to the next (a dialogue), and so has its part in snapshots."""

    def snapshot(self) -> Any:
        """JSON-ready."""
        ...

    def restore(self, data: Any) -> None:
        """Go on from what `snapshot` returned. Raises pydantic.ValidationError where `data` is none."""
        ...


@runtime_checkable
class Cancellable(Protocol):
    """A planner that waits for others, and whose wait another thread or a signal handler can end."""

    def cancel(self) -> None:
        """The `plan` under way raises PlannerError at once; the planner is of no use afterwards."""
        ...


class PlannerError(RuntimeError):
    """A planner gave up for good (replies unusable, search out of budget); the message says what to do."""


class ServiceError(PlannerError):
    """What a planner needs is not there or set up wrongly (endpoint down, prompts broken): every task would fail."""
