"""tip(lever): push a lever over to the front. A skill of one's own, with a literal and a thing of its own."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.hand import obstacles
from skills.motion import approach, move, retreat
from skills.predicates import Predicate
from skills.skill import Parameter, Skill

LEVER = Parameter("lever", types=("lever",))
TIPPED_RAD = 0.5
BEHIND_M = 0.055  # from the lever's middle to where the fingers go down
PUSHING_HEIGHT_M = 0.085


def is_tipped(state: PhysicalState, arguments: tuple[str, ...]) -> bool | None:
    """None where the lever is not seen."""
    angle_rad = state.joints.get(arguments[0])
    return None if angle_rad is None else angle_rad >= TIPPED_RAD


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """From any state the next step: down behind the lever, forward against it, up again once it is over."""
    (name,) = arguments
    if is_tipped(state, arguments):
        return retreat(state, obstacles(state), grip=1.0)
    lever_x, lever_y, _ = state.objects[name].position_m
    x, y, z = state.hand.tool_position_m
    if abs(y - lever_y) < 0.02 and z < PUSHING_HEIGHT_M + 0.015 and x > lever_x - BEHIND_M - 0.02:
        return move(state.hand, (0.03, lever_y - y, PUSHING_HEIGHT_M - z), yaw_rad=0.0, grip=1.0)
    behind = (lever_x - BEHIND_M, lever_y, PUSHING_HEIGHT_M)
    return approach(state, behind, 0.0, 1.0, obstacles(state), needs_closed=True)


PREDICATES = (Predicate("tipped", (LEVER,), is_tipped, "The lever is pushed over to the front."),)

SKILL = Skill(
    name="tip",
    parameters=(LEVER,),
    template="tip the {lever}",
    preconditions=("hand_empty()",),
    effects=("tipped(?lever)",),
    success=("tipped(?lever)",),
    time_limit_steps=60,
    expert=expert,
    summary="Push a lever over to the front.",
)
