"""Hidden objects in a search: where they may be, and the state that a plan takes for granted until it has looked.

Not for: beliefs about what is hidden (world_model.belief).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skills.literals import Literal
from skills.symbolic_state import SymbolicState


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


def seek(
    state: SymbolicState,
    end_state: Iterable[Literal],
    order: Iterable[tuple[Literal, Literal]],
    places: Sequence[str],
) -> Sought:
    """What to take for granted of the hidden objects that a goal speaks of."""
    literals = [*end_state, *(literal for pair in order for literal in pair)]
    mentioned = {name for literal in literals for name in literal.arguments}
    names = tuple(sorted(mentioned & state.hidden))
    if not names:
        return Sought(state)
    if not places:
        return Sought(state, names=names, reason=f"the {names[0]} is nowhere to be found")
    place = places[0]
    assumed = state.apply(Literal("in", (name, place)) for name in names)
    return Sought(assumed, (Literal("open", (place,)),), names)
