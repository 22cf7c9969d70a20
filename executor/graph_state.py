"""GraphState: how far a skill graph has got, as plain data: levels, statuses, attempts; saved and restored as JSON.

A level is one SkillGraph in use: the root "", an arm taken ("check/then"), a round of a repeat ("sort/3"), a
sub-graph ("tidy"). A step's path is its level and its id: "sort/3/pick".
Not for: deciding what runs next (executor.graph_runner).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from skills.skill_graph import BranchStep, CallStep, RepeatStep, SkillGraph, Step, SubGraphStep


class StepStatus(StrEnum):
    """PENDING waits for others; READY may start; FAILED waits for a recovery; SKIPPED will not run any more."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def settled(self) -> bool:
        """Steps that come after this one may go ahead."""
        return self in (StepStatus.SUCCEEDED, StepStatus.SKIPPED)


def join(level: str, name: str) -> str:
    return f"{level}/{name}" if level else name


def split(path: str) -> tuple[str, str]:
    """The level and the id of a step's path."""
    level, _, name = path.rpartition("/")
    return level, name


@dataclass
class GraphState:
    """levels: graph by level path. statuses: by step path, of the levels in use. attempts: recorded ones by path.

    active: the level that runs; steps outside it belong to a graph that was replaced.
    """

    levels: dict[str, SkillGraph]
    statuses: dict[str, StepStatus] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    active: str = ""

    def open_level(self, level: str, graph: SkillGraph) -> None:
        """Starts to use a graph; its steps are pending until something else is known."""
        self.levels[level] = graph
        for step in graph.steps:
            self.statuses.setdefault(join(level, step.id), StepStatus.PENDING)

    def complete(self, level: str) -> bool:
        return all(self.statuses[join(level, step.id)].settled for step in self.levels[level].steps)

    def rounds(self, path: str) -> int:
        """Rounds begun of the repeat at `path`."""
        count = 0
        while join(path, str(count + 1)) in self.levels:
            count += 1
        return count

    def step(self, path: str) -> Step:
        """Raises KeyError where nothing in use has that path."""
        level, name = split(path)
        found = next((s for s in self.levels[level].steps if s.id == name), None) if level in self.levels else None
        if found is None:
            raise KeyError(f"no step '{path}' in use; have: {', '.join(self.statuses)}")
        return found

    def all_statuses(self) -> dict[str, StepStatus]:
        """One status for each node of `drawn()`'s levels in use; a round of a repeat runs until it is complete."""
        rounds = {
            join(path, str(k)): StepStatus.SUCCEEDED if self.complete(join(path, str(k))) else status
            for path, status in self.statuses.items()
            for k in range(1, self.rounds(path) + 1)
        }
        return {**self.statuses, **rounds}

    def drawn(self, level: str = "") -> SkillGraph:
        """The graph as it stands, splices and replacements included, one node for each path in `statuses`."""
        graph = self.levels[level]
        steps = tuple(self._drawn_step(step, join(level, step.id)) for step in graph.steps)
        return graph.model_copy(update={"steps": steps})

    def _drawn_step(self, step: Step, path: str) -> Step:
        match step:
            case BranchStep():
                arms = {"then": step.then, "otherwise": step.otherwise}
                for name, arm in (("then", "then"), ("else", "otherwise")):
                    if join(path, name) in self.levels:
                        arms[arm] = self.drawn(join(path, name))
                return step.model_copy(update=arms)
            case RepeatStep() if self.rounds(path):
                rounds = [
                    SubGraphStep(id=str(k), after=(str(k - 1),) if k > 1 else (), graph=self.drawn(join(path, str(k))))
                    for k in range(1, self.rounds(path) + 1)
                ]
                return SubGraphStep(id=step.id, after=step.after, graph=SkillGraph(steps=tuple(rounds)))
            case SubGraphStep() if path in self.levels:
                return step.model_copy(update={"graph": self.drawn(path)})
            case CallStep() | RepeatStep() | SubGraphStep():
                return step

    def to_json(self) -> dict[str, Any]:
        record = _GraphStateRecord(
            levels=self.levels, statuses=self.statuses, attempts=self.attempts, active=self.active
        )
        return record.model_dump(mode="json", by_alias=True)

    @classmethod
    def from_json(cls, data: Any) -> GraphState:
        """Raises pydantic.ValidationError where `data` is not what `to_json` wrote."""
        record = _GraphStateRecord.model_validate(data)
        return cls(record.levels, record.statuses, record.attempts, record.active)


class _GraphStateRecord(BaseModel):
    model_config = ConfigDict(extra="forbid")

    levels: dict[str, SkillGraph]
    statuses: dict[str, StepStatus]
    attempts: dict[str, int]
    active: str
