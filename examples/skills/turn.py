"""turn(pointer, direction): turn a pointer about its pivot until it points left, right or to the front.

A skill of one's own that turns a thing instead of moving it: with a literal, a thing (pointer.urdf) and the scenes in
which it is practised.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from robots.physical_state import PhysicalState
from robots.robot import Action
from robots.tabletop.layout import PLACING_AREA
from robots.tabletop.models import ModelSpec
from robots.tabletop.scene_spec import SceneSpec
from skills.geometry import heading_rad
from skills.hand import gripped, hand_gap_m, hand_yaw_rad, obstacles
from skills.motion import approach, equal_yaws, move, retreat, yaw_error_rad
from skills.placing import put_on_table
from skills.planar import Point2
from skills.predicates import Predicate
from skills.skill import Parameter, Skill

POINTER = Parameter("pointer", types=("pointer",))
HEADINGS_RAD = {"left": math.pi / 2, "front": 0.0, "right": -math.pi / 2}  # seen from above, 0 away from the robot
DIRECTION = Parameter("direction", choices=tuple(HEADINGS_RAD))

WITHIN_RAD = 0.40  # of a direction the pointer counts as pointing there;
DONE_RAD = 0.20  # so near the expert stops
REACH_M = 0.046  # from the pivot to where the fingers push
TOOL_Z_M = 0.035  # the tips well over the plate, and well under the top of the bar
BEHIND_RAD = 0.95  # so far behind the bar, seen from the pivot, the fingers come down beside it;
TOUCH_RAD = 0.56  # here they touch it
STEP_RAD = 0.55  # of the fingers about the pivot, in one control step
GAP_M = 0.004  # room enough around the hand
NEAREST_M, FARTHEST_M = 0.37, 0.68  # of the pivot from the robot's base: the fingers must get all around it
MOST_TURNED_DEG = 115.0


def pointer_heading_rad(state: PhysicalState, name: str) -> float:
    """Where the white bar points, from -pi to pi; 0 is away from the robot, left is positive."""
    heading = heading_rad(state.objects[name].orientation) + state.joints[name]
    return math.remainder(heading, math.tau)


def is_pointing(state: PhysicalState, arguments: tuple[str, ...]) -> bool | None:
    """None where the pointer is not seen."""
    name, direction = arguments
    if name not in state.joints:
        return None
    return abs(pointer_heading_rad(state, name) - HEADINGS_RAD[direction]) <= WITHIN_RAD


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Down beside the bar, around the pivot against it, up again once it points there. Never across the back."""
    name, direction = arguments
    inside = gripped(state)
    if inside is not None:
        return put_on_table(state, inside)
    heading = pointer_heading_rad(state, name)
    left = HEADINGS_RAD[direction] - heading
    if abs(left) <= DONE_RAD:
        return retreat(state, obstacles(state), grip=1.0)
    side = math.copysign(1.0, left)
    pivot = state.objects[name].position_m
    yaw = _yaw_with_room(state, name, HEADINGS_RAD[direction] - side * TOUCH_RAD)
    x, y, z = state.hand.tool_position_m
    radius = math.hypot(x - pivot[0], y - pivot[1])
    behind = side * math.remainder(heading - math.atan2(y - pivot[1], x - pivot[0]), math.tau)  # how far, as an angle
    beside = abs(radius - REACH_M) < 0.016 and TOUCH_RAD - 0.2 < behind < BEHIND_RAD + 0.4
    if not beside or z > TOOL_Z_M + 0.010 or state.hand.opening_m > 0.02:
        goal = _at(pivot, heading - side * BEHIND_RAD)
        return approach(state, (*goal, TOOL_Z_M), yaw, 1.0, obstacles(state), needs_closed=True)
    turn = min(STEP_RAD, abs(left) + max(0.0, behind - TOUCH_RAD))
    goal = _at(pivot, heading + side * (turn - behind))
    return move(state.hand, (goal[0] - x, goal[1] - y, TOOL_Z_M - z), yaw, 1.0)


def _at(pivot: tuple[float, float, float], angle_rad: float) -> Point2:
    return pivot[0] + REACH_M * math.cos(angle_rad), pivot[1] + REACH_M * math.sin(angle_rad)


def _yaw_with_room(state: PhysicalState, name: str, end_rad: float) -> float:
    """The hand's yaw as it is, or the nearest that has room over the pivot and where the stroke ends."""
    around, pivot = obstacles(state, ignoring=(name,)), state.objects[name].position_m
    places = (pivot[:2], _at(pivot, end_rad))

    def room_m(yaw: float) -> float:
        return min(hand_gap_m(place, TOOL_Z_M, yaw, 0.0, around) for place in places)

    here = hand_yaw_rad(state.hand)
    if room_m(here) >= GAP_M:
        return here
    return max(
        equal_yaws(0.0, math.pi / 8),
        key=lambda yaw: min(room_m(yaw), GAP_M) - 0.001 * abs(yaw_error_rad(state.hand, yaw)),
    )


def furnish(spec: SceneSpec, rng: np.random.Generator) -> SceneSpec:
    """The scene with a pointer somewhere in reach, pointing anywhere but far back: what the skill is practised in."""
    area = PLACING_AREA
    place = (0.0, 0.0)
    while not NEAREST_M < math.hypot(*place) < FARTHEST_M:
        place = (float(rng.uniform(area.x_min, area.x_max)), float(rng.uniform(area.y_min, area.y_max)))
    turned_deg = float(rng.uniform(-MOST_TURNED_DEG, MOST_TURNED_DEG))
    urdf = Path(__file__).with_name("pointer.urdf")
    return spec.with_model("white pointer", ModelSpec(urdf=urdf, position=place, yaw_deg=turned_deg))


PREDICATES = (Predicate("pointing", (POINTER, DIRECTION), is_pointing, "The pointer points in that direction."),)

SKILL = Skill(
    name="turn",
    parameters=(POINTER, DIRECTION),
    template="turn the {pointer} to the {direction}",
    preconditions=("hand_empty()",),
    effects=(*(f"not pointing(?pointer, {way})" for way in HEADINGS_RAD), "pointing(?pointer, ?direction)"),
    success=("pointing(?pointer, ?direction)",),
    time_limit_steps=60,
    expert=expert,
    summary="Turn a pointer about its pivot until it points left, right or to the front, as the robot sees them.",
    wordings=(
        "rotate the {pointer} {direction}",
        "swivel the {pointer} {direction}",
        "point the {pointer} {direction}",
        "make the {pointer} point {direction}",
        "turn the {pointer} until it points {direction}",
        "i want the {pointer} to point {direction}",
    ),
    furnish=furnish,
)
