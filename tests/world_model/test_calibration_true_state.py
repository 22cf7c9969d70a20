"""True state: settled, and read without touching the world."""

from __future__ import annotations

import pybullet as p

from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from skills.literals import Literal
from world_model.true_state import true_state

SPEC = SceneSpec(objects=("red block", "blue bowl"), positions={"blue bowl": (0.45, -0.2), "red block": (0.5, 0.0)})
IN_BOWL = Literal.parse("in(red block, blue bowl)")


def test_world_at_rest_is_read_as_it_is() -> None:
    with TabletopWorld(SPEC, 0) as world:
        assert world.settled()
        assert true_state(world).holds(Literal.parse("on(red block, table)"))


def test_falling_block_counts_where_it_comes_to_rest_and_goes_on_falling() -> None:
    with TabletopWorld(SPEC, 0) as world:
        body = world.bodies["red block"]
        p.resetBasePositionAndOrientation(body, (0.45, -0.2, 0.12), (0, 0, 0, 1), physicsClientId=world.client)
        p.resetBaseVelocity(body, (0, 0, -0.2), (0, 0, 0), physicsClientId=world.client)
        world.checkpoint()
        before = world.physical_state()
        assert not world.settled()
        assert true_state(world).holds(IN_BOWL)
        assert world.physical_state() == before, "only the clone fell"
