"""close(drawer): push the drawer shut."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Stateless scripted expert."""
    raise NotImplementedError


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
