"""Recorded skill runs: whoever drives, frames carry the expert's answer; an expert finishes what a policy cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from executor.learning.drivers import EXPERT, POLICY, NoisyExpert, Step
from executor.learning.skill_drive import LATE_STEPS, Ended, Part, SkillDrive
from robots.robot import Action
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.library import SkillLibrary
from skills.skill import SkillCall

SPEC = SceneSpec(objects=("red block", "blue bowl"), positions={"red block": (0.45, -0.05), "blue bowl": (0.5, 0.1)})


@dataclass
class Puppet:
    """Does what the expert would, but for what the test says. ends: "never", "at once" or "rightly"."""

    ends: str
    moves: bool = True
    kind: int = POLICY

    def drive(self, step: Step) -> Action:
        if self.ends == "at once" or (self.ends == "rightly" and step.expert.terminate):
            return Action(gripper=step.expert.gripper, terminate=True)
        if self.moves:
            return Action(step.expert.world_vector, step.expert.rotation_delta, step.expert.gripper)
        return Action(gripper=step.proprioception.gripper_closedness)


@dataclass(frozen=True)
class Exact:
    kind: int = EXPERT

    def drive(self, step: Step) -> Action:
        return step.expert


@pytest.fixture
def world() -> Iterator[TabletopWorld]:
    with TabletopWorld(SPEC, 1) as world:
        yield world


def drive(world: TabletopWorld, driver: Any) -> tuple[tuple[Part, ...], list[dict[str, Any]]]:
    library, call, frames = SkillLibrary(), SkillCall.parse("pick(red block)"), []
    skill = library.skill(call.skill)
    goals = skill.success_of(call.arguments, symbolic_of(world.physical_state()))
    run = SkillDrive(world, skill, call, goals, "take the red cube", frames.append)
    return run.run(driver, Exact()), frames


def test_an_expert_needs_no_rescue(world: TabletopWorld) -> None:
    parts, frames = drive(world, NoisyExpert(np.random.default_rng(0)))
    assert [(p.ended_by, p.succeeded) for p in parts] == [(Ended.TERMINATED, True)]
    assert [f["action"][0] for f in frames] == [0.0] * (len(frames) - 1) + [1.0]
    assert [f["step"] for f in frames] == list(range(len(frames)))


def test_a_policy_that_ends_rightly_has_succeeded(world: TabletopWorld) -> None:
    parts, frames = drive(world, Puppet("rightly"))
    assert [(p.kind, p.ended_by, p.succeeded) for p in parts] == [(POLICY, Ended.TERMINATED, True)]
    assert {f["driver"] for f in frames} == {POLICY}


def test_the_expert_finishes_what_a_policy_ended_too_early(world: TabletopWorld) -> None:
    parts, frames = drive(world, Puppet("at once"))
    assert [(p.kind, p.succeeded) for p in parts] == [(POLICY, False), (EXPERT, True)]
    assert frames[0]["action"][0] == 0.0, "the label of a wrong end is that it is not the end"
    assert [f["driver"] for f in frames] == [POLICY] + [EXPERT] * (len(frames) - 1)


def test_a_policy_that_never_ends_is_stopped_soon_after_it_should_have(world: TabletopWorld) -> None:
    parts, frames = drive(world, Puppet("never"))
    assert parts[0].ended_by is Ended.TOO_LATE
    assert not parts[0].succeeded
    assert sum(f["action"][0] for f in frames if f["driver"] == POLICY) == LATE_STEPS + 1


def test_a_policy_that_stands_still_is_relieved_early(world: TabletopWorld) -> None:
    parts, _ = drive(world, Puppet("never", moves=False))
    assert (parts[0].ended_by, parts[-1].succeeded) == (Ended.STUCK, True)
    assert parts[0].steps < 15
