"""Where experts put a gripped block: on a thing, on a free spot of the table, in a bowl, in the drawer.

Every choice stays the same until the block stands: it depends on the rest of the scene alone, or on what is nearest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from robots.physical_state import ObjectState, PhysicalState
from robots.robot import Action, Vector3
from robots.tabletop import layout
from skills.geometry import is_inside, top_m
from skills.grasping import ENOUGH_GAP_M, NARROW_OPENING_M, put
from skills.hand import OPENING_M, Obstacle, hand_gap_m, obstacles
from skills.motion import equal_yaws, nearest_yaw, yaw_error_rad
from skills.planar import Point2, distances_m

Spots = NDArray[np.float64]

CLEAR_M = 0.065  # from a free spot to the nearest outline: more makes it no better,
LEAST_CLEAR_M = 0.031  # and less makes it none
FARTHER_M = 5.0  # so much farther off may a spot be for each metre that it is clearer
ZONE_MARGIN_M = 0.02
SPOT_PITCH_M = 0.02
PAD_BONUS_M = 0.02
BOWL_SLOT_M = 0.021  # from a bowl's middle: two blocks lie side by side
BOWL_NEAR_M = 0.015  # a wall that slopes brings a block that falls on it back
BALANCED_M = 0.008  # so near to the bowl's middle, its contents leave no side free
NEAREST_X_M = 0.30  # to the robot's base: a hand that holds something high hardly reaches nearer
UNDER_M = 0.036  # a block whose middle is this near to another's stands on it
DROP_M = 0.004


def put_on_thing(state: PhysicalState, name: str, target: str) -> Action:
    """On the middle of a block or a pad, turned as it comes: what is held hides how the lower block is turned."""
    thing = state.objects[target]
    foot = (thing.position_m[0], thing.position_m[1], top_m(thing))
    return put(state, name, foot, place_yaw(state, name, foot), OPENING_M)


def put_on_table(state: PhysicalState, name: str) -> Action:
    """On the free spot of the table."""
    x, y = free_spot(state, name)
    return put(state, name, (x, y, 0.0), place_yaw(state, name, (x, y, 0.0)), OPENING_M)


def place_yaw(state: PhysicalState, name: str, foot: Vector3) -> float:
    """The hand's yaw that has enough room and needs the least turn; fixed in the world, for what turns with the hand is
    never reached."""
    hand, block = state.hand, state.objects[name]
    around = [o for o in obstacles(state, ignoring=(name,)) if o.top_m > foot[2] + 0.002]
    yaws = equal_yaws(0.0, math.pi / 6)
    tool_z = foot[2] + hand.tool_position_m[2] - block.position_m[2] + block.size_m[2] / 2

    def worth(yaw: float) -> float:
        room = hand_gap_m(foot[:2], tool_z, yaw, OPENING_M, around)
        return min(room, ENOUGH_GAP_M) - 0.003 * abs(yaw_error_rad(hand, yaw))

    return max(yaws, key=worth)


def free_spot(state: PhysicalState, name: str) -> Point2:
    """The free spot of the table's zone-free part that is nearest to the hand, where less room counts as farther off.

    On a straight way there it stays the best. Which spot is near is also easier to see than which has most room.
    """
    here = state.hand.tool_position_m
    around = obstacles(state, ignoring=(name,))
    pads = [o for o in state.objects.values() if o.category == "pad"]
    area, margin = layout.PLACING_AREA, ZONE_MARGIN_M
    inner = _grid(
        layout.ZONE_BACK_X_M + margin, layout.ZONE_FRONT_X_M - margin,
        layout.ZONE_RIGHT_Y_M + margin, layout.ZONE_LEFT_Y_M - margin,
    )  # fmt: skip
    outer = _grid(area.x_min, area.x_max, area.y_min, area.y_max)
    for spots in (inner, outer):
        room = _room_m(spots, around, pads)
        if (room >= LEAST_CLEAR_M).any():
            far = np.hypot(spots[:, 0] - here[0], spots[:, 1] - here[1]) + FARTHER_M * np.maximum(CLEAR_M - room, 0.0)
            return _point(spots[np.where(room >= LEAST_CLEAR_M, far, np.inf).argmin()])
    return _point(outer[_room_m(outer, around, pads).argmax()])


def _room_m(spots: Spots, around: Sequence[Obstacle], pads: Sequence[ObjectState]) -> NDArray[np.float64]:
    """Room around each spot, (n,), metres; a pad counts as somewhat farther off than what stands up."""
    x, y = spots[:, 0], spots[:, 1]
    room = np.full(len(spots), 1.0)
    for obstacle in around:
        room = np.minimum(room, distances_m(obstacle.outline, x, y))
    for pad in pads:
        beside = np.maximum(np.abs(x - pad.position_m[0]), np.abs(y - pad.position_m[1])) - pad.size_m[0] / 2
        room = np.minimum(room, beside + PAD_BONUS_M)
    return room


@cache
def _grid(x_min: float, x_max: float, y_min: float, y_max: float) -> Spots:
    """Spots a pitch apart, (n, 2)."""
    columns = math.floor((x_max - x_min) / SPOT_PITCH_M)
    rows = math.floor((y_max - y_min) / SPOT_PITCH_M)
    spots = [
        (x_min + i * SPOT_PITCH_M, y_min + j * SPOT_PITCH_M) for i, j in product(range(columns + 1), range(rows + 1))
    ]
    return np.array(spots)


def _point(spot: NDArray[np.float64]) -> Point2:
    return (float(spot[0]), float(spot[1]))


def put_in_bowl(state: PhysicalState, name: str, container: str) -> Action:
    """Let it fall from over the rim and all that lies inside: there no wall and no neighbour hinders the fingers."""
    bowl = state.objects[container]
    inside = _contents(state, name, bowl)
    foot = (*_bowl_slot(bowl, inside), max(top_m(o) for o in (bowl, *inside)))
    return put(state, name, foot, place_yaw(state, name, foot), OPENING_M, near_m=BOWL_NEAR_M)


def _bowl_slot(bowl: ObjectState, inside: Sequence[ObjectState]) -> Point2:
    """Across from what lies in the bowl; where that is balanced, to the robot's left."""
    x, y = bowl.position_m[:2]
    across = [sum(bowl.position_m[axis] - o.position_m[axis] for o in inside) for axis in (0, 1)]
    far = math.hypot(*across)
    ux, uy = (across[0] / far, across[1] / far) if far > BALANCED_M else (0.0, 1.0)
    return (max(x + BOWL_SLOT_M * ux, NEAREST_X_M), y + BOWL_SLOT_M * uy)


