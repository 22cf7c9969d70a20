"""Motion primitives that the scripted experts share: stateless maps from a PhysicalState to the next RT-2 action.

They aim from where the hand is now, so that any state, also one that a policy blundered into, has a sensible next
action. Not for: what a skill is after (skills.pick and its neighbours), the room a hand needs (skills.hand).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from robots.physical_state import HandState, PhysicalState
from robots.robot import Action, Vector3
from skills.geometry import bottom_m, rotation
from skills.hand import (
    FINGER_THICKNESS_M,
    OPENING_M,
    PALM_HALF_LENGTH_M,
    PALM_OVER_TOOL_M,
    TIP_BELOW_TOOL_M,
    Obstacle,
    hand_yaw_rad,
)
from skills.planar import distance_m, is_within

STEP_M = 0.045  # longest step: RT-2's action range is 5 cm, and a step that fills it cannot be corrected
TURN_RAD = 0.22  # with what the arm turns below it, under the wrist's 0.26 a step
TURN_GAIN = 0.7  # a full correction every step overshoots and, learned, oscillates
YAW_TOLERANCE_RAD = 0.3  # closing fingers turn a cube by that much into line
YAW_MIDDLE_RAD = math.pi / 4  # where the wrist stands in the middle of its range when the hand is straight ahead
YAW_REACH_RAD = 1.7  # either way from there the wrist stays clear of its limits, also at the table's sides
ALIGNED_M = 0.008
CLOSED_M = 0.02
NEAR_M = 0.02  # nearer than that above its goal, the hand comes down between what stands around it
MARGIN_M = 0.015  # between what moves and what it passes over
CONE_SLOPE = 2.5  # a hand off its goal comes down along a funnel
RETREAT_M = 0.04  # fingertips over all that they stood beside


def closedness(opening_m: float) -> float:
    return 1.0 - opening_m / OPENING_M


def yaw_error_rad(hand: HandState, yaw_rad: float) -> float:
    """Turn from the hand's yaw to the wanted one, not through the wrist's limits."""
    return yaw_rad - hand_yaw_rad(hand)


def equal_yaws(yaw_rad: float, period_rad: float) -> tuple[float, ...]:
    """The yaws within the wrist's limits that are equal to this one for something of that symmetry."""
    first = math.ceil((YAW_MIDDLE_RAD - YAW_REACH_RAD - yaw_rad) / period_rad)
    last = math.floor((YAW_MIDDLE_RAD + YAW_REACH_RAD - yaw_rad) / period_rad)
    return tuple(yaw_rad + k * period_rad for k in range(first, last + 1))


def nearest_yaw(hand: HandState, yaw_rad: float, period_rad: float) -> float:
    return min(equal_yaws(yaw_rad, period_rad), key=lambda yaw: abs(yaw_error_rad(hand, yaw)))


def rises_m(height_m: float) -> tuple[float, ...]:
    """Control steps straight up that make a height together."""
    count = math.ceil(height_m / STEP_M)
    return (height_m / count,) * count if count else ()


def move(hand: HandState, by: Vector3, yaw_rad: float | None, grip: float) -> Action:
    """One step by a displacement, shortened to STEP_M, while turning to a yaw and staying upright."""
    length = math.hypot(*by)
    scale = min(1.0, STEP_M / length) if length > 0 else 0.0
    x, y, z = (scale * component for component in by)
    matrix = rotation(hand.tool_orientation)
    roll, pitch = _bounded(-matrix[1][2], 0.1), _bounded(matrix[0][2], 0.1)  # approach axis back to straight down
    yaw = 0.0 if yaw_rad is None else _bounded(TURN_GAIN * yaw_error_rad(hand, yaw_rad), TURN_RAD)
    return Action((x, y, z), (roll, pitch, yaw), min(max(grip, 0.0), 1.0))


def stop(grip: float) -> Action:
    return Action(gripper=min(max(grip, 0.0), 1.0), terminate=True)


def approach(
    state: PhysicalState,
    goal: Vector3,
    yaw_rad: float,
    grip: float,
    around: Sequence[Obstacle],
    *,
    needs_opening_m: float = 0.0,
    needs_closed: bool = False,
) -> Action:
    """Come over the goal clear of obstacles, then down on it, turning on the way.

    The last part is a funnel: the farther off, turned away or closed the hand is, the higher it stays.
    """
    hand = state.hand
    x, y, z = hand.tool_position_m
    dx, dy = goal[0] - x, goal[1] - y
    off = math.hypot(dx, dy)
    turned = max(0.0, abs(yaw_error_rad(hand, yaw_rad)) - YAW_TOLERANCE_RAD)
    shaped = hand.opening_m < CLOSED_M if needs_closed else hand.opening_m >= needs_opening_m - 0.001
    wanted = goal[2] + CONE_SLOPE * max(0.0, off - ALIGNED_M)
    ready = turned == 0.0 and shaped
    needed = 0.0 if ready and off < NEAR_M else passing_height_m(state, goal, around)
    if not ready:
        wanted = max(wanted, goal[2] + 0.05)
    wanted = max(min(wanted, max(z, goal[2] + 0.12)), needed)
    free = 1.0 - min(max((needed - z - 0.01) / 0.03, 0.0), 1.0)  # first up, then across
    across = free * min(1.0, STEP_M / off) if off > 0 else 0.0
    return move(hand, (across * dx, across * dy, wanted - z), yaw_rad, grip)


def passing_height_m(state: PhysicalState, goal: Vector3, around: Sequence[Obstacle]) -> float:
    """Height the tool needs now, so that it can go on to the goal at a slope and hit nothing on the way."""
    x, y, z = state.hand.tool_position_m
    below = TIP_BELOW_TOOL_M
    if state.hand.held is not None:
        below = max(below, z - bottom_m(state.objects[state.hand.held]))
    finger_reach = state.hand.opening_m / 2 + FINGER_THICKNESS_M + MARGIN_M
    palm_reach = PALM_HALF_LENGTH_M + MARGIN_M
    needed = 0.0
    for obstacle in around:
        for reach, height in (
            (finger_reach, obstacle.top_m + below + MARGIN_M),
            (palm_reach, obstacle.top_m - PALM_OVER_TOOL_M + MARGIN_M),
        ):
            if height > needed and is_within(obstacle.outline, (x, y), goal[:2], reach):
                ahead = max(0.0, distance_m(obstacle.outline, (x, y)) - reach)
                needed = max(needed, height - 0.8 * ahead)
    return needed


def _bounded(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)


def rise(state: PhysicalState, grip: float) -> Action:
    return move(state.hand, (0.0, 0.0, STEP_M), None, grip)


def clear_height_m(state: PhysicalState, around: Sequence[Obstacle]) -> float:
    """Tool height at which the fingertips are over all that they now stand beside."""
    here = state.hand.tool_position_m[:2]
    reach = state.hand.opening_m / 2 + FINGER_THICKNESS_M + MARGIN_M
    tops = [o.top_m for o in around if distance_m(o.outline, here) < reach]
    return max(tops, default=0.0) + TIP_BELOW_TOOL_M + RETREAT_M


def retreat(state: PhysicalState, around: Sequence[Obstacle], grip: float) -> Action:
    """Straight up from whatever is near, then terminate."""
    missing = clear_height_m(state, around) - state.hand.tool_position_m[2]
    return rise(state, grip) if missing > 0 else stop(grip)
