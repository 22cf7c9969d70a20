"""push(block, direction): slide a block along the table until it is past that zone's line."""

from __future__ import annotations

import math

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.geometry import TOUCH_GAP_M, bottom_m, heading_rad, table_top_m
from skills.grasping import grasp, leave
from skills.hand import gripped, hand_gap_m, obstacles
from skills.motion import YAW_TOLERANCE_RAD, approach, closedness, move, nearest_yaw, retreat, yaw_error_rad
from skills.placing import put_on_table
from skills.predicates import past_line_m
from skills.push_path import PAST_M, Leg, next_leg
from skills.skill import Parameter, Skill

OPENINGS_M = (0.070, 0.060)  # around a block at any yaw
STEP_M = 0.042
LEAST_STEP_M = 0.008
BRAKING = 0.7  # share of the way left that a step goes, so that the block does not slide on
TOOL_Z_M = 0.018
FACE_M = 0.007  # a finger's flat end pushes stably while the block's middle is this near to its middle;
BESIDE_M = 0.014  # farther off, the block turns away from it
AHEAD_M = 0.024  # the block is between the fingers
AROUND_M = 0.056  # a block's diagonal


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Fingers stand before and behind the block; the one behind slides it along. Ends where no way leads there.

    Where neighbours leave no room for that, the fingers close on the block's sides and draw it along the table.
    """
    name, zone = arguments
    inside = gripped(state)
    if inside is not None and inside != name:
        return put_on_table(state, inside)
    leg = None if past_line_m(state, name, zone) >= PAST_M else next_leg(state, name, zone)
    if leg is None:
        around, opening = obstacles(state), state.hand.opening_m
        return leave(state) if inside == name else retreat(state, around, closedness(opening))
    return _draw_along(state, name, leg) if inside == name else _slide(state, name, leg)


def _slide(state: PhysicalState, name: str, leg: Leg) -> Action:
    """Down around the block, then along the leg."""
    hand, (x, y, _) = state.hand, state.objects[name].position_m
    (ux, uy), around = leg.heading, obstacles(state)
    yaw = nearest_yaw(hand, math.atan2(uy, ux) - math.pi / 2, math.pi)
    others = [o for o in around if o.name != name]
    gaps_m = {opening: hand_gap_m((x, y), TOOL_Z_M, yaw, opening, others) for opening in OPENINGS_M}
    opening = max(OPENINGS_M, key=lambda o: (min(gaps_m[o], 0.003), o))
    if gaps_m[opening] < 0:
        return grasp(state, name)
    dx, dy = hand.tool_position_m[0] - x, hand.tool_position_m[1] - y
    ahead, beside = dx * ux + dy * uy, dy * ux - dx * uy
    low = hand.tool_position_m[2] < TOOL_Z_M + 0.012
    turned = abs(yaw_error_rad(hand, yaw)) > YAW_TOLERANCE_RAD + 0.05
    if turned or not low or abs(beside) > BESIDE_M or abs(ahead) > AHEAD_M or hand.opening_m < AROUND_M:
        return approach(state, (x, y, TOOL_Z_M), yaw, closedness(opening), around, needs_opening_m=AROUND_M)
    play = max(0.0, opening / 2 - _half_length_m(state, name, leg) - ahead)  # before the finger touches the block
    back = beside - min(max(beside, -FACE_M), FACE_M)  # sideways, to bring the finger's end behind the block's middle
    step = min(STEP_M, max(LEAST_STEP_M, BRAKING * leg.length_m) + play)
    by = (step * ux + back * uy, step * uy - back * ux, TOOL_Z_M - hand.tool_position_m[2])
    return move(hand, by, yaw, closedness(opening))


def _half_length_m(state: PhysicalState, name: str, leg: Leg) -> float:
    """From a block's middle to its end along the leg."""
    block = state.objects[name]
    off = heading_rad(block.orientation) - math.atan2(leg.heading[1], leg.heading[0])
    return block.size_m[0] / 2 * (abs(math.cos(off)) + abs(math.sin(off)))


def _draw_along(state: PhysicalState, name: str, leg: Leg) -> Action:
    """Down on the table with a gripped block, then along the leg."""
    above_m = bottom_m(state.objects[name]) - table_top_m(state)
    step = min(STEP_M, leg.length_m + 0.003) if above_m < TOUCH_GAP_M else 0.0
    return move(state.hand, (step * leg.heading[0], step * leg.heading[1], 0.001 - above_m), None, 1.0)


SKILL = Skill(
    name="push",
    parameters=(
        Parameter("block", types=("block",)),
        Parameter("direction", choices=("left", "right", "front", "back")),
    ),
    template="push the {block} to the {direction}",
    preconditions=("hand_empty()", "clear(?block)", "not in(?block, *)", "not on(?block, *block)"),
    effects=("not on(?block, *)", "on(?block, table)", "not in_zone(?block, ?opposite)", "in_zone(?block, ?direction)"),
    success=("in_zone(?block, ?direction)",),
    time_limit_steps=80,
    expert=expert,
    summary="Push a block that stands on the table past the line of a zone: left, right, front or back, as the robot "
    "sees them.",
)
