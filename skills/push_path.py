"""The way of a pushed block to its zone: straight while what is near leaves room, else aside past what stands there;
where that does not lead there, first aside to a free lane, or the cheapest way around everything.

Recomputed at every step from the scene alone, so that a push stays Markov. Straight and aside are four headings in all,
and what is near decides: pictures tell both. Not for: the hand's motion (skills.push).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robots.physical_state import PhysicalState
from robots.tabletop import layout
from skills.hand import PALM_HALF_LENGTH_M, PALM_OVER_TOOL_M, Obstacle, hand_yaw_rad, obstacles
from skills.planar import Point2, distance_m, distance_to_way_m, distances_m, is_within, segment_distance_m
from skills.predicates import past_line_m

TOWARDS: dict[str, Point2] = {"left": (0.0, 1.0), "right": (0.0, -1.0), "front": (1.0, 0.0), "back": (-1.0, 0.0)}
PAST_M = 0.012  # over the line, so that the block also settles past it
HALF_WIDTH_M = 0.032  # of the lane that a block at any yaw and the fingers around it need
# A hand that is turned for a straight push stays at it in a narrow lane, and one that goes aside goes on until the lane
# is wide: whoever sees a lane's width only to a centimetre does not turn to and fro between the two.
STAYING_HALF_WIDTH_M = 0.024
STRAIGHT_HALF_WIDTH_M = 0.035
LANE_HALF_WIDTH_M = 0.038  # that is looked for aside
ASIDE_PITCH_M = 0.01
MOST_ASIDE_M = 0.30
NARROW_M = 0.026  # of one in which the block may scrape along something
FINGERS_AHEAD_M = 0.050
MOVABLE_TOP_M = 0.05  # one block on the table: in need it is pushed along
PITCH_M = 0.02
NEAR_M = 0.06  # so far ahead, beyond fingers and palm, is looked before a push goes on
MOST_LEGS = 24
NEAREST_M = 0.31  # to the robot's base: the hand hardly reaches nearer
AREA_SLACK_M = 0.02  # beyond the placing area; towards the robot there is none
COMFORT_M = 0.055  # a way keeps so far from things where that costs little
CROWD_COST = 3.0  # times longer counts a way as narrow as a lane may be
SIGHT_M = 0.16  # at most so long is a leg that is not the last


@dataclass(frozen=True)
class Leg:
    """The next straight part of the way: unit heading and length in metres."""

    heading: Point2
    length_m: float


def next_leg(state: PhysicalState, block: str, zone: str) -> Leg | None:
    """The leg to push along now; None where no way leads to the zone. Single blocks give way before there is none."""
    everything = obstacles(state, ignoring=(block,))
    firm = [o for o in everything if not _gives_way(state, o)]
    for around in (everything, firm):
        for find in (_by_what_is_near, _straight_or_aside, _around):
            for half_width_m in (HALF_WIDTH_M, NARROW_M):
                leg = find(state, block, zone, around, half_width_m)
                if leg is not None:
                    return leg
    return None


def _by_what_is_near(
    state: PhysicalState, block: str, zone: str, around: Sequence[Obstacle], half_width_m: float
) -> Leg | None:
    """Straight while the next NEAR_M are free, else aside past what stands there, on the side on which that is less:
    each step makes the same choice surer. None where that does not lead to the zone."""
    here, towards = state.objects[block].position_m[:2], TOWARDS[zone]
    left = PAST_M - past_line_m(state, block, zone)
    straight = _is_turned_for(state, towards)
    first = None
    for _ in range(MOST_LEGS):
        leg = _near_leg(here, towards, left, around, half_width_m, is_straight=straight)
        if leg is None:
            return None
        first = first or leg
        here = (here[0] + leg.length_m * leg.heading[0], here[1] + leg.length_m * leg.heading[1])
        straight = leg.heading == towards
        left -= leg.length_m if straight else 0.0
        if left <= 1e-9:
            return first
    return None


def _near_leg(
    here: Point2, towards: Point2, left_m: float, around: Sequence[Obstacle], half_width_m: float, *, is_straight: bool
) -> Leg | None:
    """The next leg from a point; None where neither side is free. is_straight: whether the leg before was."""
    lane = STAYING_HALF_WIDTH_M if is_straight else STRAIGHT_HALF_WIDTH_M
    if half_width_m < HALF_WIDTH_M:
        lane = min(lane, half_width_m)
    near = min(left_m, NEAR_M)
    side = (-towards[1], towards[0])
    if _may_go(here, towards, near, around, lane):
        return Leg(towards, near)
    before = [o for o in around if is_within(o.outline, here, _lane_end(here, towards, near, o), lane)]
    off = [(x - here[0]) * side[0] + (y - here[1]) * side[1] for o in before for x, y in o.outline]
    if not off:
        return None
    clear = max(half_width_m, lane) + ASIDE_PITCH_M / 2
    shifts = ((max(off) + clear, side), (clear - min(off), (-side[0], -side[1])))
    for by, way in sorted(shifts):
        end = (here[0] + by * way[0], here[1] + by * way[1])
        if by <= MOST_ASIDE_M and _on_table(end) and _may_go(here, way, by, around, half_width_m):
            return Leg(way, by)
    return None


def _straight_or_aside(
    state: PhysicalState, block: str, zone: str, around: Sequence[Obstacle], half_width_m: float
) -> Leg | None:
    """Towards the zone, or at right angles to that as little as it takes to get into a lane that is free to its end."""
    start, (tx, ty) = state.objects[block].position_m[:2], TOWARDS[zone]
    left = PAST_M - past_line_m(state, block, zone)
    straight = STAYING_HALF_WIDTH_M if _is_turned_for(state, (tx, ty)) else STRAIGHT_HALF_WIDTH_M
    lane = LANE_HALF_WIDTH_M
    if half_width_m < HALF_WIDTH_M:
        straight, lane = min(straight, half_width_m), half_width_m
    if _may_go(start, (tx, ty), left, around, straight):
        return Leg((tx, ty), left)
    sides = [(-ty, tx), (ty, -tx)]
    for k in range(1, round(MOST_ASIDE_M / ASIDE_PITCH_M) + 1):
        by = k * ASIDE_PITCH_M
        sides = [side for side in sides if _may_go(start, side, by, around, half_width_m)]
        for ux, uy in sides:
            beside = (start[0] + by * ux, start[1] + by * uy)
            if _on_table(beside) and _may_go(beside, (tx, ty), left, around, lane):
                return Leg((ux, uy), by)
    return None


def _is_turned_for(state: PhysicalState, heading: Point2) -> bool:
    """Whether the fingers stand along this heading rather than across it."""
    along = hand_yaw_rad(state.hand) + math.pi / 2 - math.atan2(heading[1], heading[0])
    return abs(math.cos(along)) > math.sqrt(0.5)


def _may_go(start: Point2, heading: Point2, length_m: float, around: Sequence[Obstacle], half_width_m: float) -> bool:
    return _is_reached(start, heading, length_m) and lane_is_free(start, heading, length_m, around, half_width_m)


def _on_table(point: Point2) -> bool:
    area, slack = layout.PLACING_AREA, AREA_SLACK_M
    inside = area.x_min <= point[0] <= area.x_max + slack and area.y_min - slack <= point[1] <= area.y_max + slack
    return inside and math.hypot(*point) >= NEAREST_M + 2 * ASIDE_PITCH_M


def _gives_way(state: PhysicalState, obstacle: Obstacle) -> bool:
    thing = state.objects.get(obstacle.name)
    return thing is not None and thing.category == "block" and obstacle.top_m < MOVABLE_TOP_M


def _around(state: PhysicalState, block: str, zone: str, around: Sequence[Obstacle], half_width_m: float) -> Leg | None:
    """The first leg of the cheapest way."""
    start = state.objects[block].position_m[:2]
    points = _Field(around, zone, half_width_m).way_from(start)
    if not points:
        return None
    near = (q for q in reversed(points[1:]) if math.dist(start, q) <= SIGHT_M)
    seen = next((q for q in near if _is_free(start, q, around, half_width_m)), None)
    goal = seen or points[min(2, len(points) - 1)]
    length = math.dist(start, goal)
    if length < 1e-6:
        return None
    return Leg(((goal[0] - start[0]) / length, (goal[1] - start[1]) / length), length)


def _is_reached(start: Point2, heading: Point2, length_m: float) -> bool:
    """Whether the whole way is far enough from the robot's base."""
    end = (start[0] + max(length_m, 0.0) * heading[0], start[1] + max(length_m, 0.0) * heading[1])
    return segment_distance_m((0.0, 0.0), start, end) > NEAREST_M - PITCH_M / 2


