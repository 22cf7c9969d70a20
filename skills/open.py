"""open(drawer): pull the drawer out by its handle."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Stateless scripted expert."""
    raise NotImplementedError


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
