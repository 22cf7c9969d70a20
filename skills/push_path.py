"""The way of a pushed block to its zone: straight where it is free, else around what stands there by one bend.

Recomputed at every step from the scene alone, so that a push stays Markov. Not for: the hand's motion (skills.push).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from robots.physical_state import PhysicalState
from robots.tabletop import layout
from skills.hand import PALM_HALF_LENGTH_M, PALM_OVER_TOOL_M, Obstacle, Point2, obstacles
from skills.motion import distance_to_way_m
from skills.predicates import past_line_m

TOWARDS: dict[str, Point2] = {"left": (0.0, 1.0), "right": (0.0, -1.0), "front": (1.0, 0.0), "back": (-1.0, 0.0)}
PAST_M = 0.012  # over the line, so that the block also settles past it
HALF_WIDTH_M = 0.032  # of the lane that a block at any yaw and the fingers around it need
BEND_SLACK_M = 0.006  # a lane to turn into must be freer, or the way would flicker between two
FINGERS_AHEAD_M = 0.050
MOVABLE_TOP_M = 0.05  # one block on the table: in need it is pushed along
AREA_SLACK_M = 0.02


@dataclass(frozen=True)
class Leg:
    """The next straight part of the way: unit heading and length in metres."""

    heading: Point2
    length_m: float


def next_leg(state: PhysicalState, block: str, zone: str) -> Leg | None:
    """The leg to push along now; None where no way leads to the zone."""
    everything = obstacles(state, ignoring=(block,))
    firm = [o for o in everything if o.top_m > MOVABLE_TOP_M or o.name not in state.objects or not _is_block(state, o)]
    return _way(state, block, zone, everything) or _way(state, block, zone, firm)


def _is_block(state: PhysicalState, obstacle: Obstacle) -> bool:
    return state.objects[obstacle.name].category == "block"


def _way(state: PhysicalState, block: str, zone: str, around: Sequence[Obstacle]) -> Leg | None:
    start, towards = state.objects[block].position_m[:2], TOWARDS[zone]
    left = PAST_M - past_line_m(state, block, zone)
    if _lane_is_free(start, towards, left, around, HALF_WIDTH_M):
        return Leg(towards, left)
    bends = []
    for forth in (0.0, 0.06, 0.12, -0.06):
        for aside in (s * 0.02 for s in range(-14, 15) if abs(s) > 1):
            bend = (
                start[0] + forth * towards[0] - aside * towards[1],
                start[1] + forth * towards[1] + aside * towards[0],
            )
            bends.append((math.hypot(forth, aside) + max(left - forth, 0.0), bend))
    for _, bend in sorted(bends):
        way = (bend[0] - start[0], bend[1] - start[1])
        length = math.hypot(*way)
        heading = (way[0] / length, way[1] / length)
        rest = left - way[0] * towards[0] - way[1] * towards[1]
        if (
            _on_table(bend)
            and _lane_is_free(bend, towards, rest, around, HALF_WIDTH_M + BEND_SLACK_M)
            and _lane_is_free(start, heading, length, around, HALF_WIDTH_M)
        ):
            return Leg(heading, length)
    return None


def _on_table(point: Point2) -> bool:
    area, slack = layout.PLACING_AREA, AREA_SLACK_M
    return area.x_min - slack <= point[0] <= area.x_max + slack and area.y_min - slack <= point[1] <= area.y_max + slack


def _lane_is_free(start: Point2, heading: Point2, length_m: float, around: Sequence[Obstacle], width_m: float) -> bool:
    """Nothing within `width_m` of the block's way, nor where fingers and palm run ahead of it."""
    for obstacle in around:
        tall = obstacle.top_m > PALM_OVER_TOOL_M
        ahead = max(length_m, 0.0) + (PALM_HALF_LENGTH_M if tall else FINGERS_AHEAD_M)
        end = (start[0] + ahead * heading[0], start[1] + ahead * heading[1])
        if distance_to_way_m(obstacle, start, end) < width_m:
            return False
    return True
