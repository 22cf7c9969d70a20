"""What skills are practised on: random worlds of seen colours, and a chain of possible calls in each.

Not for: evaluation; seeds of training worlds begin where those of evaluation and tests end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from robots.physical_state import PhysicalState
from robots.tabletop.layout import TABLE
from robots.tabletop.names import SEEN_COLOURS
from robots.tabletop.variations import Strengths, Variation
from robots.tabletop.world import TabletopWorld
from skills.calls import needs_held
from skills.library import SkillLibrary
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState
from skills.trial_scenes import draw_balanced, leaves_something_to_do, random_world, valid_calls, wander

FIRST_SEED = 10**9
SEEDS = 2 * 10**9
LOOKS = Strengths(table=0.0, light=1.0, cameras=0.5, distractors=0)
ALIKE_SHARE = 0.3  # of calls are of things that have the colour of what they lie on or go to, where there are any
FALLEN_M = -0.02  # what lies lower has fallen off the table


def world_seed(run_seed: int, worker: int, episode: int) -> int:
    """The seed of a worker's episode, in FIRST_SEED to FIRST_SEED + SEEDS; others for other workers and runs."""
    words = np.random.SeedSequence([run_seed, worker, episode]).generate_state(1, np.uint64)
    return FIRST_SEED + int(words[0] % SEEDS)


def training_world(
    seed: int, varied_share: float, library: SkillLibrary | None = None
) -> tuple[TabletopWorld, np.random.Generator]:
    """A world of seen colours; in that share of them light and cameras are not quite the usual ones.

    library: whose own skills bring what they work on.
    """
    varied = np.random.default_rng([seed, 1]).random() < varied_share
    variation = Variation.draw(seed, LOOKS) if varied else None
    return random_world(seed, colours=SEEN_COLOURS, variation=variation, library=library)


def next_call(
    state: SymbolicState, weights: Mapping[str, float], library: SkillLibrary, rng: np.random.Generator
) -> SkillCall | None:
    """A possible call with something to do, of a skill drawn by weight; None where there is none.

    Whatever is to be placed must be picked first: as many picks are drawn as places are wanted.
    """
    return draw_call(possible_calls(state, weights, library), state, weights, library, rng)


def possible_calls(state: SymbolicState, names: Iterable[str], library: SkillLibrary) -> dict[str, list[SkillCall]]:
    """Skill → its possible calls with something to do."""
    return {
        name: [c for c in valid_calls(state, library.skill(name), library) if leaves_something_to_do(c, state, library)]
        for name in names
    }


def draw_call(
    options: Mapping[str, Sequence[SkillCall]],
    state: SymbolicState,
    weights: Mapping[str, float],
    library: SkillLibrary,
    rng: np.random.Generator,
) -> SkillCall | None:
    """One of the possible calls, as `next_call`."""
    possible = [name for name in weights if options[name]]
    if not possible:
        return None
    places = sum(weights[name] for name in weights if needs_held(SkillCall(name), library))
    shares = np.array([max(weights[n], places) if n == "pick" else weights[n] for n in possible])
    name = possible[int(rng.choice(len(possible), p=shares / shares.sum()))]
    calls = options[name]
    if rng.random() < ALIKE_SHARE:
        calls = [call for call in calls if is_alike(call, state)] or calls
    return draw_balanced(calls, state, rng)


def is_alike(call: SkillCall, state: SymbolicState) -> bool:
    """Whether what a call is about can hardly be told from what is under it: things of one colour, one of which lies,
    or is to come, on or in the other."""
    named = next((argument for argument in call.arguments if argument in state.objects), "")
    colour, _, _ = named.partition(" ")
    return any(other is not None and other.startswith(f"{colour} ") for other in (state.support.get(named), state.held))


def stray(world: TabletopWorld, rng: np.random.Generator) -> None:
    """Take the hand somewhere else between two skills; now and then what it holds is lost on the way."""
    keeps = world.physical_state().hand.held is not None and rng.random() < 0.7
    wander(world, rng, closedness=1.0 if keeps else None)
    world.settle(1.0)


def is_in_order(state: PhysicalState) -> bool:
    """Whether every block is still on the table or what stands there."""
    return all(
        o.position_m[2] > FALLEN_M and TABLE.contains((o.position_m[0], o.position_m[1]))
        for o in state.objects.values()
        if o.category == "block"
    )
