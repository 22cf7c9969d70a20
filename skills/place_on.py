"""place_on(target): put the held block on a block, a pad or a free spot of the table."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Stateless scripted expert."""
    raise NotImplementedError


SKILL = Skill(
    name="place_on",
    parameters=(Parameter("target", types=("block", "pad", "table")),),
    template="place it on the {target}",
    preconditions=("holding(?held)", "not holding(?target)", "has_room(?target)", "accessible(?target)", "not in(?target, *)"),
    effects=("not holding(?held)", "on(?held, ?target)"),
    success=("on(?held, ?target)", "not holding(?held)"),
    time_limit_steps=60,
    expert=expert,
    summary="Put the held block on a clear block (stacks up to 5), a free pad, or the table.",
)
