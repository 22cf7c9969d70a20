"""Skill evaluation: a VLA's policy carries out one case from images alone, and its end is held against the truth.

Success is the skill's success literals on the settled true state, of a run that the policy itself ended in time.
Not for: which cases there are (executor.evaluation_cases), tables and files (forehand.studies.skills_from_images).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

from executor.evaluation_cases import Case, Posed, Split, pose
from executor.lock_step import Asking, asking
from executor.policies.rt2 import VLAPolicy
from executor.skill_executor import SkillExecutor
from robots.physical_state import PhysicalState
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.world import TabletopWorld
from rt2.errors import PromptError
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState
from skills.trial_scenes import symbolic
from world_model.results import EndedBy, SkillRun

SETTLE_S = 2.0
MOVED_M = 0.03  # a block that went farther was moved by the robot
STAYED_M = 0.01
DEVICE_FACTS = ("open", "lit")

PolicyMaker: TypeAlias = Callable[[Posed], VLAPolicy]
OnWorldStep: TypeAlias = Callable[[TabletopWorld], None]


class Episode(BaseModel):
    """What became of one case.

    succeeded: of a sentence that asks for nothing: nothing happened. wrong_object: in words, what was done to another
    object than the one named; None where nothing was. unmet: success literals that do not hold. steps: control steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Split
    skill: str
    seed: int
    variant: str
    world_seed: int
    call: str
    sentence: str
    succeeded: bool
    ended_by: str
    detail: str
    steps: int
    unmet: tuple[str, ...]
    wrong_object: str | None
    wall_s: float

    @property
    def reason(self) -> str:
        """Why it failed, in a few words; empty where it did not."""
        if self.succeeded:
            return ""
        if self.wrong_object:
            return "wrong object"
        if self.ended_by != EndedBy.TERMINATED:
            return self.ended_by.replace("_", " ")
        return "ended without " + ", ".join(sorted({text.split("(")[0] for text in self.unmet}))


@dataclass(frozen=True)
class SkillEvaluation:
    """Runs cases. make_policy: a fresh policy for each; on_world_step: told of the world after every control step."""

    make_policy: PolicyMaker
    library: SkillLibrary = field(default_factory=SkillLibrary)
    on_world_step: OnWorldStep | None = None

    def episode(self, case: Case) -> Asking[Episode]:
        """The case from setting up to judging; asks the VLA on the way."""
        started = time.monotonic()
        posed = pose(case, self.library)
        with posed.world as world:
            start = world.physical_state()
            run = yield from self._drive(posed)
            world.settle(SETTLE_S)
            end, after = world.physical_state(), symbolic(world, self.library)
        unmet, wrong = _judged(posed, self.library, after, _moved(start, end))
        of_its_own = run.ended_by is EndedBy.TERMINATED or (posed.call is None and not _broke(run))
        return Episode(
            split=case.split,
            skill=case.skill,
            seed=case.seed,
            variant=posed.variant,
            world_seed=posed.world_seed,
            call=str(posed.call or posed.scene_call),
            sentence=posed.sentence,
            succeeded=of_its_own and not unmet,
            ended_by=run.ended_by.value,
            detail=run.detail,
            steps=run.control_steps,
            unmet=unmet,
            wrong_object=wrong,
            wall_s=round(time.monotonic() - started, 3),
        )

    def _drive(self, posed: Posed) -> Asking[SkillRun]:
        policy, call = self.make_policy(posed), posed.call or posed.scene_call
        robot = TabletopRobot(posed.world, cameras=policy.cameras, image_size=policy.image_sizes)
        watch = self.on_world_step
        attempt = SkillExecutor(robot, policy).attempt(
            self.library.skill(call.skill),
            call,
            sentence=posed.sentence,
            on_control_step=None if watch is None else lambda _step: watch(posed.world),
        )
        return (yield from asking(attempt, policy))


def _broke(run: SkillRun) -> bool:
    """Whether an error ended it, other than the policy's that this is no sentence to act on."""
    return run.ended_by is EndedBy.ERROR and PromptError.__name__ not in run.detail


def _judged(
    posed: Posed, library: SkillLibrary, after: SymbolicState, moved: dict[str, float]
) -> tuple[tuple[str, ...], str | None]:
    """What is missing from success, and what was done to another object."""
    if posed.call is None:
        changed = sorted(str(fact) for fact in posed.before.facts ^ after.facts)
        return tuple(changed + [f"moved({name})" for name, far_m in moved.items() if far_m > MOVED_M]), None
    wanted = library.skill(posed.call.skill).success_of(posed.call.arguments, posed.before)
    unmet = tuple(str(goal) for goal in wanted if not after.holds(goal))
    return unmet, wrong_object(posed.call, wanted, posed.before, after, moved) if unmet else None


def wrong_object(
    call: SkillCall,
    wanted: tuple[Literal, ...],
    before: SymbolicState,
    after: SymbolicState,
    moved: dict[str, float],
) -> str | None:
    """In words, what a failed call did to something that it does not name; None where it did no such thing.

    moved: metres that each block went.
    """
    new = sorted(after.facts - before.facts, key=str)
    for goal in wanted:
        if not goal.negated and not after.holds(goal):
            for fact in new:
                if _differs_in_an_object(fact, goal, after):
                    return str(fact)
    own = {*call.arguments, before.held}
    for fact in sorted(after.facts ^ before.facts, key=str):
        if fact.predicate in DEVICE_FACTS and all(fact.arguments != goal.arguments for goal in wanted):
            return f"changed {fact}"
    target_stayed = all(moved.get(name, 0.0) < STAYED_M for name in call.arguments)
    others = [name for name, far_m in moved.items() if far_m > MOVED_M and name not in own]
    return f"moved {others[0]}" if others and target_stayed and before.held is None else None


def _differs_in_an_object(fact: Literal, goal: Literal, state: SymbolicState) -> bool:
    """Whether the fact is the goal with other objects in it. What lies on the table merely missed its place."""
    if fact.predicate != goal.predicate or len(fact.arguments) != len(goal.arguments):
        return False
    swapped = [(a, b) for a, b in zip(fact.arguments, goal.arguments, strict=True) if a != b]
    return bool(swapped) and all(a in state.objects and b in state.objects and a != "table" for a, b in swapped)


def _moved(start: PhysicalState, end: PhysicalState) -> dict[str, float]:
    """Metres that each block went."""
    blocks = (name for name, thing in end.objects.items() if thing.category == "block" and name in start.objects)
    return {name: math.dist(end.objects[name].position_m, start.objects[name].position_m) for name in blocks}
