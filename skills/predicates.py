"""Predicates: what each literal means in metres. The explicit table of evaluators on a PhysicalState.

Not for: reasoning over symbols (skills.symbolic_state), collecting all facts of a state (skills.grounding).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeAlias

from robots.physical_state import PhysicalState
from robots.tabletop.layout import DRAWER_OPEN_M, ZONE_BACK_X_M, ZONE_FRONT_X_M, ZONE_LEFT_Y_M, ZONE_RIGHT_Y_M
from skills.geometry import support_of
from skills.skill import Parameter
from skills.symbolic_state import OPPOSITE_ZONE

Evaluator: TypeAlias = Callable[[PhysicalState, tuple[str, ...]], bool | None]
"""Physical state and arguments → holds, or None where what it speaks of is not in the state."""

ZONES = tuple(OPPOSITE_ZONE)
BLOCK = Parameter("block", types=("block",))
DRAWER = Parameter("drawer", types=("drawer",))


@dataclass(frozen=True)
class Predicate:
    """A literal's name, argument types and meaning.

    derived: follows from other literals (skills.symbolic_state computes it), so it is not stored as a fact.
    """

    name: str
    parameters: tuple[Parameter, ...]
    evaluate: Evaluator
    summary: str = ""
    derived: bool = False


def knows_arguments(evaluate: Callable[[PhysicalState, tuple[str, ...]], bool]) -> Evaluator:
    """The evaluator that answers None where an object it speaks of is not in the state."""

    @wraps(evaluate)
    def guarded(state: PhysicalState, arguments: tuple[str, ...]) -> bool | None:
        names = [a for a in arguments if a not in ZONES and a != "table"]
        if any(name not in state.objects and name not in state.joints for name in names):
            return None
        return evaluate(state, arguments)

    return guarded


@knows_arguments
def _on(state: PhysicalState, arguments: tuple[str, ...]) -> bool:
    upper, lower = arguments
    support = support_of(state, upper)
    return support is not None and support.name == lower and not support.inside


@knows_arguments
def _in(state: PhysicalState, arguments: tuple[str, ...]) -> bool:
    thing, container = arguments
    support = support_of(state, thing)
    return support is not None and support.name == container and support.inside


def _open(state: PhysicalState, arguments: tuple[str, ...]) -> bool | None:
    opening_m = state.joints.get(arguments[0])
    return None if opening_m is None else opening_m >= DRAWER_OPEN_M


def _closed(state: PhysicalState, arguments: tuple[str, ...]) -> bool | None:
    is_open = _open(state, arguments)
    return None if is_open is None else not is_open


def _lit(state: PhysicalState, arguments: tuple[str, ...]) -> bool | None:
    return state.switches.get(arguments[0])


@knows_arguments
def _holding(state: PhysicalState, arguments: tuple[str, ...]) -> bool:
    return state.hand.held == arguments[0]


@knows_arguments
def _clear(state: PhysicalState, arguments: tuple[str, ...]) -> bool:
    supports = (support_of(state, n) for n, o in state.objects.items() if o.category == "block" and n != arguments[0])
    return all(support is None or support.name != arguments[0] for support in supports)


@knows_arguments
def _in_zone(state: PhysicalState, arguments: tuple[str, ...]) -> bool:
    """Past the line and standing on something: what is carried, or kept in a container, is in no zone."""
    thing, zone = arguments
    support = support_of(state, thing)
    if support is None or support.inside:
        return False
    return past_line_m(state, thing, zone) > 0


def _hand_empty(state: PhysicalState, _arguments: tuple[str, ...]) -> bool | None:
    return state.hand.held is None


def past_line_m(state: PhysicalState, thing: str, zone: str) -> float:
    """How far the centre of a thing is past a zone's line, metres; negative before it."""
    x, y, _ = state.objects[thing].position_m
    return {
        "left": y - ZONE_LEFT_Y_M,
        "right": ZONE_RIGHT_Y_M - y,
        "front": x - ZONE_FRONT_X_M,
        "back": ZONE_BACK_X_M - x,
    }[zone]


PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "on",
        (BLOCK, Parameter("support", types=("block", "pad", "table"))),
        _on,
        "The first rests directly on the second: a block, a pad or the table.",
    ),
    Predicate(
        "in",
        (BLOCK, Parameter("container", types=("bowl", "drawer"))),
        _in,
        "The block lies in the bowl or the drawer, also on other blocks in it.",
    ),
    Predicate("open", (DRAWER,), _open, "The drawer is pulled out far enough to reach into."),
    Predicate("lit", (Parameter("lamp", types=("lamp",)),), _lit, "The lamp is on."),
    Predicate("holding", (BLOCK,), _holding, "The hand holds the block."),
    Predicate(
        "in_zone",
        (BLOCK, Parameter("zone", choices=ZONES)),
        _in_zone,
        "The block stands past the zone's line on the table (left and right as the robot sees them).",
    ),
    Predicate("closed", (DRAWER,), _closed, "The drawer is not open.", derived=True),
    Predicate("clear", (Parameter("thing", types=("block", "pad")),), _clear, "Nothing rests on it.", derived=True),
    Predicate("hand_empty", (), _hand_empty, "The hand holds nothing.", derived=True),
)
