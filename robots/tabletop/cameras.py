"""The tabletop's three cameras: where they stand, calibrated pictures, and which objects they see.

Rendering is Bullet's TinyRenderer on the CPU. Geometry and pixels cost about the same, so only the cameras asked for
are drawn, without shadows, and the robot's own views show collision hulls (see docs/benchmarks.md).
Not for: pictures for people (video), or noise and dropped frames (faults).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from robots.robot import CameraImage, Vector3
from robots.tabletop.variations import CameraJitter, Lighting, Variation

Matrix: TypeAlias = NDArray[np.float64]
Pixels: TypeAlias = NDArray[Any]

DEFAULT_SIZE = 96
ImageSize: TypeAlias = int | tuple[int, int]  # (width, height) in pixels, or one number for both
ImageSizes: TypeAlias = ImageSize | Mapping[str, ImageSize]  # one for all cameras, or one for each by name
NEAR_M, FAR_M = 0.02, 4.0


class CameraError(ValueError):
    """No such camera, or a picture size that is none; the message lists the valid choices."""


class RenderedWorld(Protocol):
    """What a camera needs to know of a world: a PyBullet client, the ids of the bodies in it, its look, its clock."""

    @property
    def client(self) -> int: ...
    @property
    def bodies(self) -> Mapping[str, int]: ...
    @property
    def robot_body(self) -> int: ...
    @property
    def variation(self) -> Variation | None: ...
    @property
    def time_s(self) -> float: ...


@dataclass(frozen=True)
class CameraMount:
    """Where a camera is: eye and target in metres, in the base frame or, with a link, in that link's frame.

    view_deg: the opening angle across the picture's width; a lower picture shows less above and below.
    """

    eye_m: Vector3
    target_m: Vector3
    up: Vector3
    view_deg: float
    link: str | None = None


CAMERAS: Mapping[str, CameraMount] = {
    # steep enough to look into the open drawer, far enough to hold the whole table from button to right edge, aimed so
    # that no jitter takes the table's near edge out of a picture of 5:3
    "front": CameraMount((1.16, 0.02, 0.86), (0.46, 0.02, 0.08), (0.0, 0.0, 1.0), 52.0),
    "overhead": CameraMount((0.45, 0.05, 1.25), (0.45, 0.05, 0.0), (1.0, 0.0, 0.0), 46.0),
    # behind the fingers, looking past them at what is between and below their tips; forward is up, as from overhead
    "wrist": CameraMount((-0.055, 0.0, 0.040), (-0.012, 0.0, 0.160), (1.0, 0.0, 0.0), 75.0, link="panda_hand"),
}


@dataclass(frozen=True)
class Calibration:
    """Intrinsics (3, 3) in pixels and pose camera_to_world (4, 4), as in CameraImage."""

    intrinsics: Matrix
    camera_to_world: Matrix


@dataclass(frozen=True)
class SegmentedImage:
    """One picture and what each of its pixels shows, of one drawing.

    bodies, links: (height, width) id of the body, -1 for none, and index of its link, -1 for its base.
    """

    image: CameraImage
    bodies: NDArray[np.int32]
    links: NDArray[np.int32]


class CameraRig:
    """Draws a world as its cameras see it. A camera that a mapping of sizes leaves out has the default size.

    Raises CameraError for a size that is none, and for a mapping with a name that is no camera.
    """

    def __init__(self, world: RenderedWorld, size: ImageSizes = DEFAULT_SIZE) -> None:
        self._world = world
        named = size if isinstance(size, Mapping) else dict.fromkeys(CAMERAS, size)
        for name in named:
            self._mount(name)
        self._sizes = {name: _checked_size(named.get(name, DEFAULT_SIZE)) for name in CAMERAS}
        self._hand: dict[tuple[int, int], dict[str, int]] = {}
        self._fixed: dict[str, tuple[Variation | None, Calibration]] = {}  # how each camera is mounted, once drawn

    def capture(self, names: Iterable[str]) -> dict[str, CameraImage]:
        """One picture from each named camera. Raises CameraError for a name that is no camera."""
        return {name: self._capture(name) for name in names}

    def capture_segmented(self, names: Iterable[str]) -> dict[str, SegmentedImage]:
        """As `capture`, with what each pixel shows; one drawing a camera gives both."""
        return {name: self._capture_segmented(name) for name in names}

    def size_of(self, name: str) -> tuple[int, int]:
        """(width, height) of a camera's pictures in pixels. Raises CameraError for a name that is no camera."""
        self._mount(name)
        return self._sizes[name]

    def calibration(self, name: str) -> Calibration:
        """What `capture` would write beside the picture now; jitter included, because a calibration measures it."""
        mount, fixed = self._mount(name), self._mounted(name)
        if mount.link is None:
            return fixed
        return Calibration(fixed.intrinsics, self._link_pose(mount.link) @ fixed.camera_to_world)

    def _mounted(self, name: str) -> Calibration:
        """A camera's calibration with its pose in what it is mounted on, which no motion changes."""
        variation = self._world.variation
        known = self._fixed.get(name)
        if known is not None and known[0] is variation:
            return known[1]
        mount, jitter = self._mount(name), self._jitter(name)
        width, height = self._sizes[name]
        pose = jittered(look_at(mount.eye_m, mount.target_m, mount.up), jitter)
        fixed = Calibration(intrinsics(width, height, mount.view_deg + jitter.view_deg), pose)
        for shared in (fixed.intrinsics, fixed.camera_to_world):
            shared.flags.writeable = False
        self._fixed[name] = (variation, fixed)
        return fixed

    def visible_objects(self, name: str, least_pixels: int = 1) -> dict[str, int]:
        """Pixels of each object that the camera sees, by name; objects with fewer than least_pixels are left out."""
        ids, counts = np.unique(self.segmentation(name), return_counts=True)
        seen = dict(zip(ids.tolist(), counts.tolist(), strict=True))
        return {
            name: seen[body] for name, body in self._world.bodies.items() if seen.get(body, 0) >= max(1, least_pixels)
        }

    def segmentation(self, name: str) -> NDArray[np.int64]:
        """(height, width) id of the body that each pixel of the named camera shows, -1 for none."""
        return self._capture_segmented(name).bodies.astype(np.int64)

    def _capture(self, name: str) -> CameraImage:
        calibration = self.calibration(name)
        _, _, rgba, *_ = self._draw(name, calibration, p.ER_NO_SEGMENTATION_MASK)
        return self._image(name, calibration, rgba)

    def _capture_segmented(self, name: str) -> SegmentedImage:
        calibration, (width, height) = self.calibration(name), self._sizes[name]
        _, _, rgba, _, values = self._draw(name, calibration, p.ER_SEGMENTATION_MASK_OBJECT_AND_LINKINDEX)
        ids = np.asarray(values, dtype=np.int32).reshape(height, width)  # body + (link + 1) * 2^24
        bodies = np.where(ids >= 0, ids & 0xFFFFFF, -1).astype(np.int32)
        return SegmentedImage(self._image(name, calibration, rgba), bodies, (ids >> 24) - 1)

    def _image(self, name: str, calibration: Calibration, rgba: Pixels) -> CameraImage:
        width, height = self._sizes[name]
        rgb = np.ascontiguousarray(np.reshape(rgba, (height, width, 4))[..., :3], dtype=np.uint8)
        return CameraImage(rgb, calibration.intrinsics, calibration.camera_to_world, self._world.time_s)

    def _draw(self, name: str, calibration: Calibration, flags: int) -> tuple[int, int, Pixels, Pixels, Pixels]:
        width, height = self._sizes[name]
        drawn: tuple[int, int, Pixels, Pixels, Pixels] = p.getCameraImage(
            width,
            height,
            view_matrix(calibration.camera_to_world),
            projection_matrix(calibration.intrinsics, width, height),
            renderer=p.ER_TINY_RENDERER,
            shadow=0,
            flags=flags,
            physicsClientId=self._world.client,
            **light_arguments((self._world.variation or Variation()).light),
        )
        return drawn

    def _mount(self, name: str) -> CameraMount:
        if name not in CAMERAS:
            raise CameraError(f"no camera {name!r}; have: {', '.join(CAMERAS)}")
        return CAMERAS[name]

    def _jitter(self, name: str) -> CameraJitter:
        return (self._world.variation or Variation()).jitter(name)

    def _link_pose(self, link: str) -> Matrix:
        client, body = self._world.client, self._world.robot_body
        links = self._hand.setdefault((client, body), {})
        if link not in links:
            links[link] = link_index(client, body, link)
        state = p.getLinkState(body, links[link], computeForwardKinematics=1, physicsClientId=client)
        pose = np.eye(4)
        pose[:3, :3] = np.reshape(p.getMatrixFromQuaternion(state[5]), (3, 3))
        pose[:3, 3] = state[4]
        return pose


