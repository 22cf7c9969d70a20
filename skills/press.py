"""press(button): push the button down; it toggles the lamp."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Stateless scripted expert."""
    raise NotImplementedError


SKILL = Skill(
    name="press",
    parameters=(Parameter("button", types=("button",)),),
    template="press the {button}",
    preconditions=("hand_empty()",),
    effects=("flip lit(lamp)",),
    success=("flip lit(lamp)",),
    time_limit_steps=60,
    expert=expert,
    summary="Press the button once: the lamp goes on if it was off, and off if it was on.",
)
