"""Plain geometry on a PhysicalState: turned boxes, what stands over what, what directly supports what.

Not for: literals (skills.predicates) or motion (skills.motion).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from robots.physical_state import ObjectState, PhysicalState
from robots.robot import Quaternion, Vector3

Rotation = tuple[Vector3, Vector3, Vector3]  # rows; columns are the body's axes in the base frame

TOUCH_GAP_M = 0.008  # two faces this near carry each other; settled contacts lie within 2 mm
EDGE_SLACK_M = 0.002  # a centre this far past an edge is still over it
HEAP_OVER_RIM_M = 0.01  # what lies on others in a container may stand with its foot this far over the rim
BOWL_INSIDE_SHARE = 0.9  # of the outer radius: a centre within it does not rest on the rim
LEANING_M = 0.04  # nearer than a block is wide, one of two blocks is above the other
LOWEST_RIDER_M, HIGHEST_RIDER_M = 0.015, 0.06  # between centres, from tilted against its side to standing on a corner
STACKABLE = ("block", "pad")


def rotation(orientation: Quaternion) -> Rotation:
    """Rotation matrix of a unit quaternion (x, y, z, w)."""
    x, y, z, w = orientation
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )


def half_height_m(thing: ObjectState) -> float:
    """Distance from its centre up to its highest point as it lies now."""
    row = rotation(thing.orientation)[2]
    return sum(abs(r) * s for r, s in zip(row, thing.size_m, strict=True)) / 2


def top_m(thing: ObjectState) -> float:
    return thing.position_m[2] + half_height_m(thing)


def bottom_m(thing: ObjectState) -> float:
    return thing.position_m[2] - half_height_m(thing)


def in_frame_of(thing: ObjectState, point: Vector3) -> Vector3:
    """The point in the thing's own axes, from its centre."""
    offset = tuple(p - c for p, c in zip(point, thing.position_m, strict=True))
    matrix = rotation(thing.orientation)
    x, y, z = (sum(matrix[row][axis] * offset[row] for row in range(3)) for axis in range(3))
    return (x, y, z)


def heading_rad(orientation: Quaternion) -> float:
    """Yaw of the horizontal axis of a box, whichever face it lies on, in [-pi, pi]."""
    matrix = rotation(orientation)
    axis = min(range(3), key=lambda a: abs(matrix[2][a]))
    return math.atan2(matrix[1][axis], matrix[0][axis])


def is_over(point: Vector3, lower: ObjectState, slack_m: float = EDGE_SLACK_M) -> bool:
    """Whether the point lies above the footprint of a box that lies on a face."""
    yaw = heading_rad(lower.orientation)
    dx, dy = point[0] - lower.position_m[0], point[1] - lower.position_m[1]
    along = dx * math.cos(yaw) + dy * math.sin(yaw)
    across = -dx * math.sin(yaw) + dy * math.cos(yaw)
    return abs(along) <= lower.size_m[0] / 2 + slack_m and abs(across) <= lower.size_m[1] / 2 + slack_m


def horizontal_distance_m(one: Vector3, other: Vector3) -> float:
    return math.hypot(one[0] - other[0], one[1] - other[1])


def table_top_m(state: PhysicalState) -> float:
    table = state.objects.get("table")
    return top_m(table) if table is not None else 0.0


@dataclass(frozen=True)
class Support:
    """What carries an object: the name, and whether it rests in it (bowl, drawer) rather than on it."""

    name: str
    inside: bool


def support_of(state: PhysicalState, name: str) -> Support | None:
    """What carries the object; None for one in the hand, in the air, or that leans on something's edge.

    What stands on a block that is in a container is in that container, too.
    """
    thing = state.objects[name]
    if state.hand.held == name:
        return None
    for container in state.objects.values():
        if container.category in ("bowl", "drawer") and container.name != name and is_inside(thing, container):
            return Support(container.name, inside=True)
    below = _directly_below(state, thing)
    if below is not None:
        foundation = support_of(state, below.name) if below.category == "block" else None
        if foundation is not None and foundation.inside:
            return foundation
        return Support(below.name, inside=False)
    if abs(bottom_m(thing) - table_top_m(state)) <= TOUCH_GAP_M:
        return Support("table", inside=False)
    return None


def _directly_below(state: PhysicalState, thing: ObjectState) -> ObjectState | None:
    """The block or pad whose top carries the thing's middle."""
    bottom = bottom_m(thing)
    below = [
        other
        for other in state.objects.values()
        if other.category in STACKABLE
        and other.name not in (thing.name, state.hand.held)
        and other.position_m[2] < thing.position_m[2]
        and abs(bottom - top_m(other)) <= TOUCH_GAP_M
        and is_over(thing.position_m, other)
    ]
    return min(below, key=lambda o: horizontal_distance_m(thing.position_m, o.position_m), default=None)


def block_on(state: PhysicalState, name: str) -> str | None:
    """The block that stands on an object or leans on it from above, also on one in the hand."""
    x, y, z = state.objects[name].position_m
    for thing in state.objects.values():
        if thing.category == "block" and thing.name != name:
            beside = horizontal_distance_m(thing.position_m, (x, y, z))
            if beside < LEANING_M and LOWEST_RIDER_M < thing.position_m[2] - z < HIGHEST_RIDER_M:
                return thing.name
    return None


def is_inside(thing: ObjectState, container: ObjectState) -> bool:
    """Centre between the walls, lowest point not above the rim (heaped: a little) and not under the floor."""
    x, y, _ = in_frame_of(container, thing.position_m)
    width_x, width_y, _ = container.size_m
    if container.category == "bowl":
        between = math.hypot(x, y) < BOWL_INSIDE_SHARE * width_x / 2
    else:
        between = abs(x) < width_x / 2 and abs(y) < width_y / 2
    return between and bottom_m(container) - TOUCH_GAP_M <= bottom_m(thing) <= top_m(container) + HEAP_OVER_RIM_M
