"""Physics lookahead: tries calls in clones, leaves the world bit for bit as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from executor.lookahead import PhysicsLookahead, TrialNoise
from robots.tabletop.interventions import SetGripForce
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from skills.library import SkillLibrary
from skills.skill import SkillCall, SkillCallError
from world_model.prediction import Affordance
from world_model.scene import Scene
from world_model.true_state import true_state

LIBRARY = SkillLibrary()
SPEC = SceneSpec(
    objects=("red block", "blue block", "blue bowl", "drawer"),
    relations=("in(blue block, drawer)",),
    positions={"red block": (0.45, -0.10), "blue bowl": (0.45, -0.30)},
)


def call(text: str) -> SkillCall:
    return SkillCall.parse(text)


@pytest.fixture
def world() -> Iterator[TabletopWorld]:
    with TabletopWorld(SPEC, 0) as built:
        yield built


def carry_out(world: TabletopWorld, text: str) -> None:
    skill = LIBRARY.skill(call(text).skill)
    for _ in range(skill.time_limit_steps):
        action = skill.expert(world.physical_state(), call(text).arguments)
        if action.terminate:
            return
        world.step(action)


def test_easy_call_is_likely_and_impossible_one_is_not(world: TabletopWorld) -> None:
    lookahead: Affordance = PhysicsLookahead(world, LIBRARY, trials=3)
    scene = Scene.from_symbolic(true_state(world))
    assert lookahead.success_probability(call("pick(red block)"), scene) >= 2 / 3
    assert lookahead.success_probability(call("pick(blue block)"), scene) == 0.0, "the drawer is closed"
    assert "oracle" in lookahead.name


def test_world_and_its_future_stay_bit_identical(world: TabletopWorld) -> None:
    with TabletopWorld.restore(world.snapshot()) as untouched:
        before = world.physical_state()
        PhysicsLookahead(world, LIBRARY, trials=2).estimate(call("pick(red block)"))
        assert world.physical_state() == before
        for one in (world, untouched):
            carry_out(one, "pick(red block)")
        assert world.physical_state() == untouched.physical_state()


def test_mid_grasp_lookahead_knows_what_is_held(world: TabletopWorld) -> None:
    carry_out(world, "pick(red block)")
    estimate = PhysicsLookahead(world, LIBRARY, trials=3).estimate(call("place_in(blue bowl)"))
    assert estimate.k >= 2
    assert estimate.wilson95[0] < estimate.k / estimate.n <= estimate.wilson95[1]


def test_weak_fingers_make_a_grasp_unlikely(world: TabletopWorld) -> None:
    world.intervene(SetGripForce(0.05))
    assert PhysicsLookahead(world, LIBRARY, trials=3).estimate(call("pick(red block)")).k == 0


def test_estimate_is_a_function_of_world_call_and_seed(world: TabletopWorld) -> None:
    coarse = TrialNoise(action_m=0.02, pose_m=0.02)

    def outcomes(seed: int) -> int:
        return PhysicsLookahead(world, LIBRARY, trials=4, noise=coarse, seed=seed).estimate(call("pick(red block)")).k

    assert outcomes(1) == outcomes(1)


def test_call_that_does_not_fit_the_scene_is_refused(world: TabletopWorld) -> None:
    scene = Scene.from_symbolic(true_state(world))
    with pytest.raises(SkillCallError, match="no object 'pink block'"):
        PhysicsLookahead(world, LIBRARY).success_probability(call("pick(pink block)"), scene)


def test_no_trials_is_refused(world: TabletopWorld) -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        PhysicsLookahead(world, LIBRARY, trials=0)


@pytest.mark.slow
def test_worker_processes_give_the_same_estimate(world: TabletopWorld) -> None:
    coarse = TrialNoise(action_m=0.02, pose_m=0.02)
    alone = PhysicsLookahead(world, LIBRARY, trials=2, noise=coarse).estimate(call("pick(red block)"))
    with PhysicsLookahead(world, LIBRARY, trials=2, noise=coarse, workers=2) as shared:
        assert shared.estimate(call("pick(red block)")) == alone
