"""push(block, direction): slide a block along the table until it is past that zone's line."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Stateless scripted expert."""
    raise NotImplementedError


SKILL = Skill(
    name="push",
    parameters=(Parameter("block", types=("block",)), Parameter("direction", choices=("left", "right", "front", "back"))),
    template="push the {block} to the {direction}",
    preconditions=("hand_empty()", "clear(?block)", "not in(?block, *)", "not on(?block, *block)"),
    effects=("not on(?block, *)", "on(?block, table)", "not in_zone(?block, ?opposite)", "in_zone(?block, ?direction)"),
    success=("in_zone(?block, ?direction)",),
    time_limit_steps=80,
    expert=expert,
    summary="Push a block that stands on the table past the line of a zone (left, right, front, back as the robot sees it).",
)
