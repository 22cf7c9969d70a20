"""Moments of tabletop scenes: pictures with all that is true of them, to ask questions about.

Scenes of seen and unseen looks and colours; in each, skills are carried out by the expert and broken off, blocks are
put down beside where they belong, the drawer is left half open. Not for: robot frames (executor.learning.collector).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from executor.learning.labels import Target, cell_labels, point_label
from executor.learning.worlds import FIRST_SEED, is_in_order, next_call
from executor.vla_inputs import IMAGE_SIZES
from robots.physical_state import PhysicalState
from robots.safety import SafetyStop
from robots.tabletop.cameras import CameraRig, SegmentedImage
from robots.tabletop.interventions import Intervention, InterventionError, MoveObject, SetDrawer, SetLamp
from robots.tabletop.layout import DRAWER_TRAVEL_M, PLACING_AREA
from robots.tabletop.names import BLOCK_COLOURS, SEEN_COLOURS
from robots.tabletop.objects import SLIDING_LINK
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import SceneError, SceneSpec
from robots.tabletop.variations import Strengths, Variation
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.hand import gripped
from skills.library import SkillLibrary
from skills.symbolic_state import SymbolicState
from skills.trial_scenes import random_spec, turn_blocks, wander

OTHER_LOOKS_SHARE = 0.5
OTHER_COLOURS_SHARE = 0.4
PRACTISED_SHARE, MISPLACED_SHARE = 0.6, 0.25  # of what happens between two moments; else drawer or lamp change
BROKEN_OFF_SHARE = 0.5  # of the skills
PRACTICE: Mapping[str, float] = {
    "pick": 1.0, "place_in": 1.0, "place_on": 1.5, "push": 0.5, "open": 0.5, "close": 0.3, "press": 0.3,
}  # fmt: skip
# How far from a thing's middle a block comes down that was meant for it: on its edge, or just beside it.
BESIDE_M: Mapping[str, tuple[float, float]] = {"block": (0.028, 0.07), "bowl": (0.06, 0.11), "pad": (0.06, 0.10)}


@dataclass(frozen=True)
class Moment:
    """One look at a world. images, cells: camera → picture, label grid (as in rt2.training.examples).

    pixels: camera → name → how many pixels show it; of the drawer only what slides. places: camera → name → (3,) as
    executor.learning.labels.point_label.
    """

    images: Mapping[str, NDArray[np.uint8]]
    cells: Mapping[str, NDArray[np.uint8]]
    pixels: Mapping[str, Mapping[str, int]]
    places: Mapping[str, Mapping[str, NDArray[np.float32]]]
    state: PhysicalState
    symbolic: SymbolicState

    @property
    def gripped(self) -> str | None:
        """What is between the fingers, lifted or not."""
        return gripped(self.state)


def draw_moments(rng: np.random.Generator, count: int) -> Iterator[Moment]:
    """At most `count` moments of one random scene, fewer where things fall off the table."""
    library = SkillLibrary()
    with _world(rng) as world:
        for k in range(count):
            if k:
                _let_happen(world, library, rng)
            if not is_in_order(world.physical_state()):
                return
            yield look(world)


def look(world: TabletopWorld) -> Moment:
    """What the cameras see now, and what is true now."""
    views = CameraRig(world, IMAGE_SIZES).capture_segmented(IMAGE_SIZES)
    names = [name for name in world.bodies if name != "table"]
    state = world.physical_state()
    return Moment(
        images={camera: view.image.rgb for camera, view in views.items()},
        cells={camera: cell_labels(view, world) for camera, view in views.items()},
        pixels={camera: {n: _pixels(view, world, n) for n in names} for camera, view in views.items()},
        places={
            camera: {n: point_label(view, world, Target(n, None, by_place=False)) for n in names}
            for camera, view in views.items()
        },
        state=state,
        symbolic=symbolic_of(state),
    )


def _pixels(view: SegmentedImage, world: TabletopWorld, name: str) -> int:
    shown = view.bodies == world.bodies[name]
    return int((shown & (view.links == SLIDING_LINK)).sum() if name == "drawer" else shown.sum())


def _world(rng: np.random.Generator) -> TabletopWorld:
    """A scene of a training seed, some in other colours, some with other looks, the hand anywhere above it."""
    while True:
        seed = int(rng.integers(FIRST_SEED, 2**31))
        spec = random_spec(rng, SEEN_COLOURS)
        spec = _recoloured(spec, rng) if rng.random() < OTHER_COLOURS_SHARE else spec
        variation = Variation.draw(seed, Strengths()) if rng.random() < OTHER_LOOKS_SHARE else None
        try:
            world = TabletopWorld(spec, seed, variation=variation)
        except SceneError:
            continue
        turn_blocks(world, rng)
        if rng.random() < 0.7:
            wander(world, rng)
        return world


def _recoloured(spec: SceneSpec, rng: np.random.Generator) -> SceneSpec:
    """The scene with the colours of its blocks and bowls drawn anew among all there are."""
    colours = dict(zip(SEEN_COLOURS, rng.permutation(BLOCK_COLOURS).tolist(), strict=False))

    def renamed(text: str) -> str:
        return re.sub(r"\b(\w+) (block|bowl)\b", lambda m: f"{colours[m[1]]} {m[2]}", text)

    return SceneSpec(objects=tuple(map(renamed, spec.objects)), relations=tuple(map(renamed, spec.relations)))


def _let_happen(world: TabletopWorld, library: SkillLibrary, rng: np.random.Generator) -> None:
    drawn = rng.random()
    if drawn < PRACTISED_SHARE:
        _practise(world, library, rng)
        return
    change = _misplaced(world, rng) if drawn < PRACTISED_SHARE + MISPLACED_SHARE else _switched(rng)
    try:
        world.intervene(change)
    except InterventionError:
        return
    world.settle(1.0)


def _practise(world: TabletopWorld, library: SkillLibrary, rng: np.random.Generator) -> None:
    """The expert carries out one possible call, in half of the cases not to its end."""
    call = next_call(symbolic_of(world.physical_state()), PRACTICE, library, rng)
    if call is None:
        return
    skill = library.skill(call.skill)
    robot = TabletopRobot(world, cameras=())
    steps = int(rng.integers(2, 20)) if rng.random() < BROKEN_OFF_SHARE else skill.time_limit_steps
    try:
        for _ in range(steps):
            action = skill.expert(world.physical_state(), call.arguments)
            if action.terminate:
                return
            robot.apply(action)
    except SafetyStop:
        return


def _misplaced(world: TabletopWorld, rng: np.random.Generator) -> Intervention:
    """A block put down at the edge of something, or beside it."""
    state = world.physical_state()
    blocks = [name for name, thing in state.objects.items() if thing.category == "block" and name != gripped(state)]
    name = blocks[int(rng.integers(len(blocks)))]
    others = [thing for thing in state.objects.values() if thing.category in BESIDE_M and thing.name != name]
    other = others[int(rng.integers(len(others)))]
    around, away = rng.uniform(-math.pi, math.pi), rng.uniform(*BESIDE_M[other.category])
    x, y = other.position_m[0] + away * math.cos(around), other.position_m[1] + away * math.sin(around)
    area = PLACING_AREA
    return MoveObject(
        name, (min(max(x, area.x_min), area.x_max), min(max(y, area.y_min), area.y_max))
    )  # fmt: skip


def _switched(rng: np.random.Generator) -> Intervention:
    """Drawer or lamp otherwise."""
    if rng.random() < 0.3:
        return SetLamp(bool(rng.random() < 0.5))
    share = (0.0, 1.0, float(rng.random()))[int(rng.integers(3))]
    return SetDrawer(share * DRAWER_TRAVEL_M)
