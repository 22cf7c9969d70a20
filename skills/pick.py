"""pick(object): grasp a block and lift it clear."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.grasping import grasp, lift
from skills.hand import gripped
from skills.placing import put_on_table
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Grasp, lift, terminate once the block is held well over what is under it. Another block in hand is put down."""
    (name,) = arguments
    inside = gripped(state)
    if inside == name:
        return lift(state, name)
    if inside is not None:
        return put_on_table(state, inside)
    return grasp(state, name)


SKILL = Skill(
    name="pick",
    parameters=(Parameter("object", types=("block",)),),
    template="pick up the {object}",
    preconditions=("hand_empty()", "clear(?object)", "accessible(?object)"),
    effects=("not on(?object, *)", "not in(?object, *)", "not in_zone(?object, *)", "holding(?object)"),
    success=("holding(?object)",),
    time_limit_steps=60,
    expert=expert,
    summary="Grasp a block and lift it.",
)
