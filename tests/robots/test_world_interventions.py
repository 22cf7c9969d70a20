"""What someone else does to the world: done exactly, refused in words, kept in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from robots.robot import Action
from robots.tabletop import layout
from robots.tabletop.interventions import (
    AddDistractor,
    DropHeld,
    Intervention,
    InterventionError,
    MoveObject,
    RemoveObject,
    SetDrawer,
    SetGripForce,
    SetLamp,
    from_json,
    to_json,
)
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of

SPEC = SceneSpec(
    objects=(
        "red block", "green block", "blue block", "yellow block", "red bowl", "green pad", "drawer", "button", "lamp",
    ),
    relations=("on(red block, green pad)", "in(blue block, drawer)", "in(yellow block, red bowl)"),
)  # fmt: skip


@pytest.fixture
def world() -> Iterator[TabletopWorld]:
    with TabletopWorld(SPEC, 4) as world:
        yield world


def facts(world: TabletopWorld) -> set[str]:
    return {str(fact) for fact in symbolic_of(world.physical_state()).facts}


@pytest.mark.parametrize(
    "intervention",
    [
        MoveObject("red block", (0.41, 0.1)), RemoveObject("red block"), SetDrawer(0.05), SetLamp(True), DropHeld(),
        AddDistractor(), AddDistractor((0.4, 0.1), "grey can"), SetGripForce(3.5),
    ],
)  # fmt: skip
def test_json_round_trip(intervention: Intervention) -> None:
    assert from_json(json.loads(json.dumps(to_json(intervention)))) == intervention


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"kind": "Explode"}, "no intervention 'Explode'; have: MoveObject, RemoveObject"),
        ({"kind": "MoveObject", "name": "red block"}, "MoveObject: position_m"),
        ({"kind": "SetLamp", "on": "perhaps"}, "SetLamp: on"),
        ([], "no intervention None"),
    ],
)
def test_json_that_is_none(record: object, words: str) -> None:
    with pytest.raises(InterventionError, match=words):
        from_json(record)


def test_a_moved_block_stands_where_it_was_put(world: TabletopWorld) -> None:
    world.intervene(MoveObject("green block", (0.60, -0.36)))
    assert world.settle(2.0)
    assert np.allclose(world.physical_state().objects["green block"].position_m, (0.60, -0.36, 0.02), atol=0.002)


def test_a_block_moved_onto_another_stands_on_it(world: TabletopWorld) -> None:
    x, y, _ = world.physical_state().objects["red block"].position_m
    world.intervene(MoveObject("green block", (x, y)))
    assert world.settle(2.0)
    assert {"on(green block, red block)", "on(red block, green pad)"} <= facts(world)


def test_pads_and_bowls_move_with_what_is_on_and_in_them(world: TabletopWorld) -> None:
    world.intervene(MoveObject("green pad", (0.60, -0.30)))
    world.intervene(MoveObject("red bowl", (0.36, -0.30)))
    assert world.settle(2.0)
    assert {"on(red block, green pad)", "in(yellow block, red bowl)"} <= facts(world)
    assert world.physical_state().objects["red bowl"].position_m[:2] == (0.36, -0.30)


def test_what_is_taken_away_is_gone_for_good(world: TabletopWorld) -> None:
    world.intervene(RemoveObject("red bowl"))
    world.intervene(RemoveObject("red block"))
    world.checkpoint()
    assert not {"red bowl", "red block"} & set(world.physical_state().objects)
    assert not {"red bowl", "red block"} & set(world.bodies)
    assert world.settle(2.0)
    assert "on(yellow block, table)" in facts(world)  # it was in the bowl
    with pytest.raises(InterventionError, match="no 'red bowl' here to be moved"):
        world.intervene(MoveObject("red bowl", (0.4, 0.0)))


def test_the_drawer_takes_its_blocks_along(world: TabletopWorld) -> None:
    for opening in (layout.DRAWER_TRAVEL_M, 0.0, 0.07):
        world.intervene(SetDrawer(opening))
        assert world.settle(2.0)
        state = world.physical_state()
        assert state.joints["drawer"] == pytest.approx(opening, abs=0.003)
        assert "in(blue block, drawer)" in facts(world)
        assert state.objects["blue block"].position_m[1] == pytest.approx(layout.drawer_centre_y(opening), abs=0.01)


def test_a_drawer_heaped_too_high_is_not_shut_through_the_cabinet(world: TabletopWorld) -> None:
    world.intervene(SetDrawer(layout.DRAWER_TRAVEL_M))
    x, y, _ = world.physical_state().objects["blue block"].position_m
    world.intervene(MoveObject("green block", (x, y)))
    assert world.settle(2.0)
    world.intervene(SetDrawer(0.0))
    assert world.settle(2.0)
    state = world.physical_state()
    assert state.joints["drawer"] > 0.03
    assert state.objects["green block"].position_m[1] < layout.CABINET_FACE_Y_M


def test_the_lamp_can_be_switched_by_someone(world: TabletopWorld) -> None:
    world.intervene(SetLamp(True))
    assert world.physical_state().switches == {"lamp": True}
    world.checkpoint()
    assert world.physical_state().switches == {"lamp": True}


def test_distractors_come_where_there_is_room(world: TabletopWorld) -> None:
    for _ in range(3):
        world.intervene(AddDistractor())
    things = [o for o in world.physical_state().objects.values() if o.category == "distractor"]
    assert len({thing.name for thing in things}) == 3
    for thing in things:
        for name, other in world.physical_state().objects.items():
            if name not in (thing.name, "table", "drawer"):
                assert np.linalg.norm(np.subtract(thing.position_m, other.position_m)[:2]) > 0.08
    world.intervene(AddDistractor((0.60, -0.36), "orange bottle"))
    assert world.physical_state().objects["orange bottle"].position_m[:2] == (0.60, -0.36)


def hold_red_block(world: TabletopWorld) -> None:
    x, y, z = world.physical_state().objects["red block"].position_m
    for goal, gripper, steps in (
        ((x, y, 0.2), 0.0, 12),
        ((x, y, z), 0.0, 8),
        ((x, y, z), 1.0, 4),
        ((x, y, 0.2), 1.0, 8),
    ):
        for _ in range(steps):
            way = np.subtract(goal, world.physical_state().hand.tool_position_m)
            dx, dy, dz = (way * min(1.0, 0.05 / max(float(np.linalg.norm(way)), 1e-6))).tolist()
            world.step(Action((dx, dy, dz), gripper=gripper))
    assert world.physical_state().hand.held == "red block"


def test_what_is_dropped_falls_and_the_next_grasp_holds(world: TabletopWorld) -> None:
    hold_red_block(world)
    world.intervene(DropHeld())
    for _ in range(8):
        world.step(Action(gripper=1.0))
    assert world.physical_state().hand.held is None
    assert world.physical_state().objects["red block"].position_m[2] < 0.05
    hold_red_block(world)


def test_dropping_nothing_changes_nothing(world: TabletopWorld) -> None:
    world.intervene(DropHeld())
    hold_red_block(world)


def test_what_is_held_can_be_taken_out_of_the_hand(world: TabletopWorld) -> None:
    hold_red_block(world)
    world.intervene(MoveObject("red block", (0.60, -0.36)))
    assert world.physical_state().hand.held is None
    world.step(Action(gripper=1.0))
    assert world.settle(2.0)
    assert np.allclose(world.physical_state().objects["red block"].position_m[:2], (0.60, -0.36), atol=0.005)


@pytest.mark.parametrize(
    ("intervention", "words"),
    [
        (MoveObject("drawer", (0.4, 0.0)), "the drawer cannot be moved; have: red block"),
        (MoveObject("reed block", (0.4, 0.0)), "did you mean 'red block'"),
        (MoveObject("red block", (1.4, 0.0)), "not on the table"),
        (MoveObject("red block", (float("nan"), 0.0)), "not on the table"),
        (RemoveObject("table"), "the table cannot be taken away"),
        (SetDrawer(0.5), "expected 0 to 0.14"),
        (SetGripForce(-1.0), "expected 0 to 200"),
        (SetGripForce(float("nan")), "expected 0 to 200"),
        (AddDistractor((0.4, 0.0), "red block"), "is a block, not a distractor"),
        (AddDistractor((0.4, 0.0), "grey toaster"), "no object 'grey toaster'"),
        (AddDistractor((2.0, 0.0), "grey can"), "not on the table"),
    ],
)
def test_what_cannot_happen_is_refused_and_changes_nothing(
    world: TabletopWorld, intervention: Intervention, words: str
) -> None:
    before = world.snapshot()
    with pytest.raises(InterventionError, match=words):
        world.intervene(intervention)
    assert world.snapshot() == before


def test_a_scene_without_lamp_or_drawer_refuses_theirs() -> None:
    with TabletopWorld(SceneSpec(objects=("red block",)), 0) as world:
        for intervention, words in ((SetLamp(True), "has no lamp"), (SetDrawer(0.0), "has no drawer")):
            with pytest.raises(InterventionError, match=words):
                world.intervene(intervention)
