"""ExpertPolicy: the scripted experts of the skills as a policy. Reads privileged simulator state; labelled so.

Not for: headline results of a learned system; it is the arm that shows what perfect execution would give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from robots.physical_state import PhysicalState
from robots.robot import Action, Observation
from skills.library import SkillLibrary
from skills.skill import SkillCall


class ExpertPolicy:
    """Asks the skill's own expert for one action at a time; holds no state but which call it is at.

    physical_state: the simulator's whole, true state (privileged).
    """

    name = "expert"
    cameras: tuple[str, ...] = ()

    def __init__(self, library: SkillLibrary, physical_state: Callable[[], PhysicalState]) -> None:
        self._library = library
        self._physical_state = physical_state
        self._call: SkillCall | None = None

    def begin(self, call: SkillCall, sentence: str) -> None:  # noqa: ARG002 - the expert needs no language
        self._library.skill(call.skill)
        self._call = call

    def act(self, observation: Observation) -> Sequence[Action]:  # noqa: ARG002 - it sees more than any sensor
        if self._call is None:
            raise RuntimeError("begin() comes before act()")
        expert = self._library.skill(self._call.skill).expert
        return (expert(self._physical_state(), self._call.arguments),)
