"""Where things stand at the start: always found, reachable, apart, and true to the scene's relations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations

import numpy as np
import pybullet as p
import pytest

from robots.tabletop import layout
from robots.tabletop.footprints import in_zone, kept_free
from robots.tabletop.placement import initial_state
from robots.tabletop.scene_spec import SceneError, SceneSpec, load_scene, random_scene, scene_names
from robots.tabletop.state import BodyState
from robots.tabletop.variations import Variation
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of

FIXTURES = ("drawer", "button", "lamp")
CROWDED = SceneSpec(
    objects=(
        *(f"{c} block" for c in ("red", "green", "blue", "yellow")), *(f"{c} bowl" for c in ("red", "green", "blue")),
        *(f"{c} pad" for c in ("red", "green", "blue")), *FIXTURES,
    )
)  # fmt: skip
FULL = SceneSpec(
    objects=(
        *(f"{c} block" for c in ("red", "green", "blue", "yellow", "purple", "orange")),
        *(f"{c} bowl" for c in ("red", "green", "blue", "yellow", "purple", "orange")), *FIXTURES,
    )
)  # fmt: skip


def standing(spec: SceneSpec, seed: int) -> list[BodyState]:
    on_table = spec.arrangement.standing(spec.things)
    return [body for body in initial_state(spec, seed).bodies if body.name in on_table]


@pytest.mark.parametrize("spec", [CROWDED, FULL], ids=["ten", "twelve"])
def test_crowded_tables_are_always_laid(spec: SceneSpec) -> None:
    for seed in range(25):
        bodies = standing(spec, seed)
        for body in bodies:
            assert layout.PLACING_AREA.contains(body.position_m[:2])
            for area in kept_free(spec.objects).values():
                assert not area.contains(body.position_m[:2])
        for one, other in combinations(bodies, 2):
            assert math.dist(one.position_m[:2], other.position_m[:2]) >= layout.MINIMAL_SPACING_M


def test_places_follow_the_seed() -> None:
    assert initial_state(CROWDED, 1) == initial_state(CROWDED, 1)
    assert initial_state(CROWDED, 1) != initial_state(CROWDED, 2)


def test_given_places_and_zones_are_kept() -> None:
    spec = SceneSpec(
        objects=("red block", "blue block", "green block", "red bowl", *FIXTURES),
        relations=("in_zone(blue block, left)", "in_zone(green block, front)"),
        positions={"red block": (0.45, 0.10), "red bowl": (0.55, -0.20)},
    )
    for seed in range(10):
        bodies = {body.name: body for body in standing(spec, seed)}
        assert bodies["red block"].position_m[:2] == (0.45, 0.10)
        assert bodies["red bowl"].position_m[:2] == (0.55, -0.20)
        assert in_zone(bodies["blue block"].position_m[:2], "left")
        assert in_zone(bodies["green block"].position_m[:2], "front")


def test_too_many_things_are_refused_by_name() -> None:
    colours = ("red", "green", "blue", "yellow", "purple", "orange", "cyan", "brown", "pink")
    spec = SceneSpec(objects=tuple(f"{c} {kind}" for c in colours for kind in ("bowl", "block")))
    with pytest.raises(SceneError, match="no room on the table for 18 things at reachable places: red bowl"):
        initial_state(spec, 0)


@contextmanager
def built(spec: SceneSpec, seed: int) -> Iterator[TabletopWorld]:
    with TabletopWorld(spec, seed) as world:
        yield world


def check_settled_and_true(world: TabletopWorld) -> None:
    """Nothing moves, nothing is in anything else, and every relation holds, told from geometry."""
    before = world.physical_state()
    assert world.settle(1.0)
    for name, thing in world.physical_state().objects.items():
        assert np.allclose(thing.position_m, before.objects[name].position_m, atol=0.001), name
    contacts = p.getContactPoints(physicsClientId=world.client)
    depths = [c[8] for c in contacts if world.robot_body not in (c[1], c[2])]
    assert min(depths, default=0.0) > -0.001
    state = symbolic_of(world.physical_state())
    facts = {str(fact) for fact in state.facts}
    arrangement = world.spec.arrangement
    expected = {r for r in world.spec.relations if not r.startswith(("closed", "not "))}
    expected |= {f"on({n}, table)" for n in arrangement.standing(world.spec.things) if n.endswith("block")}
    assert expected <= facts
    assert ("open(drawer)" in facts) == arrangement.drawer_open
    assert ("lit(lamp)" in facts) == arrangement.lamp_lit
    assert state.held is None


@pytest.mark.parametrize("name", scene_names())
def test_shipped_scenes_stand_as_they_say(name: str) -> None:
    with built(load_scene(name), 0) as world:
        check_settled_and_true(world)


@pytest.mark.parametrize("seed", range(8))
def test_random_scenes_stand_as_they_say(seed: int) -> None:
    knobs = {"blocks": 6, "bowls": 4, "pads": 2, "drawer": True} if seed % 2 else {}
    with built(random_scene(seed, **knobs), seed) as world:  # type: ignore[arg-type]
        check_settled_and_true(world)


def test_a_tower_on_a_pad_full_bowls_and_a_full_drawer() -> None:
    spec = SceneSpec(
        objects=(
            *(f"{c} block" for c in ("red", "green", "blue", "yellow", "purple", "orange", "cyan", "brown", "pink")),
            "green pad", "red bowl", "drawer",
        ),
        relations=(
            "on(red block, green pad)", "on(green block, red block)",
            "in(blue block, red bowl)", "in(yellow block, red bowl)", "in(purple block, red bowl)",
            *(f"in({c} block, drawer)" for c in ("orange", "cyan", "brown", "pink")),
        ),
    )  # fmt: skip
    with built(spec, 5) as world:
        check_settled_and_true(world)


def test_a_variation_brings_its_distractors() -> None:
    with TabletopWorld(CROWDED, 2, variation=Variation(distractors=2)) as world:
        things = [o for o in world.physical_state().objects.values() if o.category == "distractor"]
        assert len(things) == 2
        assert all(layout.PLACING_AREA.contains(o.position_m[:2]) for o in things)
