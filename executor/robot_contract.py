"""What the tabletop robot says of itself to a checkpoint: frame, rate, gripper, state vector, cameras as they stand.

Not for: what a checkpoint wants (rt2.action_contract), which is held against this before anything moves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from executor.vla_inputs import STATE
from robots.robot import CONTROL_RATE_HZ, Vector3
from robots.tabletop.cameras import CAMERAS, DEFAULT_SIZE, Matrix, jittered, look_at
from robots.tabletop.variations import CameraJitter, Variation
from rt2.action_contract import RobotContract
from rt2.camera_contract import CameraView

FRAME = "base"
GRIPPER = "0 open, 1 closed"


def tabletop_contract(
    sizes: Mapping[str, tuple[int, int]] | None = None, variation: Variation | None = None
) -> RobotContract:
    """The tabletop's side of the bargain; every camera it has is named, whether anyone asks for its pictures or not.

    sizes: (width, height) in pixels of the pictures of each camera, the default size for those left out.
    variation: the world's; its cameras stand where its jitter has put them.
    """
    sizes, jitter = sizes or {}, (variation or Variation()).jitter
    square = (DEFAULT_SIZE, DEFAULT_SIZE)
    return RobotContract(
        frame=FRAME,
        rate_hz=CONTROL_RATE_HZ,
        gripper=GRIPPER,
        cameras={name: camera_view(name, sizes.get(name, square), jitter(name)) for name in CAMERAS},
        state=STATE,
    )


def camera_view(name: str, size: tuple[int, int], jitter: CameraJitter) -> CameraView:
    """One of the tabletop's cameras, shifted, turned and widened by its jitter."""
    mount, (width, height) = CAMERAS[name], size
    pose = jittered(look_at(mount.eye_m, mount.target_m, mount.up), jitter)
    distance_m = float(np.linalg.norm(np.subtract(mount.target_m, mount.eye_m)))
    return CameraView(
        width=width,
        height=height,
        view_deg=mount.view_deg + jitter.view_deg,
        eye_m=_vector(pose[:3, 3]),
        target_m=_vector(pose[:3, 3] + distance_m * pose[:3, 2]),
        up=_vector(-pose[:3, 1]),
        link=mount.link,
    )


def _vector(values: Matrix) -> Vector3:
    return (float(values[0]), float(values[1]), float(values[2]))
