"""The room a hand needs: outlines of fingers, palm and obstacles from above, and the gaps between them.

A hand that points down is three upright prisms: two fingers and, PALM_OVER_TOOL_M higher, a palm. Everything else is
an obstacle with an outline and a top. Not for: choosing motions (skills.motion).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from robots.physical_state import HandState, ObjectState, PhysicalState
from robots.tabletop import layout
from skills.geometry import block_on, bottom_m, heading_rad, rotation, top_m
from skills.planar import Outline, Point2, disc, gap_m, rectangle

OPENING_M = 0.08  # between open fingers
FINGER_THICKNESS_M = 0.012  # along the closing direction
FINGER_WIDTH_M = 0.020  # across it
TIP_BELOW_TOOL_M = 0.010
PALM_OVER_TOOL_M = 0.084
PALM_HALF_LENGTH_M = 0.104  # along the closing direction
PALM_HALF_WIDTH_M = 0.034
FAR_M = 0.05  # gaps beyond this are all the same to a hand


@dataclass(frozen=True)
class Obstacle:
    """What must not be hit from the side: upright from the table to its top."""

    name: str
    outline: Outline
    top_m: float


def nearby(around: Iterable[Obstacle], point: Point2, reach_m: float) -> list[Obstacle]:
    """Those that come within reach of a point, and perhaps a few more: a quick look before exact gaps are measured."""
    found = []
    for obstacle in around:
        x, y = obstacle.outline[0]
        ax, ay = obstacle.outline[len(obstacle.outline) // 2]  # the corner across
        radius = math.hypot(x - ax, y - ay) / 2
        if math.hypot((x + ax) / 2 - point[0], (y + ay) / 2 - point[1]) < reach_m + radius:
            found.append(obstacle)
    return found


def hand_yaw_rad(hand: HandState) -> float:
    """Turn of the hand about the vertical; 0 at home, with the fingers closing along y."""
    matrix = rotation(hand.tool_orientation)
    return math.atan2(matrix[1][0], matrix[0][0])


def obstacles(state: PhysicalState, ignoring: Iterable[str] = ()) -> tuple[Obstacle, ...]:
    """Everything that stands up from the table, but for what is held, what rides on it, and what is in `ignoring`."""
    skip = {*ignoring, *_carried(state)}
    found: list[Obstacle] = []
    for thing in state.objects.values():
        if thing.name not in skip and thing.category not in ("table", "pad"):
            found.extend(_obstacles_of(thing))
    return tuple(found)


def _carried(state: PhysicalState) -> set[str]:
    """What the hand holds, and the blocks on it."""
    carried: set[str] = set()
    held = state.hand.held
    while held is not None and held not in carried:
        carried.add(held)
        held = block_on(state, held)
    return carried


def _obstacles_of(thing: ObjectState) -> list[Obstacle]:
    centre = thing.position_m[:2]
    if thing.category in ("bowl", "button", "lamp"):
        return [Obstacle(thing.name, disc(centre, thing.size_m[0] / 2), top_m(thing))]
    if thing.category == "drawer":
        return _cabinet_and_drawer(thing)
    yaw = heading_rad(thing.orientation)
    return [Obstacle(thing.name, rectangle(centre, yaw, thing.size_m[0] / 2, thing.size_m[1] / 2), top_m(thing))]


def _cabinet_and_drawer(drawer: ObjectState) -> list[Obstacle]:
    """The cabinet's body, the drawer's four walls and its handle."""
    (x, y), wall = drawer.position_m[:2], layout.DRAWER_WALL_THICKNESS_M
    half_x, half_y = drawer.size_m[0] / 2, drawer.size_m[1] / 2
    front = y - half_y
    handle_y = front - layout.HANDLE_GAP_M - layout.HANDLE_THICKNESS_M / 2
    handle_top = layout.HANDLE_HEIGHT_Z_M + layout.HANDLE_THICKNESS_M / 2
    top, back_half = top_m(drawer), layout.DRAWER_INTERIOR_Y_M / 2 + 2 * wall
    cabinet_half_x = half_x + layout.CABINET_CLEARANCE_M + layout.CABINET_WALL_THICKNESS_M
    cabinet = rectangle((x, layout.CABINET_FACE_Y_M + back_half), 0.0, cabinet_half_x, back_half)
    parts = [Obstacle("cabinet", cabinet, layout.CABINET_HEIGHT_M)]
    for centre, size_x, size_y in (
        ((x, front + wall / 2), half_x, wall / 2),
        ((x, y + half_y - wall / 2), half_x, wall / 2),
        ((x - half_x + wall / 2, y), wall / 2, half_y),
        ((x + half_x - wall / 2, y), wall / 2, half_y),
    ):
        parts.append(Obstacle(drawer.name, rectangle(centre, 0.0, size_x, size_y), top))
    bar = rectangle((x, handle_y), 0.0, layout.HANDLE_LENGTH_M / 2, layout.HANDLE_THICKNESS_M / 2)
    return [*parts, Obstacle("handle", bar, handle_top)]


def grip_outline(centre: Point2, yaw_rad: float, opening_m: float) -> Outline:
    """The two fingers and all that they close upon, from above."""
    return rectangle(centre, yaw_rad, FINGER_WIDTH_M / 2, opening_m / 2 + FINGER_THICKNESS_M)


def palm_outline(centre: Point2, yaw_rad: float) -> Outline:
    return rectangle(centre, yaw_rad, PALM_HALF_WIDTH_M, PALM_HALF_LENGTH_M)


def hand_gap_m(centre: Point2, tool_z_m: float, yaw_rad: float, opening_m: float, around: Iterable[Obstacle]) -> float:
    """The smallest gap between a hand at that pose and the obstacles that reach its fingers or its palm."""
    grip = grip_outline(centre, yaw_rad, opening_m)
    palm = palm_outline(centre, yaw_rad)
    gap = FAR_M
    for obstacle in nearby(around, centre, PALM_HALF_LENGTH_M + FAR_M):
        if obstacle.top_m < tool_z_m - TIP_BELOW_TOOL_M:
            continue
        gap = min(gap, gap_m(grip, obstacle.outline))
        if obstacle.top_m > tool_z_m + PALM_OVER_TOOL_M - 0.005:
            gap = min(gap, gap_m(palm, obstacle.outline))
    return gap


def gripped(state: PhysicalState) -> str | None:
    """The block between closed fingers, held in the air or still on its support."""
    hand = state.hand
    if hand.held is not None:
        return hand.held
    for thing in state.objects.values():
        if thing.category == "block" and is_between_fingers(hand, thing) and hand.opening_m <= thing.size_m[0] + 0.004:
            return thing.name
    return None


def is_between_fingers(hand: HandState, thing: ObjectState) -> bool:
    """Whether the centre of a thing is so near the tool point that closing the fingers grasps it."""
    dx, dy = (thing.position_m[k] - hand.tool_position_m[k] for k in (0, 1))
    yaw = hand_yaw_rad(hand)
    across = dx * math.cos(yaw) + dy * math.sin(yaw)
    along = -dx * math.sin(yaw) + dy * math.cos(yaw)
    low = bottom_m(thing) - 0.004 <= hand.tool_position_m[2] - TIP_BELOW_TOOL_M <= top_m(thing) - 0.012
    return abs(across) < 0.016 and abs(along) < 0.022 and low
