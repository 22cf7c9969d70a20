"""Carries interventions out in a simulation.

Not for: the records themselves (interventions).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from robots.robot import Vector3
from robots.tabletop import footprints, layout
from robots.tabletop.interventions import (
    AddDistractor,
    DropHeld,
    Intervention,
    InterventionError,
    MoveObject,
    Point2,
    RemoveObject,
    SetDrawer,
    SetGripForce,
    SetLamp,
)
from robots.tabletop.names import FIXTURES, TABLE, SceneError, nearest, read_thing
from robots.tabletop.placement import free_place, some_distractors, upright
from robots.tabletop.simulation import Simulation
from robots.tabletop.state import BodyState, SlideState

LEAST_GAP_M = 0.002  # between what is put down and what it is put on
STRONGEST_GRIP_N = 200.0
MIDDLE_OF_BOWL_M = 0.015  # nearer to a bowl's middle, a block is put into it and not on its rim


def carry_out(intervention: Intervention, simulation: Simulation, seed: int) -> None:
    """Change the simulation. Raises InterventionError where that cannot be; then nothing has changed."""
    match intervention:
        case MoveObject(name, position_m):
            _move(simulation, _loose_name(simulation, name, "moved"), position_m)
        case RemoveObject(name):
            simulation.remove(_loose_name(simulation, name, "taken away"))
        case SetDrawer(opening_m):
            _set_drawer(simulation, opening_m)
        case SetLamp(on):
            _require(simulation, "lamp")
            simulation.set_lamp(on)
        case AddDistractor(position_m, name):
            _add_distractor(simulation, position_m, name, seed)
        case SetGripForce(newtons):
            if not 0.0 <= newtons <= STRONGEST_GRIP_N:
                raise InterventionError(f"a grip force of {newtons} N; expected 0 to {STRONGEST_GRIP_N:g}")
            simulation.set_grip_force(newtons)
        case DropHeld():
            if simulation.held is not None:
                simulation.let_slip()


def _move(simulation: Simulation, name: str, position_m: Point2) -> None:
    """What stands on or in a bowl or pad moves along; a block alone is put on what is there."""
    if not (all(map(math.isfinite, position_m)) and layout.TABLE.contains(position_m)):
        raise InterventionError(f"'{name}' cannot be put down at {position_m}: that is not on the table")
    body = simulation.read_body(name)
    if body.category == "block":
        others = [o for o in simulation.loose() if o.name != name]
        base = _top_at(others, position_m) + LEAST_GAP_M
        simulation.place(name, (*position_m, base + layout.BLOCK_SIZE_M / 2), upright(_yaw(body)))
        if simulation.held == name:
            simulation.held = None
        return
    dx, dy = position_m[0] - body.position_m[0], position_m[1] - body.position_m[1]
    for passenger in _passengers(simulation, body):
        simulation.place(passenger.name, _shifted(passenger.position_m, dx, dy), passenger.orientation)
    simulation.place(name, _shifted(body.position_m, dx, dy), body.orientation)


def _passengers(simulation: Simulation, carrier: BodyState) -> list[BodyState]:
    """Blocks over a bowl's or pad's footprint, but for one in the hand."""
    if carrier.category == "distractor":
        return []
    half = footprints.HALF_WIDTH_M[carrier.category]
    return [
        body
        for body in simulation.loose()
        if body.category == "block" and body.name != simulation.held
        and max(abs(body.position_m[k] - carrier.position_m[k]) for k in range(2)) < half
    ]  # fmt: skip


def _set_drawer(simulation: Simulation, opening_m: float) -> None:
    """The drawer with all that is in it, as far in as what is heaped in it allows."""
    _require(simulation, "drawer")
    if not 0.0 <= opening_m <= layout.DRAWER_TRAVEL_M:
        raise InterventionError(f"a drawer opening of {opening_m} m; expected 0 to {layout.DRAWER_TRAVEL_M}")
    now_m = simulation.slide("drawer").position_m
    contents = [body for body in simulation.loose() if _is_in_drawer(body, now_m) and body.name != simulation.held]
    for body in contents:
        if body.position_m[2] + layout.BLOCK_SIZE_M / 2 > layout.CABINET_HEIGHT_M - layout.CABINET_WALL_THICKNESS_M:
            room_m = layout.CABINET_FACE_Y_M - layout.BLOCK_SIZE_M - body.position_m[1]
            opening_m = max(opening_m, min(now_m, now_m - room_m))
    for body in contents:
        simulation.place(body.name, _shifted(body.position_m, 0.0, now_m - opening_m), body.orientation)
    simulation.set_slide("drawer", SlideState(opening_m))


def _is_in_drawer(body: BodyState, opening_m: float) -> bool:
    x, y, z = body.position_m
    half_x, half_y = layout.DRAWER_INTERIOR_X_M / 2, layout.DRAWER_INTERIOR_Y_M / 2
    inside = abs(x - layout.CABINET_X_M) < half_x and abs(y - layout.drawer_centre_y(opening_m)) < half_y
    return body.category == "block" and inside and z < layout.DRAWER_FLOOR_Z_M + 3 * layout.BLOCK_SIZE_M


def _add_distractor(simulation: Simulation, position_m: Point2 | None, name: str | None, seed: int) -> None:
    rng = np.random.default_rng([seed, simulation.control_steps, len(simulation.bodies)])
    chosen = some_distractors(rng, 1, simulation.bodies)[0] if name is None else _new_distractor(simulation, name)
    standing = [(body.category, (body.position_m[0], body.position_m[1])) for body in simulation.loose()]
    standing += [("model", (model.position_m[0], model.position_m[1])) for model in simulation.models()]
    place = position_m or free_place(rng, "distractor", standing, tuple(simulation.bodies))
    if place is None:
        raise InterventionError(f"no room on the table for a '{chosen}'")
    if not layout.TABLE.contains(place):
        raise InterventionError(f"'{chosen}' cannot be put down at {place}: that is not on the table")
    simulation.add(BodyState(chosen, "distractor", chosen, (*place, _top_at(simulation.loose(), place))))


def _new_distractor(simulation: Simulation, name: str) -> str:
    try:
        thing = read_thing(name)
    except SceneError as error:
        raise InterventionError(str(error)) from error
    if thing.category != "distractor":
        raise InterventionError(f"'{name}' is a {thing.category}, not a distractor")
    if thing.name in simulation.bodies:
        raise InterventionError(f"there is a '{thing.name}' already")
    return thing.name


def _loose_name(simulation: Simulation, name: str, what: str) -> str:
    loose = [body.name for body in simulation.loose()]
    if name in loose:
        return name
    if name in (*FIXTURES, TABLE):
        raise InterventionError(f"the {name} cannot be {what}; have: {', '.join(loose)}")
    raise InterventionError(f"no '{name}' here to be {what}{nearest(name, loose)}; have: {', '.join(loose)}")


def _require(simulation: Simulation, fixture: str) -> None:
    if fixture not in simulation.bodies:
        raise InterventionError(f"this scene has no {fixture}; have: {', '.join(simulation.bodies)}")


def _top_at(bodies: Iterable[BodyState], place: Point2) -> float:
    """Height of what a thing put down there would stand on, metres above the table."""
    return max((_height_at(body, place) for body in bodies), default=0.0)


def _height_at(body: BodyState, place: Point2) -> float:
    """Height of the body under a thing that is put down there; 0 where it is not under it."""
    x, y, z = body.position_m
    aside = max(abs(x - place[0]), abs(y - place[1]))
    if aside > footprints.HALF_WIDTH_M[body.category] + footprints.HALF_WIDTH_M["block"]:
        return 0.0
    match body.category:
        case "block":
            return z + layout.BLOCK_SIZE_M / 2
        case "pad":
            return z + layout.PAD_THICKNESS_M / 2
        case "bowl":
            return layout.BOWL_FLOOR_THICKNESS_M if aside < MIDDLE_OF_BOWL_M else layout.BOWL_HEIGHT_M
        case _:
            return z + layout.DISTRACTOR_SIZES_M[body.kind.rpartition(" ")[2]][2]


def _yaw(body: BodyState) -> float:
    x, y, z, w = body.orientation
    return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def _shifted(position_m: Vector3, dx: float, dy: float) -> Vector3:
    return position_m[0] + dx, position_m[1] + dy, position_m[2]
