"""place_in(container): put the held block into a bowl or the open drawer."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Stateless scripted expert."""
    raise NotImplementedError


SKILL = Skill(
    name="place_in",
    parameters=(Parameter("container", types=("bowl", "drawer")),),
    template="place it in the {container}",
    preconditions=("holding(?held)", "has_room(?container)", "accessible(?container)"),
    effects=("not holding(?held)", "in(?held, ?container)"),
    success=("in(?held, ?container)", "not holding(?held)"),
    time_limit_steps=60,
    expert=expert,
    summary="Put the held block into a bowl (room for 3) or the open drawer (room for 4).",
)
