"""What a skill call needs and does in a symbolic state: the one place where schemas meet states.

Not for: whole graphs (skills.validation checks them, world_model.prediction runs them on symbols).
"""

from __future__ import annotations

from skills.library import SkillLibrary
from skills.literals import Literal
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState


def unmet_precondition(call: SkillCall, state: SymbolicState, library: SkillLibrary) -> Literal | None:
    """The first precondition that is not surely true (false, or of an object whose place is unknown), or None.

    Raises SkillCallError where the call does not fit the library or the state's objects.
    """
    library.check_call(call, state.objects)
    skill = library.skill(call.skill)
    needs = skill.preconditions_of(call.arguments, state)
    return next((literal for literal in needs if state.holds(literal) is not True), None)


def apply_call(call: SkillCall, state: SymbolicState, library: SkillLibrary) -> SymbolicState:
    """The state after the call's effects. Preconditions are not looked at: check them first."""
    return state.apply(library.skill(call.skill).effects_of(call.arguments, state))


def takes_hand(call: SkillCall, library: SkillLibrary) -> bool:
    """The call leaves something in the hand that was empty before."""
    skill = library.by_name.get(call.skill)
    return skill is not None and any(Literal.parse(e).predicate == "holding" for e in _added(skill.effects))


def needs_held(call: SkillCall, library: SkillLibrary) -> bool:
    """The call works on what the hand holds already."""
    skill = library.by_name.get(call.skill)
    return skill is not None and any(p.strip().startswith("holding(") for p in skill.preconditions)


def needs_empty(call: SkillCall, library: SkillLibrary) -> bool:
    """The call wants the hand free."""
    skill = library.by_name.get(call.skill)
    return skill is not None and any(p.strip().startswith("hand_empty(") for p in skill.preconditions)


def frees_hand(call: SkillCall, library: SkillLibrary) -> bool:
    """The call leaves the hand empty that held something before."""
    skill = library.by_name.get(call.skill)
    return skill is not None and any(e.strip().startswith("not holding(") for e in skill.effects)


def _added(effects: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(e for e in effects if not e.startswith(("not ", "flip ")))
