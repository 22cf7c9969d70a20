"""How experts take hold of a block and let it go: yaw and opening of the hand, lifting, lowering, free spots.

Not for: paths to get there (skills.motion).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from robots.physical_state import ObjectState, PhysicalState
from robots.robot import Action, Vector3
from robots.tabletop import layout
from skills.geometry import bottom_m, half_height_m, heading_rad, rotation, support_of, top_m
from skills.hand import (
    OPENING_M,
    TIP_BELOW_TOOL_M,
    Obstacle,
    grip_outline,
    hand_gap_m,
    is_between_fingers,
    nearby,
    obstacles,
)
from skills.motion import (
    STEP_M,
    YAW_TOLERANCE_RAD,
    approach,
    closedness,
    equal_yaws,
    move,
    retreat,
    stop,
    yaw_error_rad,
)
from skills.planar import Outline, distance_m

NARROW_OPENING_M = 0.062  # in tight places; a cube 0.3 rad askew is 5 cm wide
NARROW_OPENINGS_M = (NARROW_OPENING_M, 0.052)
SHIFTS_M = (0.0, 0.005, -0.005, 0.010, -0.010)  # along the closing direction: a finger slips in beside a wall
ENOUGH_GAP_M = 0.010
HAND_REACH_M = 0.17  # things farther off matter to no grasp
SURE_GAP_M = 0.005  # with so much room the hand opens wide
BOWL_GRASP_RISE_M = 0.010  # a bowl narrows towards its floor: grasp higher there
LIFT_M = 0.05  # block's foot over what is under it
RELEASE_GAP_M = 0.006
FREEING_M = 0.006
CENTRED_M = 0.012
SPOT_PITCH_M = 0.02


@dataclass(frozen=True)
class Grasp:
    """Where the tool point goes, how the hand is turned, and how far its fingers are open."""

    tool_m: Vector3
    yaw_rad: float
    opening_m: float
    gap_m: float


def plan_grasp(state: PhysicalState, block: ObjectState) -> Grasp:
    """The grasp that has enough room and needs the least turn; where none has, the one with the most room."""
    container = _container(state, block)
    in_bowl = container is not None and container.category == "bowl"
    others = obstacles(state, ignoring=(block.name, container.name) if container and in_bowl else (block.name,))
    around = nearby(others, block.position_m[:2], HAND_REACH_M)
    lift = BOWL_GRASP_RISE_M if in_bowl else 0.0
    x, y, z = block.position_m
    height = min(z + lift, top_m(block) - 0.008)
    yaws = equal_yaws(heading_rad(block.orientation), math.pi / 2)

    def options(openings_m: Sequence[float], shifts_m: Sequence[float]) -> list[tuple[float, Grasp]]:
        found = []
        for opening, yaw, shift in product(openings_m, yaws, shifts_m):
            tool = (x - shift * math.sin(yaw), y + shift * math.cos(yaw), height)
            gap = _gap_m(tool, yaw, opening, around, container)
            found.append((_worth(state, block, yaw, gap), Grasp(tool, yaw, opening, gap)))
        return found

    _, best = max(options((OPENING_M,), (0.0,)), key=lambda option: option[0])
    if best.gap_m >= SURE_GAP_M:
        return best
    return max(options((OPENING_M, *NARROW_OPENINGS_M), SHIFTS_M), key=lambda option: option[0])[1]


def _worth(state: PhysicalState, block: ObjectState, yaw: float, gap: float) -> float:
    """Room first, up to ENOUGH_GAP_M, then a small turn; closing along a leaning axis is worst."""
    closing = (-math.sin(yaw), math.cos(yaw))
    matrix = rotation(block.orientation)
    flat = max(abs(matrix[0][a] * closing[0] + matrix[1][a] * closing[1]) for a in range(3))
    return min(gap, ENOUGH_GAP_M) - 0.003 * abs(yaw_error_rad(state.hand, yaw)) - 0.1 * (1.0 - flat)


def _gap_m(
    tool: Vector3, yaw: float, opening_m: float, around: Sequence[Obstacle], container: ObjectState | None
) -> float:
    gap = hand_gap_m(tool[:2], tool[2], yaw, opening_m, around)
    if container is not None and container.category == "bowl":
        grip = grip_outline(tool[:2], yaw, opening_m)
        gap = min(gap, bowl_room_m(container, grip, tool[2] - TIP_BELOW_TOOL_M))
    return gap


def bowl_room_m(bowl: ObjectState, outline: Outline, z_m: float) -> float:
    """Gap between an outline inside a bowl and its wall at that height."""
    share = (z_m - bottom_m(bowl) - layout.BOWL_FLOOR_THICKNESS_M) / (
        layout.BOWL_HEIGHT_M - layout.BOWL_FLOOR_THICKNESS_M
    )
    radius = layout.BOWL_FLOOR_RADIUS_M + min(max(share, 0.0), 1.0) * (
        layout.BOWL_INNER_RADIUS_M - layout.BOWL_FLOOR_RADIUS_M
    )
    x, y = bowl.position_m[:2]
    return radius - max(math.hypot(cx - x, cy - y) for cx, cy in outline)


def _container(state: PhysicalState, block: ObjectState) -> ObjectState | None:
    support = support_of(state, block.name)
    return state.objects[support.name] if support is not None and support.inside else None


def grasp(state: PhysicalState, name: str) -> Action:
    """Come down around a block and close the fingers."""
    block = state.objects[name]
    plan = plan_grasp(state, block)
    hand = state.hand
    low = abs(hand.tool_position_m[2] - plan.tool_m[2]) < 0.008
    turned = abs(yaw_error_rad(hand, plan.yaw_rad)) > YAW_TOLERANCE_RAD + 0.05
    if low and not turned and is_between_fingers(hand, block):
        return Action(gripper=1.0)
    return approach(
        state, plan.tool_m, plan.yaw_rad, closedness(plan.opening_m), obstacles(state),
        needs_opening_m=min(plan.opening_m, hand.opening_m) if low else plan.opening_m - 0.006,
    )  # fmt: skip


def lift(state: PhysicalState, name: str) -> Action:
    """Raise a gripped block until it is well over what is under it, then terminate."""
    block = state.objects[name]
    missing = floor_under_m(state, name) + LIFT_M - bottom_m(block)
    if missing > 0 or state.hand.held != name:
        return move(state.hand, (0.0, 0.0, min(max(missing, 0.02), STEP_M)), None, 1.0)
    return stop(1.0)


def floor_under_m(state: PhysicalState, name: str) -> float:
    """Height of the highest thing under a block, the table at least."""
    here = state.objects[name].position_m
    tops = [o.top_m for o in obstacles(state, ignoring=(name,)) if distance_m(o.outline, here[:2]) < 0.03]
    return max((top for top in tops if top < here[2]), default=0.0)


def put(
    state: PhysicalState,
    name: str,
    foot: Vector3,
    yaw_rad: float,
    opening_m: float,
    *,
    drop_m: float = 0.0,
    near_m: float = CENTRED_M,
) -> Action:
    """Bring a gripped block's foot to a point and let go; drop_m: from how far above that point it may fall, near_m:
    from how far beside it."""
    hand, block = state.hand, state.objects[name]
    offset = tuple(b - t for b, t in zip(block.position_m, hand.tool_position_m, strict=True))
    goal = (foot[0] - offset[0], foot[1] - offset[1], foot[2] + half_height_m(block) - offset[2])
    off = math.hypot(foot[0] - block.position_m[0], foot[1] - block.position_m[1])
    if off < near_m and bottom_m(block) - foot[2] < drop_m + RELEASE_GAP_M:
        return Action(gripper=closedness(opening_m))
    goal = (goal[0], goal[1], goal[2] + drop_m)
    return approach(state, goal, yaw_rad, 1.0, obstacles(state, ignoring=(name,)))


def leave(state: PhysicalState) -> Action:
    """After letting go: open, rise from what was placed, terminate. Fingers that a neighbour keeps from opening rise
    slowly until they are free."""
    hand = state.hand
    between = any(o.category == "block" and is_between_fingers(hand, o) for o in state.objects.values())
    if between and hand.opening_m < 0.05:
        return move(hand, (0.0, 0.0, FREEING_M), None, closedness(NARROW_OPENING_M))
    opening = max(hand.opening_m, NARROW_OPENING_M)
    return retreat(state, obstacles(state), closedness(opening))
