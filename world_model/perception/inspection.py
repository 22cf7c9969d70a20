"""Inspection: of which places the views leave no room for a block that nobody sees, and which expected things are
not where they were.

A place counts as inspected when every spot in it where a block could be is either in view or taken by a seen thing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from robots.physical_state import ObjectState, PhysicalState
from robots.robot import Vector3
from robots.tabletop.layout import BLOCK_SIZE_M, PLACING_AREA
from skills.geometry import bottom_m, is_over, rotation, top_m
from world_model.perception.views import Points, View, shown_by_any

TABLE_MARGIN_M = 0.03  # what was pushed or rolled a little out of the area where things are put
TABLE_PITCH_M = 0.03
INSET = 0.6  # of a box's half extents: a ray to such a point meets the box's surface first, whatever the pixel grid
BEHIND_M = 0.01  # seen so much deeper than a point: whatever stood there would have been in the way
LEAST_EMPTY = 3  # of the points asked for: one pixel at an edge proves nothing
RAISED_M = 0.01  # a thing whose foot is higher than this over the ground lies on something, seen or not
ROOMY = ("table", "pad", "drawer")  # a block has room on or in them
SLOTS = (-0.375, -0.125, 0.125, 0.375)  # of a drawer's length: where its blocks stand

_CORNER_M = 0.35 * BLOCK_SIZE_M  # well inside the top face, so that a corner in view fills a pixel
_TOP = np.array(
    [(0.0, 0.0, 0.0), *((dx * _CORNER_M, dy * _CORNER_M, 0.0) for dx in (-1, 1) for dy in (-1, 1))]
)  # (5, 3): where a block's top shows, from the middle of it; one of them in view is enough to see the block


def missing(expected: Mapping[str, ObjectState], seen: PhysicalState, views: Sequence[View]) -> frozenset[str]:
    """Expected things, not seen, through whose believed place a camera sees what lies behind."""
    unseen = [state for name, state in expected.items() if name not in seen.objects]
    return frozenset(
        state.name for state in unseen if shown_by_any(views, _inner_points(state), -BEHIND_M).sum() >= LEAST_EMPTY
    )


def inspected(seen: PhysicalState, views: Sequence[View]) -> frozenset[str]:
    """Names of seen containers, and "table", that hide nothing from these views."""
    spots: dict[str, Points] = {"table": _TABLE_SPOTS}
    for name, thing in seen.objects.items():
        if thing.category == "bowl":
            spots[name] = _bowl_spots(thing)
        elif thing.category == "drawer":
            spots[name] = _drawer_spots(thing)
    return frozenset(name for name, points in spots.items() if _hides_nothing(points, seen, views))


def _hides_nothing(spots: Points, seen: PhysicalState, views: Sequence[View]) -> bool:
    tops = spots[:, None, :] + _TOP[None, :, :]  # (n, 5, 3)
    in_view = shown_by_any(views, tops.reshape(-1, 3)).reshape(len(spots), len(_TOP)).any(axis=1)
    return all(is_taken((x, y, z), seen) for x, y, z in spots[~in_view].tolist())


def _inner_points(state: ObjectState) -> Points:
    """(27, 3): a grid well inside the thing's box."""
    steps = np.array([-INSET, 0.0, INSET]) / 2
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3) * np.array(state.size_m)
    points: Points = grid @ np.array(rotation(state.orientation)).T + np.array(state.position_m)
    return points


def _table_spots() -> Points:
    """(n, 3): the middle of the top of a block on each spot of the table where things may be."""
    area, margin = PLACING_AREA, TABLE_MARGIN_M
    xs = np.arange(area.x_min - margin, area.x_max + margin, TABLE_PITCH_M)
    ys = np.arange(area.y_min - margin, area.y_max + margin, TABLE_PITCH_M)
    return np.array([(x, y, BLOCK_SIZE_M) for x in xs for y in ys])


_TABLE_SPOTS = _table_spots()


def _bowl_spots(bowl: ObjectState) -> Points:
    """(7, 3): the top of a block in the middle of the bowl and of six around it."""
    x, y, _ = bowl.position_m
    radius, height = bowl.size_m[0] / 5, top_m(bowl) - bowl.size_m[2] + BLOCK_SIZE_M
    around = [(radius * math.cos(k * math.pi / 3), radius * math.sin(k * math.pi / 3)) for k in range(6)]
    return np.array([(x + dx, y + dy, height) for dx, dy in [(0.0, 0.0), *around]])


def _drawer_spots(drawer: ObjectState) -> Points:
    """(12, 3): the top of a block in each slot, in the middle and towards the front and the back."""
    (x, y, _), (length, depth, height) = drawer.position_m, drawer.size_m
    z = top_m(drawer) - height + BLOCK_SIZE_M
    return np.array([(x + slot * length, y + across * depth, z) for slot in SLOTS for across in (-0.2, 0.0, 0.2)])


def is_taken(spot: Vector3, seen: PhysicalState) -> bool:
    """A seen thing stands there, so that no block can; under one that lies on others there may be some.

    A bowl leaves no room on the table but has spots in it.
    """
    for thing in seen.objects.values():
        if thing.category == "bowl":
            distance = math.hypot(spot[0] - thing.position_m[0], spot[1] - thing.position_m[1])
            if thing.size_m[0] / 4 < distance < thing.size_m[0] / 2 + BLOCK_SIZE_M / 2:
                return True
        elif thing.category not in ROOMY and is_over(spot, thing, BLOCK_SIZE_M / 2) and _on_ground(thing, spot):
            return True
    return False


def _on_ground(thing: ObjectState, spot: Vector3) -> bool:
    return bottom_m(thing) <= spot[2] - BLOCK_SIZE_M + RAISED_M
