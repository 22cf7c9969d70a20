"""Footprints: how much table each thing takes, how far apart things must be, and where they can be reached.

Not for: drawing places (placement).
"""

from __future__ import annotations

import math

from robots.tabletop import layout
from robots.tabletop.layout import Point2, Rectangle
from robots.tabletop.names import SceneError, read_thing

HALF_WIDTH_M = {
    "block": 0.029,
    "bowl": layout.BOWL_OUTER_RADIUS_M,
    "pad": layout.PAD_SIZE_M / 2,
    "distractor": 0.035,
    "model": 0.06,
}
STRAIGHT_HALF_WIDTH_M = {**HALF_WIDTH_M, "block": layout.BLOCK_SIZE_M / 2}  # of a block that stands straight
# Free table between two things, so that open fingers (52 mm from a block's centre) go down beside a block.
GAP_M = {
    ("block", "block"): 0.040, ("block", "bowl"): 0.030, ("block", "pad"): 0.010, ("block", "distractor"): 0.035,
    ("bowl", "bowl"): 0.015, ("bowl", "pad"): 0.012, ("bowl", "distractor"): 0.020,
    ("block", "model"): 0.040, ("bowl", "model"): 0.020, ("distractor", "model"): 0.020, ("model", "model"): 0.020,
    ("model", "pad"): 0.020, ("pad", "pad"): 0.010, ("distractor", "pad"): 0.020, ("distractor", "distractor"): 0.020,
}  # fmt: skip
REACHABLE_RADIUS_M = (0.30, 0.765)  # around the robot's base, hand pointing down, up to SAFE_HEIGHT_M
REACHABLE = Rectangle(0.26, 0.70, -0.45, 0.45)


def footprint_gap_m(one: Point2, one_half: float, other: Point2, other_half: float) -> float:
    """Distance between two upright squares of these half widths; negative: how deep they overlap."""
    dx = abs(one[0] - other[0]) - one_half - other_half
    dy = abs(one[1] - other[1]) - one_half - other_half
    return max(dx, dy) if dx < 0 or dy < 0 else math.hypot(dx, dy)


def needed_gap_m(one: str, other: str) -> float:
    """Between things of two categories, when places are drawn."""
    first, second = sorted((one, other))
    return GAP_M[first, second]


def kept_free(objects: tuple[str, ...]) -> dict[str, Rectangle]:
    """Table that the scene's fixtures need: the cabinet with all that its drawer sweeps, button and lamp."""
    found = {}
    if "drawer" in objects:
        half = layout.DRAWER_INTERIOR_X_M / 2 + layout.DRAWER_WALL_THICKNESS_M + layout.CABINET_CLEARANCE_M
        half += layout.CABINET_WALL_THICKNESS_M
        front = layout.handle_centre(layout.DRAWER_TRAVEL_M)[1] - layout.HANDLE_THICKNESS_M / 2
        found["drawer"] = Rectangle(layout.CABINET_X_M - half, layout.CABINET_X_M + half, front, layout.TABLE.y_max)
    if "button" in objects:
        found["button"] = _square(layout.BUTTON_POSITION, layout.BUTTON_BASE_RADIUS_M)
    if "lamp" in objects:
        found["lamp"] = _square(layout.LAMP_POSITION, layout.LAMP_BASE_RADIUS_M)
    return found


def check_place(name: str, category: str, place: Point2, objects: tuple[str, ...]) -> None:
    """Raises SceneError where a thing cannot stand there: out of reach, or in a fixture's way."""
    x, y = place
    if not (math.isfinite(x) and math.isfinite(y)):
        raise SceneError(f"the position of '{name}' is not finite: {place}")
    nearest_m, farthest_m = REACHABLE_RADIUS_M
    if not REACHABLE.contains(place) or not nearest_m <= math.hypot(x, y) <= farthest_m:
        raise SceneError(
            f"'{name}' at ({x:g}, {y:g}) is out of reach; the hand reaches x {REACHABLE.x_min} to {REACHABLE.x_max} m, "
            f"y {REACHABLE.y_min} to {REACHABLE.y_max} m, {nearest_m} to {farthest_m} m from the robot's base"
        )
    half = STRAIGHT_HALF_WIDTH_M[category]
    for fixture, area in kept_free(objects).items():
        if area.x_min - half < x < area.x_max + half and area.y_min - half < y < area.y_max + half:
            raise SceneError(
                f"'{name}' at ({x:g}, {y:g}) is in the way of the {fixture}, which needs x {area.x_min:.2f} to "
                f"{area.x_max:.2f} m, y {area.y_min:.2f} to {area.y_max:.2f} m"
            )


def check_apart(one: str, one_place: Point2, other: str, other_place: Point2) -> None:
    """Raises SceneError where two things with given places stand in each other."""
    halves = [STRAIGHT_HALF_WIDTH_M[read_thing(name).category] for name in (one, other)]
    if footprint_gap_m(one_place, halves[0], other_place, halves[1]) < 0.001:
        raise SceneError(
            f"'{one}' and '{other}' overlap: {100 * math.dist(one_place, other_place):.1f} cm apart, and they need "
            f"{100 * sum(halves):.1f} cm"
        )


def in_zone(place: Point2, zone: str) -> bool:
    """Past the zone's line, with a centimetre to spare."""
    x, y = place
    return {
        "left": y > layout.ZONE_LEFT_Y_M + 0.01,
        "right": y < layout.ZONE_RIGHT_Y_M - 0.01,
        "front": x > layout.ZONE_FRONT_X_M + 0.01,
        "back": x < layout.ZONE_BACK_X_M - 0.01,
    }[zone]


def _square(centre: Point2, half: float) -> Rectangle:
    return Rectangle(centre[0] - half, centre[0] + half, centre[1] - half, centre[1] + half)
