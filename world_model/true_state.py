"""True state: the settled symbolic truth of a simulated world. Privileged: for scoring, labels and studies only.

Nothing that a run decides on may read it; what a run may know comes from perception.
"""

from __future__ import annotations

from collections.abc import Iterable

from robots.tabletop.world import TabletopWorld
from skills.grounding import symbolic_of
from skills.predicates import PREDICATES, Predicate
from skills.symbolic_state import SymbolicState

SETTLING_S = 3.0  # a block that tips off a stack has come to rest by then


def true_state(world: TabletopWorld, predicates: Iterable[Predicate] = PREDICATES) -> SymbolicState:
    """What holds once everything has come to rest with the hand held still. The world itself is not touched."""
    if world.settled():
        return symbolic_of(world.physical_state(), predicates)
    with TabletopWorld.restore(world.snapshot()) as clone:
        clone.settle(SETTLING_S)
        return symbolic_of(clone.physical_state(), predicates)
