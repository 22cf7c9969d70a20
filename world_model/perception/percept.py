"""Percept and the Perception protocol: what was seen, where was looked, what was not where it had been.

Not for: what to believe of it (world_model.belief).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from robots.physical_state import ObjectState, PhysicalState

NOTHING_EXPECTED: Mapping[str, ObjectState] = {}


@dataclass(frozen=True)
class Percept:
    """One look.

    source: how it was perceived ("oracle", "vla", …); every belief drawn from it carries this label.
    seen: only things that were seen, joints and switches of seen things, and the hand. hand.held is named where
        the held thing was seen.
    inspected: places ("table", bowls, drawers) of which the whole inside was in view: what was not seen there is
        not there.
    missing: expected things whose believed place was in view without them.
    grasping: the fingers feel something between them, whatever it is.
    confidence: of each seen thing, in [0, 1]; 1 where it has no entry.
    """

    source: str
    seen: PhysicalState
    inspected: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    grasping: bool = False
    confidence: Mapping[str, float] = field(default_factory=dict)


class Perception(Protocol):
    """Looks at the world once; remembers nothing."""

    name: str

    def perceive(self, expected: Mapping[str, ObjectState] = NOTHING_EXPECTED) -> Percept:
        """expected: where things are believed to be, so that an empty place can be told from one out of view."""
        ...
