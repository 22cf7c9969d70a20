"""Seeded starting points for trials of the experts: cluttered random scenes, a hand anywhere, and valid calls.

Not for: named scenes or those of suites (robots.tabletop.scene_spec), running trials (skills.trials).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pybullet as p

from robots.robot import Action
from robots.tabletop.names import BLOCK_COLOURS, PAD_COLOURS, SEEN_COLOURS
from robots.tabletop.scene_spec import SceneError, SceneSpec
from robots.tabletop.variations import Variation
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.hand import obstacles
from skills.library import SkillLibrary
from skills.planar import distance_m
from skills.skill import Skill, SkillCall
from skills.symbolic_state import BOWL_CAPACITY, DRAWER_CAPACITY, STACK_LIMIT, SymbolicState

BOWL_COLOURS = SEEN_COLOURS


def random_spec(rng: np.random.Generator, colours: Sequence[str] = BLOCK_COLOURS) -> SceneSpec:
    """4 to 10 loose objects beside drawer, button and lamp; stacks up to the limit, filled bowls, a filled drawer.

    colours: of all loose objects, at least three; no two blocks share one.
    """
    blocks = [f"{c} block" for c in rng.permutation(colours)[: rng.integers(3, min(7, len(colours)) + 1)]]
    room = 10 - len(blocks)
    bowl_colours, pad_colours = ([c for c in known if c in colours] for known in (BOWL_COLOURS, PAD_COLOURS))
    bowls = [f"{c} bowl" for c in rng.permutation(bowl_colours)[: rng.integers(1, min(2, room - 1) + 1)]]
    pads = [f"{c} pad" for c in rng.permutation(pad_colours)[: rng.integers(0, min(2, room - len(bowls)) + 1)]]
    relations: list[str] = []
    heights: dict[str, int] = {}
    filling = dict.fromkeys((*bowls, "drawer"), 0)
    free_pads = list(pads)
    for k, block in enumerate(blocks):
        heights[block] = 1
        roofs = [b for b in blocks[:k] if b in heights and 0 < heights[b] < STACK_LIMIT]
        choice = rng.choice(("table", "stack", "bowl", "drawer", "pad"), p=(0.35, 0.35, 0.12, 0.1, 0.08))
        containers = [c for c in (bowls if choice == "bowl" else ["drawer"]) if filling[c] < _capacity(c)]
        if choice == "stack" and roofs:
            roof = max(roofs, key=lambda b: heights[b]) if rng.random() < 0.7 else str(rng.choice(roofs))
            relations.append(f"on({block}, {roof})")
            heights[block], heights[roof] = heights[roof] + 1, 0
        elif choice in ("bowl", "drawer") and containers:
            container = str(rng.choice(containers))
            filling[container] += 1
            heights[block] = 0
            relations.append(f"in({block}, {container})")
        elif choice == "pad" and free_pads:
            relations.append(f"on({block}, {free_pads.pop()})")
    if rng.random() < 0.5:
        relations.append("open(drawer)")
    if rng.random() < 0.3:
        relations.append("lit(lamp)")
    objects = (*blocks, *bowls, *pads, "drawer", "button", "lamp")
    return SceneSpec(objects=objects, relations=tuple(relations))


def _capacity(container: str) -> int:
    return DRAWER_CAPACITY if container == "drawer" else BOWL_CAPACITY


def random_world(
    seed: int,
    *,
    colours: Sequence[str] = BLOCK_COLOURS,
    variation: Variation | None = None,
    library: SkillLibrary | None = None,
) -> tuple[TabletopWorld, np.random.Generator]:
    """A world of a random scene that fits its table, blocks on any face, the hand anywhere above things.

    Looks never change what stands where: a seed gives the same scene under every variation without distractors.
    library: whose own skills bring what they work on (Skill.furnish).
    """
    rng, library = np.random.default_rng(seed), library or SkillLibrary()
    while True:
        try:
            spec = library.furnished(random_spec(rng, colours), rng)
            world = TabletopWorld(spec, int(rng.integers(2**31)), variation=variation)
        except SceneError:
            continue
        turn_blocks(world, rng)
        wander(world, rng)
        return world, rng


def turn_blocks(world: TabletopWorld, rng: np.random.Generator) -> None:
    """Setting up, before anything moves: every block onto a face of chance."""
    for name, thing in world.physical_state().objects.items():
        if thing.category == "block":
            quarter = p.getQuaternionFromEuler([float(k) * math.pi / 2 for k in rng.integers(0, 4, 3)])
            turned = p.multiplyTransforms((0, 0, 0), thing.orientation, (0, 0, 0), quarter)[1]
            p.resetBasePositionAndOrientation(
                world.bodies[name], thing.position_m, turned, physicsClientId=world.client
            )  # fmt: skip
    world.settle(2.0)


def wander(world: TabletopWorld, rng: np.random.Generator, *, closedness: float | None = None) -> None:
    """Up, then somewhere over the table at a height that clears what stands there, at some yaw and opening.

    closedness: of the gripper on the way; None for one of chance.
    """
    goal = np.array([rng.uniform(0.32, 0.62), rng.uniform(-0.35, 0.25)])
    state = world.physical_state()
    near = [o.top_m for o in obstacles(state) if distance_m(o.outline, (goal[0], goal[1])) < 0.14]
    low = max(near, default=0.0) + 0.03
    height, turn, grip = rng.uniform(low, 0.3), rng.uniform(-0.25, 0.25), float(rng.uniform(0, 1))
    grip = grip if closedness is None else closedness
    for _ in range(int(rng.integers(2, 16))):
        x, y, z = world.physical_state().hand.tool_position_m
        across = goal - (x, y)
        size = max(1.0, float(np.linalg.norm(across)) / 0.045)
        at_goal = size == 1.0
        up = float(np.clip((height if at_goal else 0.28) - z, -0.045, 0.045))
        ahead = across / size if z > 0.22 or at_goal else np.zeros(2)
        world.step(Action((float(ahead[0]), float(ahead[1]), up), (0.0, 0.0, turn), grip))
        turn *= 0.7


def valid_calls(state: SymbolicState, skill: Skill, library: SkillLibrary) -> Iterator[SkillCall]:
    """Every call of a skill whose preconditions surely hold."""
    choices = (
        q.choices or tuple(sorted(n for n, category in state.objects.items() if category in q.types))
        for q in skill.parameters
    )
    for arguments in product(*choices):
        if all(state.holds(literal) for literal in skill.preconditions_of(arguments, state)):
            call = SkillCall(skill.name, arguments)
            library.check_call(call, state.objects)
            yield call


def symbolic(world: TabletopWorld, library: SkillLibrary | None = None) -> SymbolicState:
    return symbolic_of(world.physical_state(), (library or SkillLibrary()).predicates)


def leaves_something_to_do(call: SkillCall, state: SymbolicState, library: SkillLibrary) -> bool:
    return not all(state.holds(goal) for goal in library.skill(call.skill).success_of(call.arguments, state))


def draw_call(state: SymbolicState, names: Sequence[str], library: SkillLibrary, rng: np.random.Generator) -> SkillCall:
    """A valid call of one of the skills, skills first so that those with many arguments do not drown the others."""
    options = {
        n: [c for c in valid_calls(state, library.skill(n), library) if leaves_something_to_do(c, state, library)]
        for n in names
    }
    possible = [n for n in names if options[n]]
    return draw_balanced(options[str(rng.choice(possible))], state, rng)


def draw_balanced(calls: Sequence[SkillCall], state: SymbolicState, rng: np.random.Generator) -> SkillCall:
    """One of the calls, kinds of situation first: what its object stands on or in and how high."""

    def situation(call: SkillCall) -> tuple[object, ...]:
        name = next((argument for argument in call.arguments if argument in state.objects), "")
        below = state.objects.get(state.support.get(name, ""), "")
        return (
            state.objects.get(name, ""),
            below,
            state.stack_height(name),
            len(state.resting.get(name, ())),
            call.arguments[1:],
        )

    kinds = sorted({situation(c) for c in calls}, key=str)
    kind = kinds[int(rng.integers(len(kinds)))]
    fitting = [c for c in calls if situation(c) == kind]
    return fitting[int(rng.integers(len(fitting)))]
