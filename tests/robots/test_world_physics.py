"""What the tabletop does: friction holds, bowls are hollow, the drawer slides and hides, the button latches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pybullet as p
import pytest

from robots.robot import Action
from robots.tabletop import layout, panda
from robots.tabletop.cameras import CameraRig
from robots.tabletop.interventions import MoveObject, SetDrawer, SetGripForce
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.simulation import SUBSTEPS
from robots.tabletop.window import DisplayError
from robots.tabletop.world import TabletopWorld

SPEC = SceneSpec(
    objects=("red block", "green block", "blue block", "yellow block", "red bowl", "drawer", "button", "lamp"),
    relations=("on(yellow block, green block)", "in(blue block, drawer)"),
)


@pytest.fixture
def world() -> Iterator[TabletopWorld]:
    with TabletopWorld(SPEC, 1) as world:
        yield world


def reach(world: TabletopWorld, goal: tuple[float, float, float], gripper: float, most_steps: int = 40) -> None:
    for _ in range(most_steps):
        way = np.subtract(goal, world.physical_state().hand.tool_position_m)
        distance = float(np.linalg.norm(way))
        if distance < 0.002:
            return
        x, y, z = (way * min(1.0, 0.04 / distance)).tolist()
        world.step(Action((x, y, z), gripper=gripper))


def close_around(world: TabletopWorld, name: str) -> None:
    x, y, z = world.physical_state().objects[name].position_m
    reach(world, (x, y, 0.20), 0.0)
    reach(world, (x, y, z), 0.0)
    for _ in range(3):
        world.step(Action(gripper=1.0))


def lift(world: TabletopWorld, height_m: float) -> None:
    x, y, _ = world.physical_state().hand.tool_position_m
    reach(world, (x, y, height_m), 1.0)


def test_an_action_moves_the_tool_by_its_vector(world: TabletopWorld) -> None:
    before = np.array(world.proprioception().tool_position_m)
    world.step(Action((0.03, -0.02, -0.04)))
    world.step(Action())
    moved = np.array(world.proprioception().tool_position_m) - before
    assert np.allclose(moved, (0.03, -0.02, -0.04), atol=0.002)


def test_yaw_turns_the_tool_about_the_vertical(world: TabletopWorld) -> None:
    for _ in range(2):
        world.step(Action(rotation_delta=(0.0, 0.0, 0.25)))
    world.step(Action())
    rotation = np.reshape(p.getMatrixFromQuaternion(world.proprioception().tool_orientation), (3, 3))
    assert np.isclose(np.arctan2(rotation[1, 0], rotation[0, 0]), 0.5, atol=0.02)
    assert np.allclose(rotation[:, 2], (0.0, 0.0, -1.0), atol=0.01)


def test_a_terminating_action_moves_nothing(world: TabletopWorld) -> None:
    before = world.proprioception()
    world.step(Action((0.05, 0.05, 0.05), gripper=1.0, terminate=True))
    after = world.proprioception()
    assert np.allclose(after.tool_position_m, before.tool_position_m, atol=1e-4)
    assert after.gripper_closedness == before.gripper_closedness


def test_time_runs_at_ten_control_steps_a_second(world: TabletopWorld) -> None:
    start = world.physical_state().time_s
    for _ in range(5):
        world.step(Action())
    assert world.physical_state().time_s == pytest.approx(start + 0.5)
    assert p.getPhysicsEngineParameters(physicsClientId=world.client)["fixedTimeStep"] * SUBSTEPS == pytest.approx(0.1)


def test_friction_holds_a_block_through_a_lift_and_a_carry(world: TabletopWorld) -> None:
    close_around(world, "red block")
    assert world.physical_state().hand.held is None  # still on its support
    lift(world, 0.25)
    in_hand = _in_hand(world, "red block")
    for x in (0.35, 0.60, 0.45):
        reach(world, (x, -0.1, 0.25), 1.0)
    state = world.physical_state()
    assert state.hand.held == "red block"
    assert np.allclose(_in_hand(world, "red block"), in_hand, atol=0.002)
    assert p.getNumConstraints(physicsClientId=world.client) == 1  # the gear between the fingers, and nothing else


def _in_hand(world: TabletopWorld, name: str) -> np.ndarray:
    state = world.physical_state()
    return np.subtract(state.objects[name].position_m, state.hand.tool_position_m)


def test_a_block_taken_from_a_stack_is_held_and_the_lower_one_stays(world: TabletopWorld) -> None:
    lower = world.physical_state().objects["green block"].position_m
    close_around(world, "yellow block")
    lift(world, 0.20)
    state = world.physical_state()
    assert state.hand.held == "yellow block"
    assert np.allclose(state.objects["green block"].position_m, lower, atol=0.004)


def test_an_opened_hand_holds_nothing_and_the_block_falls(world: TabletopWorld) -> None:
    close_around(world, "red block")
    lift(world, 0.12)
    for _ in range(4):
        world.step(Action(gripper=0.0))
    assert world.settle(2.0)
    state = world.physical_state()
    assert state.hand.held is None
    assert state.objects["red block"].position_m[2] == pytest.approx(0.02, abs=0.002)


def test_too_weak_a_grip_loses_the_block(world: TabletopWorld) -> None:
    world.intervene(SetGripForce(0.2))
    close_around(world, "red block")
    lift(world, 0.20)
    assert world.physical_state().hand.held is None
    assert world.physical_state().objects["red block"].position_m[2] < 0.05


def test_pressing_on_something_is_felt_and_bounded(world: TabletopWorld) -> None:
    reach(world, (0.45, -0.30, 0.05), 1.0)
    assert world.proprioception().contact_force_n == 0.0
    forces = []
    for _ in range(8):
        world.step(Action((0.0, 0.0, -0.02), gripper=1.0))
        forces.append(world.proprioception().contact_force_n)
    assert 20.0 < forces[-1] < 500.0  # the arm's own motors bound it
    close_around(world, "red block")
    lift(world, 0.2)
    assert world.proprioception().contact_force_n < 5.0  # a firm grip is no blow


def test_commands_against_a_wall_do_not_pile_up(world: TabletopWorld) -> None:
    reach(world, (0.45, -0.30, 0.05), 1.0)
    for _ in range(15):
        world.step(Action((0.0, 0.0, -0.03), gripper=1.0))
    low = world.proprioception().tool_position_m[2]
    world.step(Action((0.0, 0.0, 0.04), gripper=1.0))
    assert world.proprioception().tool_position_m[2] > low + 0.02


def test_blocks_fall_into_a_bowl_three_of_them(world: TabletopWorld) -> None:
    x, y, _ = world.physical_state().objects["red bowl"].position_m
    for k, name in enumerate(("red block", "yellow block", "green block")):
        world.intervene(MoveObject(name, (x + 0.004 * k, y)))
        assert world.settle(3.0)
    blocks = [world.physical_state().objects[n].position_m for n in ("red block", "yellow block", "green block")]
    assert all(np.hypot(b[0] - x, b[1] - y) < layout.BOWL_INNER_RADIUS_M for b in blocks)
    assert min(b[2] for b in blocks) < layout.BOWL_HEIGHT_M
    lowest = min(b[2] for b in blocks)
    assert lowest == pytest.approx(layout.BOWL_FLOOR_THICKNESS_M + layout.BLOCK_SIZE_M / 2, abs=0.01)


def test_the_drawer_slides_by_its_handle_with_what_is_in_it(world: TabletopWorld) -> None:
    x, y, z = layout.handle_centre(0.0)
    reach(world, (x, y, 0.15), 0.45)
    reach(world, (x, y, z), 0.45)
    for _ in range(3):
        world.step(Action(gripper=1.0))
    block_y = world.physical_state().objects["blue block"].position_m[1]
    reach(world, (x, y - layout.DRAWER_TRAVEL_M, z), 1.0)
    state = world.physical_state()
    assert state.joints["drawer"] > layout.DRAWER_OPEN_M
    assert block_y - state.objects["blue block"].position_m[1] == pytest.approx(state.joints["drawer"], abs=0.02)
    for _ in range(10):
        world.step(Action(gripper=0.45))
    assert world.physical_state().joints["drawer"] > layout.DRAWER_OPEN_M  # it stays where it was left
    for _ in range(4):
        world.step(Action((0.0, -0.04, 0.0), gripper=1.0))
    assert world.physical_state().joints["drawer"] < layout.DRAWER_TRAVEL_M + 0.01  # and has a stop


def test_a_closed_drawer_hides_its_blocks(world: TabletopWorld) -> None:
    rig = CameraRig(world, 160)
    cameras = ("front", "overhead", "wrist")
    assert all("blue block" not in rig.visible_objects(camera) for camera in cameras)
    world.intervene(SetDrawer(layout.DRAWER_TRAVEL_M))
    assert all("blue block" in rig.visible_objects(camera) for camera in ("front", "overhead"))


def test_the_button_toggles_once_a_press(world: TabletopWorld) -> None:
    x, y = layout.BUTTON_POSITION
    reach(world, (x, y, 0.10), 1.0)
    for expected in (True, False):
        seen = []
        for dz in (-0.02, -0.02, -0.01, -0.006, -0.004, 0.0, 0.03, 0.03):
            world.step(Action((0.0, 0.0, dz), gripper=1.0))
            seen.append(world.physical_state().switches["lamp"])
        assert seen[0] is not expected
        assert seen[-1] is expected
        assert sum(a != b for a, b in pairwise(seen)) == 1
        assert world.physical_state().joints["button"] < layout.BUTTON_RELEASED_M


def test_a_scene_without_fixtures_has_none_of_them() -> None:
    with TabletopWorld(SceneSpec(objects=("red block",)), 0) as world:
        state = world.physical_state()
        assert set(state.objects) == {"table", "red block"}
        assert not state.joints
        assert not state.switches


@pytest.mark.parametrize(
    ("display", "words"),
    [("", "DISPLAY is not set"), (":9731", "no X server answers at DISPLAY=:9731"), ("here", "no X server answers"),
     ("127.0.0.1:59.0", "no X server answers")],
)  # fmt: skip
def test_a_window_needs_a_display(monkeypatch: pytest.MonkeyPatch, display: str, words: str) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(DisplayError, match=words):
        TabletopWorld(SPEC, 0, gui=True)


def test_full_visuals_change_no_physics() -> None:
    ends = []
    for full in (False, True):
        with TabletopWorld(SPEC, 2, full_visuals=full) as world:
            close_around(world, "red block")
            ends.append(world.physical_state())
    assert ends[0] == ends[1]


def test_what_falls_off_the_table_comes_to_rest_on_the_floor(world: TabletopWorld) -> None:
    world._simulation.place("red block", (0.45, layout.TABLE.y_min - 0.04, 0.05), (0.0, 0.0, 0.0, 1.0))
    assert world.settle(3.0)
    assert world.physical_state().objects["red block"].position_m[2] == pytest.approx(layout.FLOOR_Z_M + 0.02, abs=0.01)
    seen = CameraRig(world, 96).segmentation("front")
    assert set(seen.ravel().tolist()) <= {-1, world.robot_body, *world.bodies.values()}


def test_worlds_live_side_by_side(world: TabletopWorld) -> None:
    with TabletopWorld(SPEC, 9) as other:
        before = world.physical_state()
        for _ in range(3):
            other.step(Action((0.02, 0.0, -0.02)))
        assert world.physical_state() == before


def test_finger_tips_are_where_the_tool_point_says(world: TabletopWorld) -> None:
    reach(world, (0.45, -0.30, 0.03), 0.0)
    tips = [p.getAABB(world.robot_body, link, physicsClientId=world.client)[0][2] for link in panda.FINGER_LINKS]
    tool = world.proprioception().tool_position_m[2]
    assert np.allclose(tips, tool - panda.FINGER_REACH_M, atol=0.004)