def intrinsics(width: int, height: int, view_deg: float) -> Matrix:
    """Pinhole matrix of TinyRenderer's picture, pixel centres at integer + 0.5; view_deg: across its width.

    TinyRenderer samples a pixel at its left lower corner (tests/robots/test_camera_calibration.py measures it), so
    the principal point lies half a pixel right of and above the middle.
    """
    focal = width / 2 / math.tan(math.radians(view_deg) / 2)
    return np.array([[focal, 0.0, width / 2 + 0.5], [0.0, focal, height / 2 - 0.5], [0.0, 0.0, 1.0]])


def look_at(eye_m: Vector3, target_m: Vector3, up: Vector3) -> Matrix:
    """Pose (4, 4) of a camera at `eye_m` looking at `target_m`; axes x right, y down, z forward."""
    eye = np.asarray(eye_m, dtype=float)
    forward = np.asarray(target_m, dtype=float) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, np.asarray(up, dtype=float))
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, np.cross(forward, right), forward, eye
    return pose


def jittered(pose: Matrix, jitter: CameraJitter) -> Matrix:
    """The pose shifted and turned (roll, pitch, yaw) about the camera's own axes."""
    offset = np.eye(4)
    offset[:3, :3] = np.reshape(p.getMatrixFromQuaternion(p.getQuaternionFromEuler(jitter.turn_rad)), (3, 3))
    offset[:3, 3] = jitter.shift_m
    moved: Matrix = pose @ offset
    return moved


