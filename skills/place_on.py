"""place_on(target): put the held block on a block, a pad or a free spot of the table."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.grasping import leave
from skills.hand import gripped
from skills.placing import put_on_table, put_on_thing
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Carry what is gripped over the target, let go, rise, terminate."""
    (target,) = arguments
    name = gripped(state)
    if name is None or name == target:
        return leave(state)
    if target == "table":
        return put_on_table(state, name)
    return put_on_thing(state, name, target)


SKILL = Skill(
    name="place_on",
    parameters=(Parameter("target", types=("block", "pad", "table")),),
    template="place it on the {target}",
    preconditions=(
        "holding(?held)",
        "not holding(?target)",
        "has_room(?target)",
        "accessible(?target)",
        "not in(?target, *)",
    ),
    effects=("not holding(?held)", "on(?held, ?target)"),
    success=("on(?held, ?target)", "not holding(?held)"),
    time_limit_steps=60,
    expert=expert,
    summary="Put the held block on a clear block (stacks up to 5), a free pad, or the table.",
)
