"""Views: what each camera shows pixel by pixel, which body and how far, and what can be asked of that.

Rendered from the simulator by the cameras' own calibration, so it sees just what the pictures show, no more.
Not for: pictures (robots.tabletop.cameras) or what follows from a view (world_model.perception.oracle).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pybullet as p
from numpy.typing import NDArray

from robots.tabletop.cameras import FAR_M, NEAR_M, CameraRig, RenderedWorld, projection_matrix, view_matrix

Points = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEPTH_SLACK_M = 0.006  # a surface point lies up to half a slanted pixel before or behind its pixel's depth


@dataclass(frozen=True)
class View:
    """One camera's geometry. bodies: (height, width) PyBullet ids, -1 for nothing; depth_m: along the optical axis."""

    bodies: NDArray[np.int64]
    depth_m: NDArray[np.float64]
    intrinsics: NDArray[np.float64]
    world_to_camera: NDArray[np.float64]

    def pixels_of(self) -> dict[int, int]:
        """Body id → pixels it fills."""
        ids, counts = np.unique(self.bodies[self.bodies >= 0], return_counts=True)
        return dict(zip(ids.tolist(), counts.tolist(), strict=True))

    def shows(self, points_m: Points, slack_m: float = DEPTH_SLACK_M) -> Mask:
        """Which of the points (n, 3) have nothing between them and this camera: a surface there would be in view."""
        depth, inside, row, column = self._locate(points_m)
        return inside & (self.depth_m[row, column] > depth - slack_m)

    def _locate(self, points_m: Points) -> tuple[NDArray[np.float64], Mask, NDArray[np.int64], NDArray[np.int64]]:
        """Depth, whether in the picture, and pixel row and column, clipped into the picture."""
        local = points_m @ self.world_to_camera[:3, :3].T + self.world_to_camera[:3, 3]
        depth = local[:, 2]
        pixels = local @ self.intrinsics.T
        height, width = self.bodies.shape
        with np.errstate(divide="ignore", invalid="ignore"):
            column, row = np.floor(pixels[:, 0] / pixels[:, 2]), np.floor(pixels[:, 1] / pixels[:, 2])
        inside = (depth > NEAR_M) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        clipped_row = np.where(inside, row, 0).astype(np.int64)
        clipped_column = np.where(inside, column, 0).astype(np.int64)
        return depth, inside, clipped_row, clipped_column


def look(world: RenderedWorld, cameras: Sequence[str], size: int) -> tuple[View, ...]:
    """One view from each named camera, `size` pixels square. Raises CameraError for a name that is no camera."""
    rig = CameraRig(world, size)
    return tuple(_view(world, rig, name, size) for name in cameras)


def _view(world: RenderedWorld, rig: CameraRig, name: str, size: int) -> View:
    calibration = rig.calibration(name)
    _, _, _, buffer, segmentation = p.getCameraImage(
        size,
        size,
        view_matrix(calibration.camera_to_world),
        projection_matrix(calibration.intrinsics, size, size),
        renderer=p.ER_TINY_RENDERER,
        shadow=0,
        flags=p.ER_SEGMENTATION_MASK_OBJECT_AND_LINKINDEX,
        physicsClientId=world.client,
    )
    linked = np.asarray(segmentation, dtype=np.int64).reshape(size, size)
    depth = FAR_M * NEAR_M / (FAR_M - (FAR_M - NEAR_M) * np.asarray(buffer, dtype=np.float64).reshape(size, size))
    return View(
        np.where(linked >= 0, linked & 0xFFFFFF, -1),
        depth,
        calibration.intrinsics,
        np.linalg.inv(calibration.camera_to_world).astype(np.float64),
    )


def shown_by_any(views: Sequence[View], points_m: Points, slack_m: float = DEPTH_SLACK_M) -> Mask:
    """Which of the points (n, 3) at least one view shows."""
    shown = np.zeros(len(points_m), dtype=bool)
    for view in views:
        shown |= view.shows(points_m, slack_m)
    return shown
