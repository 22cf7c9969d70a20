"""Judged cases: carries out skill calls well, halfway, disturbed or wrongly, and notes what truly came of each.

What calibrates success detectors (world_model.success.calibration). Oracle perception feeds the scenes, the settled
true state is the truth. Not for: whole tasks (forehand's studies).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from executor.policies.expert import ExpertPolicy
from executor.policy import Policy
from executor.skill_executor import SkillExecutor
from executor.stop import StopToken
from robots.robot import Action, Observation
from robots.tabletop.interventions import (
    DropHeld,
    Intervention,
    InterventionError,
    MoveObject,
    RemoveObject,
    SetDrawer,
    SetLamp,
)
from robots.tabletop.layout import DRAWER_TRAVEL_M, PLACING_AREA
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import SceneSpec, random_scene
from robots.tabletop.world import TabletopWorld
from skills.calls import needs_held, takes_hand, unmet_precondition
from skills.library import SkillLibrary
from skills.skill import SkillCall, SkillCallError
from skills.symbolic_state import SymbolicState
from world_model.belief import Belief
from world_model.perception.oracle import OraclePerception
from world_model.success.calibration import JudgedCase
from world_model.true_state import true_state

LONGEST_CUT_STEPS = 14  # most skills are still under way then


class CaseKind(StrEnum):
    EXPERT = "expert"  # carried out to its end
    INTERRUPTED = "interrupted"  # stopped after a few control steps
    DISTURBED = "disturbed"  # somebody meddles meanwhile
    WRONG = "wrong"  # something else is done than what is judged


def judged_cases(
    episodes: int,
    seed: int,
    library: SkillLibrary,
    scenes: Callable[[int], SceneSpec] = random_scene,
) -> Iterator[JudgedCase]:
    """One case an episode, the four kinds in turn, numbered as attempts. Same arguments: the same cases.

    scenes: from a seed to a scene.
    """
    kinds = list(CaseKind)
    for index in range(episodes):
        rng = random.Random(f"{seed}/{index}")
        with TabletopWorld(scenes(rng.randrange(2**31)), seed=rng.randrange(2**31)) as world:
            yield _Episode(world, library, rng).case(kinds[index % len(kinds)], attempt=index + 1)


@dataclass
class _Episode:
    """One world in which one call is carried out and noted."""

    world: TabletopWorld
    library: SkillLibrary
    rng: random.Random
    belief: Belief = field(init=False)

    def __post_init__(self) -> None:
        self.belief = Belief(self.library)
        self._stop = StopToken()
        self._perception = OraclePerception(self.world)
        self._look()

    def case(self, kind: CaseKind, attempt: int) -> JudgedCase:
        call = self._choose(self._possible())
        if self.rng.random() < 0.5 and takes_hand(call, self.library):
            self._carry_out(call)
            self._look()
            call = self._choose([c for c in self._possible() if needs_held(c, self.library)] or [call])
        before = self.belief.scene
        start = true_state(self.world, self.library.predicates)
        self._act(kind, call)
        self.belief.predict(call)
        self._look()
        wanted = self.library.skill(call.skill).success_of(call.arguments, start)
        end = true_state(self.world, self.library.predicates)
        truth = all(end.holds(literal) is True for literal in wanted)
        return JudgedCase(call, before, self.belief.scene, truth, kind.value, attempt)

    def _act(self, kind: CaseKind, call: SkillCall) -> None:
        cut = self.rng.randrange(LONGEST_CUT_STEPS)
        match kind:
            case CaseKind.EXPERT:
                self._carry_out(call)
            case CaseKind.INTERRUPTED:
                self._carry_out(call, cut, lambda: self._stop.set("cut short"))
            case CaseKind.DISTURBED if self.rng.random() < 0.5:
                self._carry_out(call, cut, lambda: self._meddle(call))
            case CaseKind.DISTURBED:
                self._carry_out(call)
                self._meddle(call)
                self.world.step(Action(terminate=True))
            case CaseKind.WRONG:
                others = [c for c in self._possible() if c != call]
                self._carry_out(self._choose(others) if others else call)

    def _carry_out(self, call: SkillCall, at_step: int = 0, happening: Callable[[], None] = lambda: None) -> None:
        """Run the expert; `happening` happens before its control step number `at_step` (0: the first)."""
        self._stop = StopToken()
        policy = _Interrupted(ExpertPolicy(self.library, self.world.physical_state), at_step, happening)
        executor = SkillExecutor(TabletopRobot(self.world, cameras=()), policy)
        executor.run(self.library.skill(call.skill), call, stop=self._stop)

    def _meddle(self, call: SkillCall) -> None:
        """Somebody interferes, mostly with what the call is about."""
        choices = self._interventions(call)
        self.rng.shuffle(choices)
        for intervention in choices:
            try:
                return self.world.intervene(intervention)
            except InterventionError:  # no room for it here: something else then
                continue
        return None

    def _interventions(self, call: SkillCall) -> list[Intervention]:
        state = self.world.physical_state()
        held = state.hand.held
        blocks = [n for n, thing in state.objects.items() if thing.category == "block" and n != held]
        spot = (self.rng.uniform(PLACING_AREA.x_min, PLACING_AREA.x_max), PLACING_AREA.y_min)
        if held is not None:
            return [DropHeld()]
        if "drawer" in call.arguments:
            return [SetDrawer(0.0), SetDrawer(DRAWER_TRAVEL_M)]
        if "lamp" in state.switches and "button" in call.arguments:
            return [SetLamp(not state.switches["lamp"])]
        return [
            meddling
            for name in [n for n in call.arguments if n in blocks] or blocks
            for meddling in (MoveObject(name, spot), RemoveObject(name))
        ]

    def _look(self) -> None:
        self.belief.update(self._perception.perceive(self.belief.expected))

    def _possible(self) -> list[SkillCall]:
        state = self.belief.scene.symbolic()
        return [call for call in _calls(self.library, state) if unmet_precondition(call, state, self.library) is None]

    def _choose(self, calls: list[SkillCall]) -> SkillCall:
        """A skill first, so that the many ways to pick do not crowd out the one way to press."""
        skill = self.rng.choice(sorted({call.skill for call in calls}))
        return self.rng.choice([call for call in calls if call.skill == skill])


class _Interrupted:
    """A policy before one of whose control steps something happens."""

    def __init__(self, policy: Policy, at_step: int, happening: Callable[[], None]) -> None:
        self._policy, self._at_step, self._happening = policy, at_step, happening
        self._step = 0
        self.name, self.cameras = policy.name, policy.cameras

    def begin(self, call: SkillCall, sentence: str) -> None:
        self._policy.begin(call, sentence)

    def act(self, observation: Observation) -> Sequence[Action]:
        if self._step == self._at_step:
            self._happening()
        self._step += 1
        return self._policy.act(observation)


def _calls(library: SkillLibrary, state: SymbolicState) -> Iterator[SkillCall]:
    """Every call that names fitting objects."""
    for skill in library.skills:
        for arguments in product(*(p.choices or sorted(state.objects) for p in skill.parameters)):
            call = SkillCall(skill.name, arguments)
            try:
                library.check_call(call, state.objects)
            except SkillCallError:
                continue
            yield call
