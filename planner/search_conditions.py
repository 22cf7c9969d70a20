"""Conditions and actions in bits: what the search evaluates on a state that is one integer.

Not for: making them from literals and schemas (planner.search_problem).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from skills.skill import SkillCall


@dataclass(frozen=True)
class Room:
    """has_room(a block) in part: the column that ends in it must be lower than the limit."""

    name: str
    wanted: bool = True


@dataclass(frozen=True)
class Capacity:
    """has_room(a container): fewer than `below` of the facts in `inside` hold."""

    inside: int
    below: int
    wanted: bool = True


@dataclass(frozen=True)
class Reach:
    """accessible(X): X is not in a drawer that is closed."""

    name: str
    wanted: bool = True


Check: TypeAlias = Room | Capacity | Reach


@dataclass
class Condition:
    """A conjunction over bits: all of `true`, none of `false`, at least one of each in `any_of`, and checks."""

    true: int = 0
    false: int = 0
    any_of: tuple[int, ...] = ()
    checks: tuple[Check, ...] = ()
    never: bool = False  # speaks of a fact that cannot come about


@dataclass(frozen=True)
class GroundAction:
    """A skill call in bits. Effects: ((state & ~delete) | add) ^ flip."""

    index: int
    call: SkillCall
    held: str | None
    condition: Condition
    delete: int
    add: int
    flip: int
