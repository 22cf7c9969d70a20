"""Hidden objects in a search: where they may be, and the state that a plan takes for granted until it has looked.

Not for: beliefs about what is hidden (world_model.belief).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skills.goal import Goal
from skills.library import SkillLibrary
from skills.literals import Literal
from skills.symbolic_state import SymbolicState
from world_model.scene import Scene

NEVER_HIDDEN = {"drawer", "table", "button"}


@dataclass(frozen=True)
class Sought:
    """assumed: the state with every hidden object of the goal in the first place left to look.

    openings: what the plan must open to look, even where the goal would already hold if the guess is right.
    names: the objects sought. reason: why looking is in vain, else None.
    """

    assumed: SymbolicState
    openings: tuple[Literal, ...] = ()
    names: tuple[str, ...] = ()
    reason: str | None = None


def closed_places(state: SymbolicState) -> list[str]:
    """Where something may be out of sight."""
    return [name for name in state.of_category("drawer") if Literal("open", (name,)) not in state.facts]


def seek(state: SymbolicState, literals: Iterable[Literal], places: Sequence[str]) -> Sought:
    """What to take for granted of the hidden objects that these literals speak of."""
    mentioned = {name for literal in literals for name in literal.arguments}
    names = tuple(sorted(mentioned & state.hidden))
    if not names:
        return Sought(state)
    if not places:
        return Sought(state, names=names, reason=f"the {names[0]} is nowhere to be found")
    assumed = state.apply(Literal("in", (name, places[0])) for name in names)
    return Sought(assumed, (Literal("open", (places[0],)),), names)


def undecided(goal: Goal, state: SymbolicState) -> Literal | None:
    """The first condition of the goal's branches that cannot be told before a look."""
    return next((b.condition for b in goal.branches if state.holds(b.condition) is None), None)


def decided(goal: Goal, condition: Literal, truth: bool) -> Goal:
    """The goal once it is known whether the condition held at the start."""
    extra: list[Literal] = []
    for branch in goal.branches:
        if branch.condition == condition:
            extra.extend(branch.then if truth else branch.otherwise)
    return goal.model_copy(
        update={
            "literals": (*goal.literals, *extra),
            "alternatives": tuple((*way, *extra) for way in goal.alternatives),
            "branches": tuple(b for b in goal.branches if b.condition != condition),
        }
    )


def kinds_sought(library: SkillLibrary) -> set[str]:
    """Categories of things that may be out of sight: all that skills handle but what never moves."""
    return {kind for skill in library.skills for p in skill.parameters for kind in p.types} - NEVER_HIDDEN


def with_unseen(scene: Scene, names: Iterable[str], categories: Iterable[str]) -> Scene:
    """The scene and things that were spoken of but never seen, where they may be out of sight.

    A name's last word says what it is ("green block"); one that says nothing known stays unknown.
    """
    known = set(categories)
    for name in sorted(set(names) - set(scene.objects)):
        category = name.split(" ")[-1]
        if scene.unexplored and category in known and " " in name:
            scene = scene.assume(name, category)
    return scene
