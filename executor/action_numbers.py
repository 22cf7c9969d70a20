"""An RT-2 action as eight numbers, as datasets, networks and environments have it: terminate, metres, radians,
closedness.

Not for: bins and tokens (rt2.action_tokens), or whether the robot may do it (robots.safety).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robots.robot import Action
from rt2.dimensions import standard_dimensions

ORDER = tuple(dimension.name for dimension in standard_dimensions())


def numbers_of(action: Action) -> NDArray[np.float32]:
    """(8,) in the order of ORDER."""
    numbers = (float(action.terminate), *action.world_vector, *action.rotation_delta, action.gripper)
    return np.array(numbers, dtype=np.float32)


def action_of(numbers: ArrayLike) -> Action:
    """The action of (8,) numbers; from one half on it terminates. Raises ValueError for another shape."""
    values = np.asarray(numbers, dtype=np.float64)
    if values.shape != (len(ORDER),):
        raise ValueError(f"an action is eight numbers ({', '.join(ORDER)}), not shape {values.shape}")
    terminate, x, y, z, roll, pitch, yaw, gripper = values.tolist()
    return Action((x, y, z), (roll, pitch, yaw), gripper, terminate >= 0.5)