def lane_is_free(
    start: Point2, heading: Point2, length_m: float, around: Sequence[Obstacle], half_width_m: float
) -> bool:
    """Nothing in the block's lane, nor where fingers and palm run ahead of it."""
    return not any(is_within(o.outline, start, _lane_end(start, heading, length_m, o), half_width_m) for o in around)


def straight_room_m(state: PhysicalState, block: str, zone: str) -> float:
    """From the middle of the next NEAR_M straight towards a zone to the nearest thing, metres; 0 where one stands
    there, infinite where nothing else stands on the table."""
    start, heading = state.objects[block].position_m[:2], TOWARDS[zone]
    left = min(NEAR_M, PAST_M - past_line_m(state, block, zone))
    around = obstacles(state, ignoring=(block,))
    ways = ((o.outline, _lane_end(start, heading, left, o)) for o in around)
    return min((distance_to_way_m(outline, start, end) for outline, end in ways), default=math.inf)


def _lane_end(start: Point2, heading: Point2, length_m: float, beside: Obstacle) -> Point2:
    """How far a lane reaches beside a thing: to the block's end, and on to that of the fingers or the palm ahead."""
    ahead = max(length_m, 0.0) + (PALM_HALF_LENGTH_M if beside.top_m > PALM_OVER_TOOL_M else FINGERS_AHEAD_M)
    return (start[0] + ahead * heading[0], start[1] + ahead * heading[1])


