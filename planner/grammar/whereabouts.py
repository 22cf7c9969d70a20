"""Where objects stand relative to others: from symbols where they suffice, from believed geometry otherwise.

Directions are the robot's own: x forward, y left, z up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from planner.grammar.context import Context
from planner.grammar.errors import CannotBe
from robots.robot import Vector3
from skills.literals import Literal

_AXIS = {"left": (1, 1.0), "right": (1, -1.0), "front": (0, 1.0), "back": (0, -1.0)}
_NEAR_M = 0.12  # two block widths between centres of neighbours


def stands(name: str, prep: str, others: Sequence[str], context: Context) -> bool:
    """Whether `name` stands in that relation to any of `others`, in the state as told so far."""
    state = context.state
    match prep:
        case "on":
            return state.support.get(name) in others and Literal("in", (name, state.support[name])) not in state.facts
        case "in":
            return state.container_of(name) in others
        case "out" | "off" | "from" | "of" | "to":
            return state.support.get(name) in others or state.container_of(name) in others
        case "top of":
            return state.support.get(name) in others
        case "above":
            return any(other in _below(name, context) for other in others)
        case "under":
            return any(state.support.get(other) == name for other in others)
        case "with":
            return any(state.support.get(other) == name for other in others)
        case "left of" | "right of" | "front of" | "behind" | "near" | "beside" | "by":
            return any(_stands_apart(name, prep, other, context) for other in others if other != name)
        case _:
            return False


def _below(name: str, context: Context) -> list[str]:
    found: list[str] = []
    while (lower := context.state.support.get(name)) is not None:
        found.append(lower)
        name = lower
    return found


def stands_in_direction(name: str, direction: str, context: Context) -> bool:
    """In that zone, or on that side of the table's middle where geometry is known."""
    if Literal("in_zone", (name, direction)) in context.state.facts:
        return True
    if context.physical is None or name not in context.physical.objects:
        return False
    axis, sign = _AXIS[direction]
    middle = _table_middle(context)[axis]
    return sign * (context.physical.objects[name].position_m[axis] - middle) > 0.0


def extreme(names: Sequence[str], which: str, context: Context) -> list[str]:
    """The leftmost, topmost, … of them. Raises CannotBe where that cannot be told."""
    state = context.state
    if which == "top":
        stacked = [n for n in names if not state.resting.get(n) and state.stack_height(n) > 1]
        return stacked or [n for n in names if not state.resting.get(n)]
    if which == "bottom":
        lowest = [n for n in names if state.stack_height(n) == 1 and state.resting.get(n)]
        return lowest or [n for n in names if state.stack_height(n) <= 1]
    axis, sign = _AXIS[which]
    physical = context.physical
    placed = [n for n in names if physical is not None and n in physical.objects]
    if physical is not None and placed:
        return [max(placed, key=lambda n: sign * physical.objects[n].position_m[axis])]
    zoned = [n for n in names if Literal("in_zone", (n, which)) in state.facts]
    if len(zoned) == 1 or len(names) == 1:
        return zoned or list(names)
    raise CannotBe(f"I do not know where things stand, so I cannot tell which is furthest to the {which}")


def nearest(names: Sequence[str], other: str, context: Context, *, farthest: bool = False) -> list[str]:
    """The one whose centre is nearest to that of `other`. Raises CannotBe where places are not known."""
    physical = context.physical
    if physical is None or other not in physical.objects:
        raise CannotBe(f"I do not know where the {other} stands, so I cannot tell what is nearest to it")
    placed = [n for n in names if n in physical.objects and n != other]
    pick = max if farthest else min
    return [pick(placed, key=lambda n: _distance_m(n, other, context))] if placed else []


def _stands_apart(name: str, prep: str, other: str, context: Context) -> bool:
    physical = context.physical
    if physical is None or name not in physical.objects or other not in physical.objects:
        return False
    if prep in ("near", "beside", "by"):
        return _distance_m(name, other, context) < _NEAR_M
    side = {"left of": "left", "right of": "right", "front of": "front", "behind": "back"}[prep]
    axis, sign = _AXIS[side]
    ours, theirs = (physical.objects[n].position_m for n in (name, other))
    return sign * (ours[axis] - theirs[axis]) > 0.02


def _distance_m(name: str, other: str, context: Context) -> float:
    assert context.physical is not None
    return math.dist(context.physical.objects[name].position_m[:2], context.physical.objects[other].position_m[:2])


def _table_middle(context: Context) -> Vector3:
    assert context.physical is not None
    table = context.physical.objects.get("table")
    return table.position_m if table is not None else (0.5, 0.0, 0.0)
