"""Disturbances: what may happen to a tabletop while the robot works, each as a function of the true state.

Each returns the interventions that bring it about and its words, or None where it cannot happen now (nothing is held,
no drawer is open). Apart from `take_away`, none makes a goal unreachable: what is moved lands free and within reach.
Not for: when one strikes (faults, fault_schedule).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from robots.physical_state import ObjectState, PhysicalState
from robots.tabletop import layout
from robots.tabletop.interventions import (
    AddDistractor,
    DropHeld,
    Intervention,
    MoveObject,
    RemoveObject,
    SetDrawer,
    SetGripForce,
    SetLamp,
)

LEAST_MOVE_M = 0.08
CLEAR_OF_HAND_M = 0.12
FLIGHT_M = 0.12  # so far slides what falls out of a moving hand: not to the drawer's handle, where no finger fits
WEAK_GRIP_N = 0.2  # holds less than a block weighs: 2 x 0.2 N x friction 1.2 = 0.5 N
MOST_DISTRACTORS = 2
TRIES = 200


@dataclass(frozen=True)
class Event:
    """One disturbance about to happen: what is done to the world, and how a bystander would tell it."""

    interventions: tuple[Intervention, ...]
    words: str


Disturbance: TypeAlias = Callable[[PhysicalState, np.random.Generator], Event | None]


def slip(state: PhysicalState, _rng: np.random.Generator) -> Event | None:
    """What is held falls."""
    held = _held_over_free_table(state)
    return None if held is None else Event((DropHeld(),), f"the {held} slipped out of the hand")


def weaken_grip(state: PhysicalState, _rng: np.random.Generator) -> Event | None:
    """The fingers press so little that what is held may slide out."""
    held = _held_over_free_table(state)
    return None if held is None else Event((SetGripForce(WEAK_GRIP_N),), f"the grip on the {held} got weak")


def move_object(state: PhysicalState, rng: np.random.Generator) -> Event | None:
    """Someone moves a block that nothing lies on to a free place on the table."""
    name = _some_loose_block(state, rng)
    spot = None if name is None else free_spot(state, rng, leaving=name)
    if name is None or spot is None:
        return None
    distance_m = math.dist(state.objects[name].position_m[:2], spot)
    if distance_m < LEAST_MOVE_M:
        return None
    return Event((MoveObject(name, spot),), f"someone moved the {name} {100 * distance_m:.0f} cm")


def take_away(state: PhysicalState, rng: np.random.Generator) -> Event | None:
    """Someone takes a block away for good."""
    name = _some_loose_block(state, rng)
    return None if name is None else Event((RemoveObject(name),), f"someone took the {name} away")


def shut_drawer(state: PhysicalState, _rng: np.random.Generator) -> Event | None:
    """Someone pushes the open drawer shut, unless the hand is at it."""
    opening_m = state.joints.get("drawer", 0.0)
    if opening_m <= layout.DRAWER_CLOSED_M:
        return None
    x, y, _ = state.hand.tool_position_m
    handle = layout.handle_centre(opening_m)
    if abs(x - handle[0]) < 0.22 and y > handle[1] - CLEAR_OF_HAND_M:
        return None
    return Event((SetDrawer(0.0),), "someone shut the drawer")


def toggle_lamp(state: PhysicalState, _rng: np.random.Generator) -> Event | None:
    """The lamp goes on or off by itself. Only where there is a button to undo it with."""
    lit = state.switches.get("lamp")
    if lit is None or "button" not in state.joints:
        return None
    return Event((SetLamp(not lit),), f"someone turned the lamp {'off' if lit else 'on'}")


def put_distractor(state: PhysicalState, rng: np.random.Generator) -> Event | None:
    """Someone puts down a thing that no task is about."""
    if sum(o.category == "distractor" for o in state.objects.values()) >= MOST_DISTRACTORS:
        return None
    spot = free_spot(state, rng)
    return None if spot is None else Event((AddDistractor(spot),), "someone put another thing on the table")


DISTURBANCES: Mapping[str, Disturbance] = {
    "slipped": slip,
    "weak-grip": weaken_grip,
    "moved": move_object,
    "taken": take_away,
    "drawer-shut": shut_drawer,
    "lamp-toggled": toggle_lamp,
    "distractor": put_distractor,
}


def free_spot(state: PhysicalState, rng: np.random.Generator, leaving: str | None = None) -> tuple[float, float] | None:
    """A random free place on the table within reach, away from the hand; None when 200 tries found none.

    leaving: an object that will not stand where it stands now, and goes at least LEAST_MOVE_M away.
    """
    area = layout.PLACING_AREA
    tool = state.hand.tool_position_m
    others = [o for o in state.objects.values() if o.name not in (leaving, "table", state.hand.held)]
    old = None if leaving is None else state.objects[leaving].position_m[:2]
    for _ in range(TRIES):
        spot = (float(rng.uniform(area.x_min, area.x_max)), float(rng.uniform(area.y_min, area.y_max)))
        if math.dist(spot, tool[:2]) < CLEAR_OF_HAND_M or (old is not None and math.dist(spot, old) < LEAST_MOVE_M):
            continue
        if all(_stands_clear(o, spot) for o in others):
            return spot
    return None


def _held_over_free_table(state: PhysicalState) -> str | None:
    """What is held, where a fall leaves it within reach and topples nothing."""
    held = state.hand.held
    if held is None:
        return None
    here = state.objects[held].position_m
    others = [o for o in state.objects.values() if o.name not in (held, "table")]
    if any(_gap_m(o, here) < layout.BLOCK_SIZE_M for o in others):
        return None
    if "drawer" in state.joints and here[1] > layout.PLACING_AREA.y_max - FLIGHT_M:
        return None
    return held if layout.PLACING_AREA.contains((here[0], here[1])) else None


def _some_loose_block(state: PhysicalState, rng: np.random.Generator) -> str | None:
    """A block in plain view that nothing lies on and that the hand is not at."""
    loose = [o.name for o in state.objects.values() if o.category == "block" and _can_be_taken(o, state)]
    return loose[int(rng.integers(len(loose)))] if loose else None


def _can_be_taken(block: ObjectState, state: PhysicalState) -> bool:
    x, y, z = block.position_m
    if block.name == state.hand.held or math.dist(block.position_m, state.hand.tool_position_m) < CLEAR_OF_HAND_M:
        return False
    if y > layout.CABINET_FACE_Y_M - layout.HANDLE_GAP_M:
        return False  # in the cabinet, or in a drawer that is not far out
    bears = layout.BLOCK_SIZE_M
    return not any(
        o.category == "block" and o.name != block.name
        and math.dist(o.position_m[:2], (x, y)) < bears and o.position_m[2] > z + bears / 2
        for o in state.objects.values()
    )  # fmt: skip


def _stands_clear(other: ObjectState, spot: tuple[float, float]) -> bool:
    if math.dist(other.position_m[:2], spot) < layout.MINIMAL_SPACING_M:
        return False
    return _gap_m(other, (*spot, 0.0)) > layout.MINIMAL_SPACING_M - layout.BLOCK_SIZE_M


def _gap_m(other: ObjectState, point: tuple[float, float, float]) -> float:
    """Horizontal distance from a point to another thing's box, turned or not: never more than the true one."""
    half = [s / 2 for s in other.size_m]
    if other.category in ("block", "distractor"):
        half = [math.hypot(half[0], half[1])] * 2
    dx, dy = (max(abs(point[k] - other.position_m[k]) - half[k], 0.0) for k in range(2))
    return math.hypot(dx, dy)
