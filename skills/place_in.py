"""place_in(container): put the held block into a bowl or the open drawer."""

from __future__ import annotations

from robots.physical_state import PhysicalState
from robots.robot import Action
from skills.grasping import leave
from skills.hand import gripped
from skills.placing import put_in_bowl, put_in_drawer
from skills.skill import Parameter, Skill


def expert(state: PhysicalState, arguments: tuple[str, ...]) -> Action:
    """Carry what is gripped to the freest place inside, let go, rise, terminate."""
    (container,) = arguments
    name = gripped(state)
    if name is None:
        return leave(state)
    if state.objects[container].category == "bowl":
        return put_in_bowl(state, name, container)
    return put_in_drawer(state, name, container)


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
