"""What a VLA is shown of an observation: its pictures at the sizes it was trained for, and a state vector.

Not for: the model's own normalisation (rt2), or what the robot senses beyond that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from robots.robot import Observation, Proprioception, Quaternion

STATE = ("tool_x", "tool_y", "tool_z", "yaw_cos", "yaw_sin", "opening", "closedness", "contact")
# (width, height) in pixels. What stands on the table fills the width of the front picture and half a square's height:
# a wide one shows a block 7 pixels wide instead of 4.
IMAGE_SIZES: Mapping[str, tuple[int, int]] = {"front": (160, 96), "wrist": (64, 64)}
MOST_CONTACT_N = 20.0  # a blow of any more feels the same


def state_vector(proprioception: Proprioception) -> NDArray[np.float32]:
    """(8,) the entries named in STATE: metres, cosine and sine of the hand's yaw, metres, closedness, newtons."""
    yaw_rad = _yaw_rad(proprioception.tool_orientation)
    entries = (
        *proprioception.tool_position_m,
        math.cos(yaw_rad),
        math.sin(yaw_rad),
        proprioception.gripper_opening_m,
        proprioception.gripper_closedness,
        min(proprioception.contact_force_n, MOST_CONTACT_N),
    )
    return np.array(entries, dtype=np.float32)


def observation_images(
    observation: Observation, sizes: Mapping[str, tuple[int, int]] = IMAGE_SIZES
) -> dict[str, NDArray[np.uint8]]:
    """Camera → rgb (height, width, 3) of each camera in `sizes` ((width, height) in pixels).

    Raises ValueError naming the cameras there are where one is missing, or both sizes where they differ.
    """
    pictures = {}
    for name, (width, height) in sizes.items():
        if name not in observation.images:
            raise ValueError(f"no picture from camera '{name}'; have: {', '.join(observation.images) or 'none'}")
        rgb = observation.images[name].rgb
        if rgb.shape != (height, width, 3):
            raise ValueError(f"camera '{name}' gives {_size(rgb.shape)}; the model takes {_size((height, width, 3))}")
        pictures[name] = rgb
    return pictures


def _size(shape: tuple[int, ...]) -> str:
    """In words, of an array of pixels."""
    if len(shape) == 3 and shape[2] == 3:
        return f"{shape[1]}x{shape[0]} pixels"
    return f"an array of shape {shape}, not (height, width, 3)"


def _yaw_rad(orientation: Quaternion) -> float:
    """Turn of the hand about the vertical; 0 at home."""
    x, y, z, w = orientation
    return math.atan2(2 * (x * y + z * w), 1 - 2 * (y * y + z * z))
