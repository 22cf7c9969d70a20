"""Predicates: what each literal means in metres. The explicit table of evaluators on a PhysicalState.

Not for: reasoning over symbols (skills.symbolic_state).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from robots.physical_state import PhysicalState
from skills.skill import Parameter

Evaluator: TypeAlias = Callable[[PhysicalState, tuple[str, ...]], bool | None]
"""Physical state and arguments → holds, or None where what it speaks of is not in the state."""


@dataclass(frozen=True)
class Predicate:
    """A literal's name, argument types and meaning. Base predicates are stored as facts, derived ones computed."""

    name: str
    parameters: tuple[Parameter, ...]
    evaluate: Evaluator
    summary: str = ""


PREDICATES: tuple[Predicate, ...] = ()
