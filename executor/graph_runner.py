"""GraphRunner: keeps the book of a skill graph: what may run now, what came of it, what a recovery put in its place.

It drives nothing: the agent asks `ready()`, runs one of those, and hands in `record(StepResult)`.
Not for: carrying out a skill (executor.skill_executor) or choosing a recovery (planner.recovery).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from executor.graph_state import GraphState, StepStatus, join, split
from skills.hand_blocks import hand_blocks
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from skills.skill_graph import BranchStep, CallStep, RepeatStep, SkillGraph, SubGraphStep
from world_model.results import StepResult, VerdictStatus

Holds: TypeAlias = Callable[[Literal], bool | None]
"""What is believed of a literal now; None: cannot tell."""


@dataclass(frozen=True)
class ReadyStep:
    """A skill call that may start now. attempt counts from 1."""

    path: str
    call: SkillCall
    attempt: int


@dataclass(frozen=True)
class Stuck:
    """A repeat that is out of rounds, and why that is not the end wanted, in words."""

    path: str
    reason: str


class GraphRunner:
    """A validated graph on its way. `holds` answers the conditions of branches and repeats, when their turn comes."""

    def __init__(self, graph: SkillGraph, library: SkillLibrary, holds: Holds) -> None:
        self._state = GraphState({})
        self._state.open_level("", graph)
        self._library, self._holds = library, holds
        self._stuck: dict[str, str] = {}
        self._decisions: list[str] = []

    @classmethod
    def restored(cls, snapshot: Any, library: SkillLibrary, holds: Holds) -> GraphRunner:
        """From what `snapshot` returned. A step that was running is ready again: its attempt was abandoned.

        Raises pydantic.ValidationError.
        """
        runner = cls(SkillGraph(), library, holds)
        runner._state = GraphState.from_json(snapshot)
        for path, status in runner._state.statuses.items():
            if status is StepStatus.RUNNING and isinstance(runner._state.step(path), CallStep):
                runner._state.statuses[path] = StepStatus.PENDING
        return runner

    def snapshot(self) -> dict[str, Any]:
        """JSON-ready."""
        return self._state.to_json()

    @property
    def graph(self) -> SkillGraph:
        """The graph as it now stands: spliced repairs, replacements, rounds begun."""
        return self._state.drawn()

    @property
    def statuses(self) -> Mapping[str, StepStatus]:
        """Status of each step in use by its full path ("sort/3/pick"), rounds of repeats ("sort/3") included."""
        return self._state.all_statuses()

    @property
    def done(self) -> bool:
        return self._state.complete(self._state.active)

    @property
    def stuck(self) -> tuple[Stuck, ...]:
        """Repeats that the last `ready()` found without success and out of rounds."""
        return tuple(Stuck(path, reason) for path, reason in self._stuck.items())

    @property
    def decisions(self) -> tuple[str, ...]:
        """What the last `ready()` decided of branches and repeats, in words."""
        return tuple(self._decisions)

    def ready(self) -> tuple[ReadyStep, ...]:
        """The calls that may start now, in the graph's order. Decides branches and repeats whose turn has come."""
        self._stuck.clear()
        self._decisions.clear()
        active = self._state.active
        found = self._ready_in(active)
        if active and self._state.complete(active):
            self._state.statuses[active] = StepStatus.SUCCEEDED
        return tuple(found)

    def start(self, path: str) -> int:
        """Marks a step running; returns the number of this attempt."""
        self._state.statuses[path] = StepStatus.RUNNING
        return self._state.attempts.get(path, 0) + 1

    def record(self, result: StepResult) -> None:
        """Takes in a verdict: succeeded is succeeded; failed and unsure both wait for a recovery."""
        self._state.step(result.step_id)
        self._state.attempts[result.step_id] = result.attempt
        succeeded = result.verdict.status is VerdictStatus.SUCCEEDED
        self._state.statuses[result.step_id] = StepStatus.SUCCEEDED if succeeded else StepStatus.FAILED

    def accept(self, path: str) -> None:
        """Goes on as if the step had succeeded (verdict unsure, or nobody judges)."""
        self._state.step(path)
        self._state.statuses[path] = StepStatus.SUCCEEDED

    def retry(self, path: str) -> None:
        """The step may start once more."""
        self._state.step(path)
        self._state.statuses[path] = StepStatus.PENDING

    def splice(self, path: str, repair: SkillGraph) -> str:
        """Puts a graph in front of a step, which then runs once more; the rest is kept. Returns the repair's path."""
        level, name = split(path)
        step = self._state.step(path)
        taken = {s.id for s in self._state.levels[level].steps}
        repair_id = _free_id(f"{name}-repair", taken)
        before = SubGraphStep(id=repair_id, after=step.after, graph=repair)
        after = step.model_copy(update={"after": (repair_id,)})
        steps = [s for old in self._state.levels[level].steps for s in ((before, after) if old is step else (old,))]
        graph = self._state.levels[level].model_copy(update={"steps": tuple(steps)})
        self._state.open_level(level, graph)
        self._state.statuses[path] = StepStatus.PENDING
        return join(level, repair_id)

    def replace(self, graph: SkillGraph) -> str:
        """Runs another graph instead. What was done is kept, what was not is skipped. Returns the new graph's path."""
        for path, status in self._state.statuses.items():
            if status not in (StepStatus.SUCCEEDED, StepStatus.FAILED):
                self._state.statuses[path] = StepStatus.SKIPPED
        root = self._state.levels[""]
        new = SubGraphStep(id=_free_id("replan", {s.id for s in root.steps}), graph=graph)
        self._state.open_level("", root.model_copy(update={"steps": (*root.steps, new)}))
        self._state.statuses[new.id] = StepStatus.RUNNING
        self._state.open_level(new.id, graph)
        self._state.active = new.id
        return new.id

    def _ready_in(self, level: str) -> list[ReadyStep]:
        """Ready calls of one level. Repeats until nothing is decided any more: an empty arm frees its successors."""
        while True:
            settled_before = self._settled(level)
            found = [ready for path in self._free_paths(level) for ready in self._advance(path)]
            if self._settled(level) == settled_before:
                return found

    def _settled(self, level: str) -> int:
        return sum(self._state.statuses[join(level, s.id)].settled for s in self._state.levels[level].steps)

    def _free_paths(self, level: str) -> list[str]:
        """Steps with nothing before them to wait for, minus those that must wait until the hand is free again."""
        status = self._state.statuses
        free = [
            join(level, step.id)
            for step in self._state.levels[level].steps
            if not status[join(level, step.id)].settled and all(status[join(level, a)].settled for a in step.after)
        ]
        block = self._open_block(level)
        return free if block is None else [path for path in free if path in block]

    def _open_block(self, level: str) -> tuple[str, ...] | None:
        """The steps of this level that a block begun and not yet through, here or further in, belongs to."""
        for group in hand_blocks(self._state.levels[level], self._library):
            members = tuple(join(level, step_id) for step_id in group)
            open_ = not all(self._state.statuses[m].settled for m in members)
            if open_ and len(members) > 1 and any(self._touched(m) for m in members):
                return members
            inner = [self._running_level(m) for m in members if not self._state.statuses[m].settled]
            if any(i is not None and self._open_block(i) is not None for i in inner):
                return members
        return None

    def _touched(self, path: str) -> bool:
        """A call at or under this path runs or has succeeded."""
        return any(
            status in (StepStatus.SUCCEEDED, StepStatus.RUNNING) and isinstance(self._state.step(p), CallStep)
            for p, status in self._state.statuses.items()
            if p == path or p.startswith(f"{path}/")
        )

    def _running_level(self, path: str) -> str | None:
        """The level within a composite step that is in use now."""
        rounds = self._state.rounds(path)
        candidates = (path, join(path, "then"), join(path, "else"), join(path, str(rounds)))
        return next((level for level in candidates if level in self._state.levels), None)

    def _advance(self, path: str) -> list[ReadyStep]:
        """Takes a free step as far as it goes without a robot; the calls that are ready in it."""
        step, status = self._state.step(path), self._state.statuses
        if isinstance(step, CallStep):
            if status[path] in (StepStatus.RUNNING, StepStatus.FAILED):
                return []
            status[path] = StepStatus.READY
            return [ReadyStep(path, step.do, self._state.attempts.get(path, 0) + 1)]
        while (inner := self._inner(path, step)) is not None:
            status[path] = StepStatus.RUNNING
            found = self._ready_in(inner)
            if found or not self._state.complete(inner):
                return found
            if not isinstance(step, RepeatStep):  # a repeat looks at its next round
                status[path] = StepStatus.SUCCEEDED
                break
        return []

    def _inner(self, path: str, step: BranchStep | RepeatStep | SubGraphStep) -> str | None:
        """The level within the step that runs now; None where there is none any more."""
        match step:
            case BranchStep():
                return self._arm(path, step)
            case RepeatStep():
                return self._round(path, step)
            case SubGraphStep():
                if path not in self._state.levels:
                    self._state.open_level(path, step.graph)
                return path

    def _arm(self, path: str, step: BranchStep) -> str:
        """The level of the arm taken; decided once, when the step's turn comes. Cannot tell takes `else`."""
        for name in ("then", "else"):
            if join(path, name) in self._state.levels:
                return join(path, name)
        truth = self._holds(step.condition)
        arm = "then" if truth else "else"
        finding = f"cannot tell whether {step.condition}"
        if truth is not None:
            finding = f"{step.condition} {'holds' if truth else 'does not hold'}"
        self._decisions.append(f"{path}: {finding}: {arm}")
        self._state.open_level(join(path, arm), step.then if truth else step.otherwise)
        return join(path, arm)

    def _round(self, path: str, step: RepeatStep) -> str | None:
        """The level of the round that runs. Before each the literal is asked; cannot tell counts as not yet."""
        begun = self._state.rounds(path)
        if begun and not self._state.complete(join(path, str(begun))):
            return join(path, str(begun))
        wanted = step.until
        if (wanted is not None and self._holds(wanted) is True) or (wanted is None and begun >= (step.at_most or 0)):
            self._decisions.append(f"{path}: done after {begun} rounds")
            self._state.statuses[path] = StepStatus.SUCCEEDED
            return None
        if begun >= (step.at_most or 0):
            self._give_up(path, f"{wanted} does not hold after {begun} rounds")
            return None
        self._decisions.append(f"{path}: round {begun + 1}")
        self._state.open_level(join(path, str(begun + 1)), step.body)
        return join(path, str(begun + 1))

    def _give_up(self, path: str, reason: str) -> None:
        self._state.statuses[path] = StepStatus.FAILED
        self._stuck[path] = reason


def _free_id(stem: str, taken: set[str]) -> str:
    number = 1
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"