def project(image: CameraImage, points_m: NDArray[np.float64]) -> tuple[Matrix, NDArray[np.float64]]:
    """Pixels (n, 2) as (column, row) and depth (n,) in metres of world points (n, 3); depth <= 0 is behind."""
    world_to_camera = np.linalg.inv(image.camera_to_world)
    seen = points_m @ world_to_camera[:3, :3].T + world_to_camera[:3, 3]
    pixels = seen @ image.intrinsics.T
    return pixels[:, :2] / pixels[:, 2:], seen[:, 2]


def view_matrix(camera_to_world: Matrix) -> list[float]:
    """OpenGL's view matrix, column by column; its camera looks along -z with y up."""
    flipped = camera_to_world @ np.diag([1.0, -1.0, -1.0, 1.0])
    columns: list[float] = np.linalg.inv(flipped).T.ravel().tolist()
    return columns


def projection_matrix(intrinsics_px: Matrix, width: int, height: int) -> list[float]:
    """OpenGL's projection matrix, column by column. Only the focal length enters: the renderer centres by itself."""
    focal = float(intrinsics_px[1, 1])
    depth = FAR_M - NEAR_M
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, 1] = 2 * focal / width, 2 * focal / height
    matrix[2, 2], matrix[2, 3], matrix[3, 2] = -(FAR_M + NEAR_M) / depth, -2 * FAR_M * NEAR_M / depth, -1.0
    columns: list[float] = matrix.T.ravel().tolist()
    return columns


def light_arguments(light: Lighting) -> dict[str, object]:
    """A Lighting as getCameraImage's keywords."""
    return {
        "lightDirection": light.direction,
        "lightColor": light.colour,
        "lightAmbientCoeff": light.ambient,
        "lightDiffuseCoeff": light.diffuse,
        "lightSpecularCoeff": light.specular,
    }


def link_index(client: int, body: int, link: str) -> int:
    """Index of a link by name. Raises CameraError naming the links that the body has."""
    names = [
        p.getJointInfo(body, joint, physicsClientId=client)[12].decode()
        for joint in range(p.getNumJoints(body, physicsClientId=client))
    ]
    if link not in names:
        raise CameraError(f"no link {link!r} to mount a camera on; have: {', '.join(names)}")
    return names.index(link)


def _checked_size(size: ImageSize) -> tuple[int, int]:
    width, height = (size, size) if isinstance(size, int) else size
    if not (8 <= width <= 4096 and 8 <= height <= 4096):
        raise CameraError(f"image size {width}x{height}; expected 8 to 4096 pixels a side")
    return width, height
