"""Outlines: convex polygons seen from above, and the distances and gaps between them, points and straight ways.

Not for: what has which outline (skills.hand).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Point2 = tuple[float, float]
Outline = tuple[Point2, ...]  # corners of a convex polygon, counter-clockwise, metres


def rectangle(centre: Point2, yaw_rad: float, half_x: float, half_y: float) -> Outline:
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    corners = ((half_x, half_y), (-half_x, half_y), (-half_x, -half_y), (half_x, -half_y))
    return tuple((centre[0] + c * x - s * y, centre[1] + s * x + c * y) for x, y in corners)


def disc(centre: Point2, radius: float) -> Outline:
    """A regular octagon around the disc."""
    reach = radius / math.cos(math.pi / 8)
    turns = (math.pi / 8 + k * math.pi / 4 for k in range(8))
    return tuple((centre[0] + reach * math.cos(t), centre[1] + reach * math.sin(t)) for t in turns)


def gap_m(one: Outline, other: Outline) -> float:
    """Distance between two convex outlines along their best separating edge; negative: they overlap by so much."""
    return max(_separation_m(one, other), _separation_m(other, one))


def _separation_m(one: Outline, other: Outline) -> float:
    best = -math.inf
    previous = one[-1]
    for corner in one:
        ex, ey = corner[0] - previous[0], corner[1] - previous[1]
        length = math.hypot(ex, ey)
        nx, ny = ey / length, -ex / length  # outward for counter-clockwise corners
        best = max(best, min((x - corner[0]) * nx + (y - corner[1]) * ny for x, y in other))
        previous = corner
    return best


def distance_m(outline: Outline, point: Point2) -> float:
    """From a point to an outline; 0 inside it."""
    return distance_to_way_m(outline, point, point)


def distances_m(outline: Outline, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """From many points, arrays of one shape, to an outline; 0 inside."""
    best = np.full(x.shape, np.inf)
    inside = np.ones(x.shape, dtype=bool)
    previous = outline[-1]
    for corner in outline:
        ex, ey = corner[0] - previous[0], corner[1] - previous[1]
        px, py = x - previous[0], y - previous[1]
        share = np.clip((px * ex + py * ey) / (ex * ex + ey * ey), 0.0, 1.0)
        best = np.minimum(best, np.hypot(px - share * ex, py - share * ey))
        inside &= ex * py - ey * px >= 0
        previous = corner
    return np.where(inside, 0.0, best)


def distance_to_way_m(outline: Outline, start: Point2, end: Point2) -> float:
    """From a straight way to an outline; 0 where it crosses it."""
    if start == end:
        return _distance_to_point_m(outline, start)
    if _inside(outline, start) or _inside(outline, end):
        return 0.0
    best = math.inf
    previous = outline[-1]
    for corner in outline:
        if _cross(start, end, previous, corner):
            return 0.0
        best = min(
            best, segment_distance_m(corner, start, end), segment_distance_m(start, previous, corner),
            segment_distance_m(end, previous, corner),
        )  # fmt: skip
        previous = corner
    return best


def is_within(outline: Outline, start: Point2, end: Point2, reach_m: float) -> bool:
    """Whether a straight way comes nearer to an outline than reach_m; quick where it stays far off."""
    (ax, ay), (bx, by) = outline[0], outline[len(outline) // 2]  # the corner across
    radius = math.hypot(ax - bx, ay - by) / 2  # rectangles and octagons lie in the circle around these two
    if segment_distance_m(((ax + bx) / 2, (ay + by) / 2), start, end) > reach_m + radius + 1e-9:
        return False
    return distance_to_way_m(outline, start, end) < reach_m


def _distance_to_point_m(outline: Outline, point: Point2) -> float:
    """From a point to an outline; 0 inside it. Written out: experts ask it thousands of times a second."""
    x, y = point
    px, py = outline[-1]
    best, outside = math.inf, False
    for cx, cy in outline:
        ex, ey, dx, dy = cx - px, cy - py, x - px, y - py
        if ex * dy - ey * dx < 0:
            outside = True
        share = (dx * ex + dy * ey) / (ex * ex + ey * ey)
        share = 0.0 if share < 0.0 else 1.0 if share > 1.0 else share
        dx -= share * ex
        dy -= share * ey
        square = dx * dx + dy * dy
        best = min(best, square)
        px, py = cx, cy
    return math.sqrt(best) if outside else 0.0


def segment_distance_m(point: Point2, start: Point2, end: Point2) -> float:
    """From a point to a straight way."""
    ex, ey = end[0] - start[0], end[1] - start[1]
    square = ex * ex + ey * ey
    share = 0.0 if square == 0 else ((point[0] - start[0]) * ex + (point[1] - start[1]) * ey) / square
    share = min(max(share, 0.0), 1.0)
    return math.hypot(point[0] - start[0] - share * ex, point[1] - start[1] - share * ey)


def _inside(outline: Outline, point: Point2) -> bool:
    previous = outline[-1]
    for corner in outline:
        if _turn(previous, corner, point) < 0:
            return False
        previous = corner
    return True


def _cross(a: Point2, b: Point2, c: Point2, d: Point2) -> bool:
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0


def _turn(a: Point2, b: Point2, c: Point2) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
