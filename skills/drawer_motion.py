"""The stroke that opens and closes a drawer: fingers behind its handle bar, pulling the bar or pushing the front.

Behind the bar nothing else can stand, and a hand turned a quarter is narrow along the stroke.
"""

from __future__ import annotations

import math

from robots.physical_state import PhysicalState
from robots.robot import Action
from robots.tabletop.layout import HANDLE_GAP_M, HANDLE_HEIGHT_Z_M
from skills.hand import obstacles
from skills.motion import YAW_TOLERANCE_RAD, approach, move, nearest_yaw, yaw_error_rad

BEHIND_BAR_Z_M = HANDLE_HEIGHT_Z_M - 0.010
STROKE_M = 0.04  # a step of the stroke; the drawer follows at once
PLAY_M = 0.005  # between fingers and bar


def slide_drawer(state: PhysicalState, drawer: str, opening_m: float) -> Action:
    """The next step of bringing the drawer to an opening."""
    box = state.objects[drawer]
    front_y = box.position_m[1] - box.size_m[1] / 2
    x, y, z = state.hand.tool_position_m
    goal = (box.position_m[0], front_y - HANDLE_GAP_M / 2, BEHIND_BAR_Z_M)
    yaw = nearest_yaw(state.hand, math.pi / 2, math.pi)
    behind_bar = abs(x - goal[0]) < 0.03 and abs(y - goal[1]) < HANDLE_GAP_M / 2 and z < BEHIND_BAR_Z_M + 0.012
    if behind_bar and state.hand.opening_m < 0.02 and abs(yaw_error_rad(state.hand, yaw)) < YAW_TOLERANCE_RAD + 0.05:
        left = state.joints[drawer] - opening_m  # to go towards +y
        stroke = math.copysign(min(STROKE_M, abs(left) + PLAY_M), left)
        return move(state.hand, (goal[0] - x, stroke, BEHIND_BAR_Z_M - z), yaw, 1.0)
    return approach(state, goal, yaw, 1.0, obstacles(state), needs_closed=True)
