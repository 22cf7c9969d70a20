"""Labels of a frame: they point at what the call is about, name what a cell shows, are silent on what is hidden."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from executor.action_numbers import numbers_of
from executor.learning.labels import (
    AUXILIARY,
    CELL_NAMES,
    LAYOUT,
    auxiliary_numbers,
    cell_labels,
    point_label,
    target_of,
)
from executor.vla_inputs import IMAGE_SIZES
from robots.robot import Action
from robots.tabletop.cameras import CameraRig, project
from robots.tabletop.layout import handle_centre
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from skills.skill import SkillCall

SPEC = SceneSpec(
    objects=(
        "red block",
        "green block",
        "yellow block",
        "blue bowl",
        "red bowl",
        "red pad",
        "drawer",
        "button",
        "lamp",
    ),
    relations=("in(green block, blue bowl)", "in(yellow block, drawer)"),
    positions={
        "red block": (0.50, -0.20),
        "blue bowl": (0.42, 0.02),
        "red bowl": (0.61, -0.33),
        "red pad": (0.55, 0.10),
    },
)


@pytest.fixture(scope="module")
def world() -> Iterator[TabletopWorld]:
    with TabletopWorld(SPEC, 3) as world:
        yield world


@pytest.mark.parametrize("call", ["pick(red block)", "push(red block, left)", "press(button)", "open(drawer)"])
def test_the_point_is_where_the_target_is_seen(world: TabletopWorld, call: str) -> None:
    view = CameraRig(world, IMAGE_SIZES).capture_segmented(["front"])["front"]
    state = world.physical_state()
    target = target_of(SkillCall.parse(call), state)
    place = handle_centre(0.0) if "drawer" in call else state.objects[target.name].position_m
    (pixel,), _ = project(view.image, np.array([place]))
    x, y, seen = point_label(view, world, target)
    assert seen == 1.0
    width, height = IMAGE_SIZES["front"]
    assert (x * width, y * height) == pytest.approx(tuple(pixel), abs=2.5)


def test_what_is_in_the_closed_drawer_is_pointed_at_by_nothing(world: TabletopWorld) -> None:
    views = CameraRig(world, IMAGE_SIZES).capture_segmented(IMAGE_SIZES)
    target = target_of(SkillCall.parse("pick(yellow block)"), world.physical_state())
    assert not any(point_label(view, world, target).any() for view in views.values())


@pytest.mark.parametrize("name", ["red block", "green block", "red bowl", "red pad", "button"])
def test_the_cell_of_a_thing_bears_its_name(world: TabletopWorld, name: str) -> None:
    view = CameraRig(world, IMAGE_SIZES).capture_segmented(["front"])["front"]
    cells = cell_labels(view, world)
    assert cells.shape == (12, 20)
    rows, columns = np.nonzero(view.bodies == world.bodies[name])
    around = {CELL_NAMES[c] for c in np.unique(cells[rows // 8, columns // 8])}
    assert name in around


def test_cells_tell_cabinet_from_drawer_and_table_from_nothing(world: TabletopWorld) -> None:
    cells = cell_labels(CameraRig(world, IMAGE_SIZES).capture_segmented(["front"])["front"], world)
    assert {"background", "table", "robot", "cabinet", "drawer"} <= {CELL_NAMES[c] for c in np.unique(cells)}
    assert CELL_NAMES[cells[11, 5]] == "table"


def test_auxiliary_numbers_are_of_the_target_from_the_tool(world: TabletopWorld) -> None:
    state, call = world.physical_state(), SkillCall.parse("push(red block, right)")
    numbers = dict(zip(AUXILIARY, auxiliary_numbers(state, call, target_of(call, state)).tolist(), strict=True))
    tool, block = state.hand.tool_position_m, state.objects["red block"].position_m
    away = [(b - t) / 0.2 for b, t in zip(block, tool, strict=True)]
    assert [numbers[f"target_{axis}"] for axis in "xyz"] == pytest.approx(away, abs=1e-5)
    assert np.hypot(numbers["target_yaw_cos"], numbers["target_yaw_sin"]) == pytest.approx(1.0, abs=1e-5)
    assert numbers["push_left"] == pytest.approx((0.012 + block[1] + 0.32) / 0.2, abs=1e-5)
    assert (numbers["push_x"], numbers["push_y"]) == pytest.approx((0.0, -1.0), abs=1e-5)
    bowl = state.objects["red bowl"]
    assert numbers["push_room"] == pytest.approx((bowl.position_m[0] - bowl.size_m[0] / 2 - block[0]) / 0.05, abs=0.02)
    assert (numbers["held"], numbers["drawer_opening"]) == pytest.approx((0.0, 0.0), abs=0.02)
    assert np.isnan(numbers["held_x"])


def test_what_does_not_apply_is_no_number(world: TabletopWorld) -> None:
    state, call = world.physical_state(), SkillCall.parse("place_on(table)")
    numbers = dict(zip(AUXILIARY, auxiliary_numbers(state, call, target_of(call, state)).tolist(), strict=True))
    assert all(
        np.isnan(numbers[name]) for name in ("target_x", "target_yaw_cos", "passing_height", "push_left", "push_x")
    )


def test_an_action_is_eight_numbers_of_the_layout() -> None:
    action = Action((0.01, -0.02, 0.03), (0.0, 0.1, -0.2), 0.5, terminate=True)
    frame = np.zeros(1, LAYOUT.dtype)
    frame["action"] = numbers_of(action)
    assert frame["action"][0].tolist() == pytest.approx([1.0, 0.01, -0.02, 0.03, 0.0, 0.1, -0.2, 0.5])