def _is_free(start: Point2, end: Point2, around: Sequence[Obstacle], half_width_m: float) -> bool:
    """A leg may start as near to a thing as the block now stands."""
    return not any(
        is_within(o.outline, start, end, half_width_m)
        and is_within(o.outline, start, end, distance_m(o.outline, start) - 0.001)
        for o in around
    )


class _Field:
    """A grid over the table: how far every point is from what stands there, and the cheapest way to a zone."""

    def __init__(self, around: Sequence[Obstacle], zone: str, half_width_m: float) -> None:
        area, slack = layout.PLACING_AREA, AREA_SLACK_M
        self.pitch_m = PITCH_M if half_width_m == HALF_WIDTH_M else PITCH_M / 2  # fine enough for a narrow lane
        self.xs = np.arange(area.x_min, area.x_max + slack + 1e-9, self.pitch_m)
        self.ys = np.arange(area.y_min - slack, area.y_max + slack + 1e-9, self.pitch_m)
        grid_x, grid_y = np.meshgrid(self.xs, self.ys, indexing="ij")
        room = np.full(grid_x.shape, np.inf)
        for obstacle in around:
            room = np.minimum(room, distances_m(obstacle.outline, grid_x, grid_y))
        crowded = np.clip((COMFORT_M - room) / (COMFORT_M - half_width_m), 0.0, 1.0)
        out = (room < half_width_m) | (np.hypot(grid_x, grid_y) < NEAREST_M)
        self.cost = np.where(out, np.inf, 1.0 + CROWD_COST * crowded)
        past = {
            "left": grid_y - layout.ZONE_LEFT_Y_M,
            "right": layout.ZONE_RIGHT_Y_M - grid_y,
            "front": grid_x - layout.ZONE_FRONT_X_M,
            "back": layout.ZONE_BACK_X_M - grid_x,
        }[zone]
        self.in_zone = past >= PAST_M

    def way_from(self, start: Point2) -> list[Point2]:
        """Grid points from the start to the zone (Dijkstra 1959); empty where none leads there.

        Around the start itself nothing is too near: the block stands there already.
        """
        first = (int(np.abs(self.xs - start[0]).argmin()), int(np.abs(self.ys - start[1]).argmin()))
        best, came = {first: 0.0}, {first: first}
        queue = [(0.0, first)]
        costs, goals = self.cost.tolist(), self.in_zone.tolist()  # plain lists: read one by one they are far faster
        columns, rows = len(self.xs), len(self.ys)
        while queue:
            reached, cell = heapq.heappop(queue)
            if reached > best[cell]:
                continue
            if goals[cell[0]][cell[1]]:
                return self._trace(cell, came)
            for step, length in _STEPS:
                near = (cell[0] + step[0], cell[1] + step[1])
                if not (0 <= near[0] < columns and 0 <= near[1] < rows):
                    continue
                leaving = max(abs(near[0] - first[0]), abs(near[1] - first[1])) <= 1
                cost = costs[near[0]][near[1]]
                if cost == math.inf and not leaving:
                    continue
                total = reached + length * self.pitch_m * (min(cost, 10.0) if leaving else cost)
                if total < best.get(near, math.inf):
                    best[near], came[near] = total, cell
                    heapq.heappush(queue, (total, near))
        return []

    def _trace(self, cell: tuple[int, int], came: dict[tuple[int, int], tuple[int, int]]) -> list[Point2]:
        cells = [cell]
        while came[cells[-1]] != cells[-1]:
            cells.append(came[cells[-1]])
        return [(float(self.xs[i]), float(self.ys[j])) for i, j in reversed(cells)]


_STEPS = tuple(((i, j), math.hypot(i, j)) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))
