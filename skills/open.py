"""open(drawer): pull the drawer out by its handle."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from robots.tabletop.layout import DRAWER_TRAVEL_M
from skills.drawer_motion import slide_drawer
from skills.hand import obstacles
from skills.motion import retreat
from skills.skill import Parameter, Skill

OPENED_M = DRAWER_TRAVEL_M - 0.012


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Closed fingers go down between drawer and handle bar and draw the bar along."""
    (drawer,) = arguments
    if state.joints[drawer] >= OPENED_M:
        return retreat(state, obstacles(state), 1.0)
    return slide_drawer(state, drawer, OPENED_M)


SKILL = Skill(
    name="open",
    parameters=(Parameter("drawer", types=("drawer",)),),
    template="open the {drawer}",
    preconditions=("hand_empty()",),
    effects=("open(?drawer)",),
    success=("open(?drawer)",),
    time_limit_steps=80,
    expert=expert,
    summary="Pull the drawer open by its handle.",
)
