"""Cameras: what the calibration says lies at a pixel is what the picture shows there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pybullet as p
import pytest

from robots.robot import Action, CameraImage
from robots.tabletop.cameras import (
    CAMERAS,
    CameraError,
    CameraRig,
    intrinsics,
    jittered,
    link_index,
    look_at,
    project,
)
from robots.tabletop.layout import BLOCK_SIZE_M, PLACING_AREA
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.variations import Strengths, Variation
from robots.tabletop.world import TabletopWorld

BLOCKS = {
    "red block": (0.34, -0.30),
    "green block": (0.60, -0.30),
    "blue block": (0.52, -0.12),
    "yellow block": (0.62, 0.14),
    "purple block": (0.34, 0.16),
}
SCENE = SceneSpec(
    objects=(*BLOCKS, "orange block", "drawer", "button", "lamp"),
    relations=("in(orange block, drawer)", "open(drawer)"),
    positions=BLOCKS,
)
VARIATIONS = [None, Variation.draw(5, Strengths(table=0.0, light=0.0, distractors=0))]


@pytest.fixture(scope="module", params=VARIATIONS, ids=["straight", "jittered"])
def world(request: pytest.FixtureRequest) -> Iterator[TabletopWorld]:
    with TabletopWorld(SCENE, 3, variation=request.param) as world:
        world.step(Action((0.0, 0.0, 0.05)))
        yield world


def corners(world: TabletopWorld, name: str) -> np.ndarray:
    state = world.physical_state().objects[name]
    turn = np.reshape(p.getMatrixFromQuaternion(state.orientation), (3, 3))
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
    return np.asarray(state.position_m) + signs * np.asarray(state.size_m) / 2 @ turn.T


def hue_at(image: CameraImage, pixel: np.ndarray) -> np.ndarray:
    column, row = (int(v) for v in pixel)  # the pixel whose square holds the point
    return image.rgb[row, column].astype(float) / 255


@pytest.mark.parametrize("camera", ["front", "overhead"])
@pytest.mark.parametrize("size", [96, (160, 120)])
def test_the_top_of_each_block_is_where_the_calibration_puts_it(world, camera, size):
    image = CameraRig(world, size).capture([camera])[camera]
    objects = world.physical_state().objects
    for name in [*BLOCKS, "orange block"]:
        top = np.add(objects[name].position_m, (0, 0, 0.02))
        pixels, depth = project(image, top[None])
        seen, wanted = hue_at(image, pixels[0]), np.array(COLOUR[name.split()[0]])
        assert depth[0] > 0
        assert np.linalg.norm(seen / seen.max() - wanted / wanted.max()) < 0.25, f"{name} is not at {pixels[0]}"


def test_the_wrist_sees_the_block_between_the_fingers_where_it_is():
    with TabletopWorld(SceneSpec(objects=("red block",), positions={"red block": (0.45, 0.0)}), 0) as world:
        for _ in range(40):
            tool = np.asarray(world.proprioception().tool_position_m)
            way = np.array([0.45, 0.0, 0.025]) - tool
            world.step(Action(tuple(np.clip(way, -0.03, 0.03))))
        rig = CameraRig(world)
        image = rig.capture(["wrist"])["wrist"]
        block = np.asarray(world.physical_state().objects["red block"].position_m)
        pixels, _ = project(image, block[None] + [0, 0, 0.02])
        red, green, blue = hue_at(image, pixels[0])
        assert red > 2 * green
        assert red > 2 * blue
        assert np.all(np.abs(pixels[0] - 48) < 24), "what is between the fingers belongs into the picture's middle"
        assert rig.visible_objects("wrist")["red block"] > 200


@pytest.mark.parametrize("camera", ["front", "overhead"])
def test_silhouettes_lie_where_the_corners_project_to_a_fraction_of_a_pixel(world, camera):
    """Half a pixel off in either direction would fail here."""
    rig = CameraRig(world, (300, 260))
    image = rig.capture([camera])[camera]
    offsets = []
    for name in BLOCKS:
        pixels, _ = project(image, corners(world, name))
        rows, columns = np.nonzero(rig.segmentation(camera) == world.bodies[name])
        middle = np.array([columns.min() + columns.max() + 1, rows.min() + rows.max() + 1]) / 2
        offsets.append(middle - (pixels.min(axis=0) + pixels.max(axis=0)) / 2)
        assert np.all(np.abs(offsets[-1]) <= 0.8)
    assert np.all(np.abs(np.mean(offsets, axis=0)) < 0.3)


def test_a_block_in_the_closed_drawer_is_seen_by_no_camera():
    closed = SceneSpec(
        objects=("red block", "blue block", "drawer"),
        relations=("in(blue block, drawer)",),
        positions={"red block": (0.55, -0.2)},
    )
    with TabletopWorld(closed, 1) as world:
        rig = CameraRig(world, 192)
        for camera in CAMERAS:
            assert "blue block" not in rig.visible_objects(camera)
        assert rig.visible_objects("overhead")["red block"] > 20


@pytest.mark.parametrize(("camera", "size"), [("front", 96), ("front", (160, 96)), ("overhead", 96)])
def test_the_whole_workspace_and_the_open_drawer_are_in_view(world, camera, size):
    seen = CameraRig(world, size).visible_objects(camera)
    for name in world.bodies:
        assert seen.get(name, 0) >= 8, f"{camera} shows {seen.get(name, 0)} pixels of the {name}"


@pytest.mark.parametrize("seed", range(40))
def test_jitter_that_checkpoints_are_trained_for_leaves_every_block_in_the_wide_front_picture(seed):
    jitter = Variation.draw(seed, Strengths(cameras=0.5)).jitter("front")
    mount, (width, height) = CAMERAS["front"], (160, 96)
    pose = jittered(look_at(mount.eye_m, mount.target_m, mount.up), jitter)
    image = CameraImage(
        np.zeros((height, width, 3), np.uint8), intrinsics(width, height, mount.view_deg + jitter.view_deg), pose, 0.0
    )
    area, middle_m = PLACING_AREA, BLOCK_SIZE_M / 2
    edges = [(x, y, middle_m) for x in (area.x_min, area.x_max) for y in (area.y_min, area.y_max)]
    pixels, depth = project(image, np.array(edges))
    assert (depth > 0).all()
    assert ((pixels >= 0) & (pixels <= (width, height))).all(), pixels


def test_jitter_moves_the_camera_and_the_calibration_tells():
    with TabletopWorld(SCENE, 3) as straight, TabletopWorld(SCENE, 3, variation=VARIATIONS[1]) as jittered:
        for camera in CAMERAS:
            before, after = CameraRig(straight).calibration(camera), CameraRig(jittered).calibration(camera)
            assert not np.allclose(before.camera_to_world, after.camera_to_world, atol=1e-5)
            assert before.intrinsics[0, 0] != after.intrinsics[0, 0]


def test_rotations_of_poses_are_rotations(world):
    for camera in CAMERAS:
        turn = CameraRig(world).calibration(camera).camera_to_world[:3, :3]
        assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-6)
        assert np.linalg.det(turn) == pytest.approx(1.0)


def test_unknown_names_and_sizes_list_the_valid_choices(world):
    with pytest.raises(CameraError, match="front, overhead, wrist"):
        CameraRig(world).capture(["side"])
    with pytest.raises(CameraError, match="8 to 4096"):
        CameraRig(world, (0, 96))
    with pytest.raises(CameraError, match="panda_hand"):
        link_index(world.client, world.robot_body, "panda_foot")


COLOUR = {
    "red": (0.86, 0.13, 0.12),
    "green": (0.13, 0.62, 0.22),
    "blue": (0.12, 0.30, 0.85),
    "yellow": (0.96, 0.83, 0.10),
    "purple": (0.52, 0.16, 0.66),
    "orange": (0.97, 0.50, 0.06),
}
