"""PhysicsLookahead: tries a skill call in clones of the simulation and says how often it works.

SayCan's affordance (arXiv 2204.01691) from a simulator instead of a value function. Privileged: it starts from the
true state of the world, so whatever plans by it is labelled `oracle`. The world itself is not touched.
Not for: symbolic effects (world_model.prediction).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from types import TracebackType
from typing import TypeAlias

from executor.policies.expert import ExpertPolicy
from executor.policy import Policy
from executor.skill_executor import SkillExecutor
from robots.physical_state import ObjectState, PhysicalState
from robots.robot import Action, Observation, Vector3
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.snapshots import WorldSnapshot
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.library import SkillLibrary
from skills.rates import Rate
from skills.skill import SkillCall
from world_model.scene import Scene
from world_model.true_state import SETTLING_S

PolicyMaker: TypeAlias = Callable[[SkillLibrary, Callable[[], PhysicalState]], Policy]
"""Builds the policy that drives a clone, from the library and the (perturbed) state of that clone."""


@dataclass(frozen=True)
class TrialNoise:
    """What makes trials differ: standard deviations of normal noise.

    action_m, action_rad: added to every action. pose_m: where the policy takes each block to be, drawn once a trial.
    """

    action_m: float = 0.004
    action_rad: float = 0.02
    pose_m: float = 0.003


@dataclass(frozen=True)
class _Trial:
    """All that one trial depends on, so that it gives the same anywhere."""

    snapshot: WorldSnapshot
    call: SkillCall
    library: SkillLibrary
    noise: TrialNoise
    make_policy: PolicyMaker
    seed: str


class PhysicsLookahead:
    """An Affordance that plays the call forward. Same world, call and seed: the same estimate.

    trials: clones tried for each estimate. workers: processes that share them, 1 for none but this one; with more, use
    it as a context manager, and mind that a library with users' skill files cannot be sent to them.
    """

    name = "physics lookahead (oracle)"

    def __init__(
        self,
        world: TabletopWorld,
        library: SkillLibrary,
        *,
        trials: int = 8,
        noise: TrialNoise = TrialNoise(),
        make_policy: PolicyMaker = ExpertPolicy,
        seed: int = 0,
        workers: int = 1,
    ) -> None:
        if trials < 1:
            raise ValueError(f"at least one trial is needed, got {trials}")
        self._world, self._library, self._trials = world, library, trials
        self._noise, self._make_policy, self._seed = noise, make_policy, seed
        self._pool = ProcessPoolExecutor(workers, get_context("spawn")) if workers > 1 else None

    def success_probability(self, call: SkillCall, scene: Scene) -> float:
        """Share of trials that succeeded. `scene` only says which objects may be named.

        Raises SkillCallError where the call does not fit library or scene.
        """
        self._library.check_call(call, scene.objects)
        return self.estimate(call).rate or 0.0

    def estimate(self, call: SkillCall) -> Rate:
        """Successes of all trials with Wilson's interval; success is the call's own success literals, settled."""
        snapshot = self._world.snapshot()
        trials = [
            _Trial(snapshot, call, self._library, self._noise, self._make_policy, f"{self._seed}/{call}/{k}")
            for k in range(self._trials)
        ]
        outcomes = list(self._pool.map(_succeeds, trials)) if self._pool else [_succeeds(trial) for trial in trials]
        return Rate.of(sum(outcomes), len(outcomes))

    def close(self) -> None:
        """End the worker processes, if there are any."""
        if self._pool is not None:
            self._pool.shutdown()

    def __enter__(self) -> PhysicsLookahead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _succeeds(trial: _Trial) -> bool:
    rng = random.Random(trial.seed)
    skill = trial.library.skill(trial.call.skill)
    with TabletopWorld.restore(trial.snapshot) as clone:
        before = symbolic_of(clone.physical_state(), trial.library.predicates)
        wanted = skill.success_of(trial.call.arguments, before)
        believed = partial(_perturbed, clone, _pose_errors(clone, trial.noise.pose_m, rng))
        policy = _NoisyPolicy(trial.make_policy(trial.library, believed), trial.noise, rng)
        SkillExecutor(TabletopRobot(clone, cameras=policy.cameras), policy).run(skill, trial.call)
        clone.settle(SETTLING_S)
        after = symbolic_of(clone.physical_state(), trial.library.predicates)
    return all(after.holds(literal) is True for literal in wanted)


def _pose_errors(world: TabletopWorld, sigma_m: float, rng: random.Random) -> dict[str, Vector3]:
    """How far each block is taken to be from where it is; what is held is known by touch."""
    state = world.physical_state()
    blocks = [name for name, thing in state.objects.items() if thing.category == "block" and name != state.hand.held]
    return {name: (rng.gauss(0.0, sigma_m), rng.gauss(0.0, sigma_m), 0.0) for name in sorted(blocks)}


def _perturbed(world: TabletopWorld, errors: dict[str, Vector3]) -> PhysicalState:
    state = world.physical_state()
    off = {name: error for name, error in errors.items() if name != state.hand.held}
    moved = {name: _shifted(state.objects[name], error) for name, error in off.items() if name in state.objects}
    return replace(state, objects={**state.objects, **moved})


def _shifted(thing: ObjectState, offset: Vector3) -> ObjectState:
    x, y, z = (p + o for p, o in zip(thing.position_m, offset, strict=True))
    return replace(thing, position_m=(x, y, z))


class _NoisyPolicy:
    """A policy whose hand shakes."""

    def __init__(self, policy: Policy, noise: TrialNoise, rng: random.Random) -> None:
        self._policy, self._noise, self._rng = policy, noise, rng
        self.name, self.cameras = policy.name, policy.cameras

    def begin(self, call: SkillCall, sentence: str) -> None:
        self._policy.begin(call, sentence)

    def act(self, observation: Observation) -> Sequence[Action]:
        return tuple(action if action.terminate else self._shaken(action) for action in self._policy.act(observation))

    def _shaken(self, action: Action) -> Action:
        return replace(
            action,
            world_vector=self._jitter(action.world_vector, self._noise.action_m),
            rotation_delta=self._jitter(action.rotation_delta, self._noise.action_rad),
        )

    def _jitter(self, vector: Vector3, sigma: float) -> Vector3:
        x, y, z = (value + self._rng.gauss(0.0, sigma) for value in vector)
        return (x, y, z)
