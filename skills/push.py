"""push(block, direction): slide a block along the table until it is past that zone's line."""

from __future__ import annotations

import math

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.grasping import leave
from skills.hand import gripped, hand_gap_m, obstacles
from skills.motion import YAW_TOLERANCE_RAD, approach, closedness, move, nearest_yaw, retreat, yaw_error_rad
from skills.placing import put_on_table
from skills.predicates import past_line_m
from skills.push_path import PAST_M, next_leg
from skills.skill import Parameter, Skill

OPENINGS_M = (0.070, 0.060)  # around a block at any yaw
STEP_M = 0.042
BRAKING = 0.7  # share of the way left that a step goes, so that the block does not slide on
TOOL_Z_M = 0.018
FACE_M = 0.007  # a finger's flat end pushes stably while the block's middle is this near to its middle;
BESIDE_M = 0.014  # farther off, the block turns away from it


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Fingers stand before and behind the block; the one behind slides it along. Ends where no way leads there."""
    name, zone = arguments
    hand, block = state.hand, state.objects[name]
    inside = gripped(state)
    if inside is not None and inside != name:
        return put_on_table(state, inside)
    if inside == name:
        return leave(state) if hand.held is None else put_on_table(state, name)
    if past_line_m(state, name, zone) >= PAST_M:
        return retreat(state, obstacles(state), closedness(hand.opening_m))
    leg = next_leg(state, name, zone)
    if leg is None:
        return retreat(state, obstacles(state), closedness(hand.opening_m))
    (ux, uy), around = leg.heading, obstacles(state)
    yaw = nearest_yaw(hand, math.atan2(uy, ux) - math.pi / 2, math.pi)
    x, y, _ = block.position_m
    others = [o for o in around if o.name != name]
    opening = max(OPENINGS_M, key=lambda o: (min(hand_gap_m((x, y), TOOL_Z_M, yaw, o, others), 0.003), o))
    dx, dy = hand.tool_position_m[0] - x, hand.tool_position_m[1] - y
    ahead, beside = dx * ux + dy * uy, dy * ux - dx * uy
    low = hand.tool_position_m[2] < TOOL_Z_M + 0.012
    turned = abs(yaw_error_rad(hand, yaw)) > YAW_TOLERANCE_RAD + 0.05
    if low and not turned and abs(beside) < BESIDE_M and abs(ahead) < 0.024 and hand.opening_m > 0.055:
        play = max(0.0, opening / 2 - 0.02 - ahead)  # before the finger touches the block
        step = min(STEP_M, max(0.015, BRAKING * leg.length_m) + play)
        back = beside - min(
            max(beside, -FACE_M), FACE_M
        )  # towards the block's middle, where it is off the finger's end
        by = (step * ux + back * uy, step * uy - back * ux, TOOL_Z_M - hand.tool_position_m[2])
        return move(hand, by, yaw, closedness(opening))
    return approach(state, (x, y, TOOL_Z_M), yaw, closedness(opening), around, needs_opening_m=0.056)


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
