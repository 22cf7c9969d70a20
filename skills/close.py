"""close(drawer): push the drawer shut."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.drawer_motion import slide_drawer
from skills.hand import obstacles
from skills.motion import retreat
from skills.skill import Parameter, Skill

SHUT_M = 0.004


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Closed fingers go down between drawer and handle bar and press the drawer's front home."""
    (drawer,) = arguments
    if state.joints[drawer] <= SHUT_M:
        return retreat(state, obstacles(state), 1.0)
    return slide_drawer(state, drawer, 0.0)


SKILL = Skill(
    name="close",
    parameters=(Parameter("drawer", types=("drawer",)),),
    template="close the {drawer}",
    preconditions=("hand_empty()",),
    effects=("not open(?drawer)",),
    success=("not open(?drawer)",),
    time_limit_steps=80,
    expert=expert,
    summary="Push the drawer shut.",
)