def put_in_drawer(state: PhysicalState, name: str, container: str) -> Action:
    """In the freest slot of the row, fingers before and behind it."""
    box = state.objects[container]
    inside = _contents(state, name, box)
    x, y = box.position_m[:2]
    pitch, count = layout.DRAWER_SLOT_PITCH_M, layout.DRAWER_CAPACITY
    slots = [(x + (k - (count - 1) / 2) * pitch, y) for k in range(count)]

    def freedom(slot: Point2) -> float:
        return min((math.dist(slot, o.position_m[:2]) for o in inside), default=1.0)

    slot = max(slots, key=lambda s: round(min(freedom(s), pitch), 3))
    foot = (*slot, _height_m(slot, inside, layout.DRAWER_FLOOR_Z_M))
    return put(state, name, foot, nearest_yaw(state.hand, 0.0, math.pi), NARROW_OPENING_M, drop_m=DROP_M)


def _contents(state: PhysicalState, name: str, container: ObjectState) -> list[ObjectState]:
    """The blocks in a container but for the one that is being put there."""
    others = (o for n, o in state.objects.items() if n != name and o.category == "block")
    return [o for o in others if is_inside(o, container)]


def _height_m(slot: Point2, inside: Sequence[ObjectState], floor_m: float) -> float:
    """Top of what lies under a slot of a container."""
    return max((top_m(o) for o in inside if math.dist(slot, o.position_m[:2]) < UNDER_M), default=floor_m)
