"""Tasks for policies of other people: a world drawn from a seed, and one skill call that can begin in it.

Not for: the worlds that are trained on (executor.learning), carrying the call out (executor.gym_env).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from robots.tabletop.names import SEEN_COLOURS
from robots.tabletop.scene_spec import SceneError, SceneSpec
from robots.tabletop.world import TabletopWorld
from skills.calls import needs_held, unmet_precondition
from skills.library import SkillLibrary
from skills.skill import SkillCall, SkillCallError
from skills.trial_scenes import draw_balanced, draw_call, leaves_something_to_do, random_world, symbolic, valid_calls
from skills.trials import run_call

WORLD_SEEDS = (10**8, 10**9)  # those of evaluations lie below, those of our own training beyond
# Worlds drawn before what is asked for counts as impossible; in those of a given scene little but places differs.
RANDOM_WORLDS, GIVEN_WORLDS = 50, 2

FURNISHINGS = 20  # places that are drawn in a given scene for what one's own skills work on


class TaskError(ValueError):
    """No task of the kind asked for; the message says why."""


@dataclass(frozen=True)
class Task:
    """A world in which the call may begin now. Whoever has it closes the world."""

    world: TabletopWorld
    call: SkillCall


def draw_task(
    rng: np.random.Generator,
    skills: Sequence[str],
    library: SkillLibrary,
    scene: SceneSpec | None = None,
    call: SkillCall | None = None,
) -> Task:
    """A task of one of the skills, in a random scene of seen colours or in the given one; with a call: of that call.

    What must be held at the start has been picked up by the expert. Raises TaskError.
    """
    why = ""
    for _ in range(RANDOM_WORLDS if scene is None else GIVEN_WORLDS):
        with ExitStack() as stack:
            world = stack.enter_context(_world(scene, library, rng))
            try:
                if call is None:
                    drawn = _drawn_call(world, rng.permutation(skills).tolist(), library, rng)
                else:
                    drawn = call
                    _hold_something(world, call.skill, library, rng)
                _check(world, drawn, library)
            except (TaskError, SkillCallError) as error:
                why = str(error)
                continue
            stack.pop_all()
            return Task(world, drawn)
    raise TaskError(why)


def _world(scene: SceneSpec | None, library: SkillLibrary, rng: np.random.Generator) -> TabletopWorld:
    seed = int(rng.integers(*WORLD_SEEDS))
    if scene is None:
        return random_world(seed, colours=SEEN_COLOURS, library=library)[0]
    for _ in range(FURNISHINGS):
        drawn = library.furnished(scene, rng)
        spec = drawn.model_copy(update={"models": {**drawn.models, **scene.models}})  # what stands there stays there
        try:
            return TabletopWorld(spec, seed)
        except SceneError:
            if spec == scene:
                raise
    raise TaskError(f"no room in this scene for what the skills work on: {', '.join(drawn.models)}")


def _check(world: TabletopWorld, call: SkillCall, library: SkillLibrary) -> None:
    unmet = unmet_precondition(call, symbolic(world, library), library)
    if unmet is not None:
        raise TaskError(f"{call} cannot begin here: {unmet} does not hold")


def _hold_something(world: TabletopWorld, skill: str, library: SkillLibrary, rng: np.random.Generator) -> None:
    """A block of chance, picked up by the expert, where the skill works on what the hand holds."""
    state = symbolic(world, library)
    if needs_held(SkillCall(skill), library) and any(valid_calls(state, library.skill("pick"), library)):
        run_call(world, draw_call(state, ("pick",), library, rng), library)


def _drawn_call(
    world: TabletopWorld, skills: Sequence[str], library: SkillLibrary, rng: np.random.Generator
) -> SkillCall:
    """A call, of the first skill that has something to do here. Raises TaskError where none has."""
    for name in skills:
        _hold_something(world, name, library, rng)
        state, skill = symbolic(world, library), library.skill(name)
        options = [c for c in valid_calls(state, skill, library) if leaves_something_to_do(c, state, library)]
        if options:
            return draw_balanced(options, state, rng)
    raise TaskError(f"nothing to do in this scene for: {', '.join(skills)}")
