"""press(button): push the button down; it toggles the lamp."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from robots.tabletop.layout import BUTTON_DOWN_M, BUTTON_TRAVEL_M
from skills.geometry import top_m
from skills.hand import TIP_BELOW_TOOL_M, hand_yaw_rad, obstacles
from skills.motion import approach, stop
from skills.skill import Parameter, Skill

PRESSED_M = BUTTON_DOWN_M + 0.001
PRESS_TO_M = (PRESSED_M + BUTTON_TRAVEL_M) / 2  # short of the stop, against which a hand that goes on would press hard


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Closed fingers press the cap down; terminates while it is down, and the next skill's rise lets it up."""
    (button,) = arguments
    depth_m, cap = state.joints[button], state.objects[button]
    if depth_m >= PRESSED_M:
        return stop(1.0)
    x, y, _ = cap.position_m
    goal = (x, y, top_m(cap) + depth_m - PRESS_TO_M + TIP_BELOW_TOOL_M)
    return approach(state, goal, hand_yaw_rad(state.hand), 1.0, obstacles(state), needs_closed=True)


SKILL = Skill(
    name="press",
    parameters=(Parameter("button", types=("button",)),),
    template="press the {button}",
    preconditions=("hand_empty()",),
    effects=("flip lit(lamp)",),
    success=("flip lit(lamp)",),
    time_limit_steps=60,
    expert=expert,
    rise_first_m=0.03,
    summary="Press the button once: the lamp goes on if it was off, and off if it was on.",
)
