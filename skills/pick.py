"""pick(object): grasp a block and lift it clear."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Stateless scripted expert."""
    raise NotImplementedError


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
