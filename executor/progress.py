"""ProgressWatch: notices that nothing about the robot's own body changes any more.

Not for: whether the skill succeeds (world_model.success). A body at rest is all that it sees.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robots.robot import Proprioception

# One control step of the slowest useful motion is some millimetres; physics jitter at rest stays well below these.
STILL_POSITION_M = 0.001
STILL_OPENING_M = 0.0005
STILL_JOINT_RAD = 0.004
STILL_FORCE_N = 1.0
STILL_COMMAND = 0.01


@dataclass(frozen=True)
class ProgressWatch:
    """Says "stuck" after `patience_steps` control steps in which hand, fingers, joints and felt force stood still.

    Fingers that close, a grip that tightens and a button that gives way change opening, force or position, and so
    count as progress; the patience is longer than any of them takes to settle (grasp 5 steps, press 6).
    """

    patience_steps: int = 15

    def start(self) -> _Window:
        return _Window(self.patience_steps)


class _Window:
    """The last `patience_steps + 1` body states of one skill run."""

    def __init__(self, patience_steps: int) -> None:
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=patience_steps + 1)

    def stuck(self, body: Proprioception) -> bool:
        """Takes in one more state; True where no quantity has moved by more than its tolerance in the window."""
        self._recent.append(_in_tolerances(body))
        if len(self._recent) < (self._recent.maxlen or 0):
            return False
        return bool(np.ptp(np.stack(self._recent), axis=0).max() < 1.0)


def _in_tolerances(body: Proprioception) -> NDArray[np.float64]:
    """The body as one vector, each quantity in units of its tolerance."""
    return np.concatenate(
        [
            np.asarray(body.tool_position_m) / STILL_POSITION_M,
            np.asarray(body.joint_positions_rad) / STILL_JOINT_RAD,
            [body.gripper_opening_m / STILL_OPENING_M],
            [body.gripper_closedness / STILL_COMMAND],
            [body.contact_force_n / STILL_FORCE_N],
        ]
    )
