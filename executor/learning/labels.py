"""Labels of a training frame from the simulator's privileged state: where the target is seen, what each cell of a
picture shows, and the numbers that the model learns to tell beside its action.

Not for: anything that acts. Labels exist in training only; the model that is trained on them sees sensors alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from executor.action_numbers import numbers_of
from executor.vla_inputs import IMAGE_SIZES, STATE, state_vector
from robots.physical_state import PhysicalState
from robots.robot import Action, Proprioception, Vector3
from robots.tabletop.cameras import SegmentedImage, project
from robots.tabletop.layout import BUTTON_TRAVEL_M, DRAWER_TRAVEL_M, handle_centre
from robots.tabletop.names import BLOCK_COLOURS, FIXTURES, PAD_COLOURS
from robots.tabletop.objects import SLIDING_LINK
from robots.tabletop.world import TabletopWorld
from rt2.training.frames import CELL_PIXELS, FrameLayout
from skills.geometry import heading_rad, top_m
from skills.hand import gripped, hand_yaw_rad, obstacles
from skills.motion import passing_height_m
from skills.placing import free_spot
from skills.predicates import past_line_m
from skills.push_path import PAST_M, next_leg, straight_room_m
from skills.skill import SkillCall

CELL_NAMES = (
    "background", "table", "robot", "cabinet", "drawer", "button", "lamp", "distractor",
    *(f"{colour} block" for colour in BLOCK_COLOURS),
    *(f"{colour} bowl" for colour in BLOCK_COLOURS),
    *(f"{colour} pad" for colour in PAD_COLOURS),
)  # fmt: skip
AUXILIARY = (
    "target_x", "target_y", "target_z",  # of the target from the tool point
    # Of four times a block's yaw from the hand's, as a cube looks alike at quarters; of how a hinged thing is turned.
    "target_yaw_cos", "target_yaw_sin",
    "held", "held_x", "held_y", "held_z",  # whether something is held, and where from the tool point
    "drawer_opening", "button_depth",  # share of their travel
    "passing_height",  # that the tool needs on its way to the target, over its height now
    "push_left",  # way until the pushed block is past its line
    "push_x", "push_y",  # the heading along which it is to be pushed now
    "push_room",  # from the middle of the next bit of its straight lane to the nearest thing
)  # fmt: skip
LAYOUT = FrameLayout(cameras=IMAGE_SIZES, state=STATE, auxiliary=AUXILIARY, cell_names=CELL_NAMES)

FAR_M = 0.2  # metres that count as 1 in the auxiliary numbers
HELD_FAR_M = 0.05
LANE_FAR_M, MOST_ROOM_M = 0.05, 0.08  # more room than that is as good
# A block covers three quarters of a cell of the front picture, most often parts of four: by pixels alone many a block
# would be no cell's name.
BLOCK_WEIGHT, THING_WEIGHT = 6, 2
LEAST_PIXELS = 2  # of the target around its place: it is seen, not hidden by the hand


Fields: TypeAlias = dict[str, Any]
"""What a frame holds, by the names of LAYOUT."""


@dataclass(frozen=True)
class Target:
    """What a call is about now: an object's name, the place in metres to point at, where there is one."""

    name: str
    place_m: Vector3 | None
    by_place: bool  # its place is what is pointed at, not the middle of its pixels


def target_of(call: SkillCall, state: PhysicalState) -> Target:
    """The first thing that the call names; the handle of a drawer that is to be slid, the spot for what goes on the
    table. Nothing and nowhere for a call that names no thing."""
    name = next((argument for argument in call.arguments if argument == "table" or argument in state.objects), "")
    if name == "table":
        held = gripped(state)
        spot = None if held is None else (*free_spot(state, held), 0.0)
        return Target(name, spot, by_place=True)
    if not name:
        return Target(name, None, by_place=True)
    if call.skill in ("open", "close"):
        return Target(name, handle_centre(state.joints[name]), by_place=True)
    thing = state.objects[name]
    x, y, _ = thing.position_m
    return Target(name, (x, y, top_m(thing)) if call.skill == "press" else thing.position_m, by_place=False)


def point_label(view: SegmentedImage, world: TabletopWorld, target: Target) -> NDArray[np.float32]:
    """(3,) x and y in 0..1 of the picture, and 1 where the target is seen; else zeros."""
    hidden = np.zeros(3, np.float32)
    height, width = view.bodies.shape
    if target.by_place:
        pixel = None if target.place_m is None else _seen_at(view, world, target)
        return hidden if pixel is None else np.array([pixel[0] / width, pixel[1] / height, 1.0], np.float32)
    shown = view.bodies == world.bodies[target.name]
    if target.name == "drawer":
        shown &= view.links == SLIDING_LINK
    rows, columns = np.nonzero(shown)
    if rows.size == 0:
        return hidden
    return np.array([(columns.mean() + 0.5) / width, (rows.mean() + 0.5) / height, 1.0], np.float32)


def _seen_at(view: SegmentedImage, world: TabletopWorld, target: Target) -> tuple[float, float] | None:
    """Pixel of a target's place; None out of the picture or where something else hides it."""
    assert target.place_m is not None
    (pixel,), (depth,) = project(view.image, np.array([target.place_m]))
    column, row = float(pixel[0]), float(pixel[1])
    height, width = view.bodies.shape
    if depth <= 0 or not (0 <= column < width and 0 <= row < height):
        return None
    near = (slice(max(0, int(row) - 1), int(row) + 2), slice(max(0, int(column) - 1), int(column) + 2))
    shown = view.bodies[near] == world.bodies[target.name]
    if target.name == "drawer":
        shown &= view.links[near] == SLIDING_LINK
    return (column, row) if shown.sum() >= LEAST_PIXELS else None


def cell_labels(
    view: SegmentedImage, world: TabletopWorld, cell_names: tuple[str, ...] = CELL_NAMES
) -> NDArray[np.uint8]:
    """(height/8, width/8) index into cell_names of what covers most of each cell; small things count for more.

    cell_names: CELL_NAMES, and after them those of things of one's own; a thing without a name is a distractor.
    """
    names = _name_table(world, cell_names)
    bodies = np.where((view.bodies >= 0) & (view.bodies < len(names) // 2), view.bodies, -1)
    grid = names[2 * bodies + (view.links == SLIDING_LINK)]  # row -2 and -1 of the table: nothing
    height, width = grid.shape
    rows, columns, kinds = height // CELL_PIXELS, width // CELL_PIXELS, len(cell_names)
    pixels = grid.reshape(rows, CELL_PIXELS, columns, CELL_PIXELS).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
    places = pixels + kinds * np.arange(rows * columns)[:, None]
    counts = np.bincount(places.ravel(), minlength=rows * columns * kinds).reshape(rows, columns, kinds)
    return np.asarray((counts * _cell_weights(cell_names)).argmax(axis=2), np.uint8)


@lru_cache
def _cell_weights(cell_names: tuple[str, ...]) -> NDArray[np.int64]:
    weights = [
        BLOCK_WEIGHT if name.endswith(" block") else THING_WEIGHT if name not in CELL_NAMES[:4] else 1
        for name in cell_names
    ]
    return np.array(weights)


def _name_table(world: TabletopWorld, cell_names: tuple[str, ...]) -> NDArray[np.int64]:
    """Cell name by 2 × body id + (1 for its sliding link); the two last rows stand for no body."""
    most = max(*world.bodies.values(), world.robot_body)
    cell = {name: k for k, name in enumerate(cell_names)}
    table = np.zeros(2 * (most + 2), np.int64)
    for name, body in world.bodies.items():
        table[2 * body : 2 * body + 2] = cell.get(name, cell["distractor"])
    table[2 * world.robot_body : 2 * world.robot_body + 2] = cell["robot"]
    if "drawer" in world.bodies:
        table[2 * world.bodies["drawer"]] = cell["cabinet"]
    return table


def auxiliary_numbers(state: PhysicalState, call: SkillCall, target: Target) -> NDArray[np.float32]:
    """(16,) the entries named in AUXILIARY, about -1 to 1; NaN for what does not apply."""
    tool, missing = np.array(state.hand.tool_position_m), [math.nan] * 3
    place, held = target.place_m, state.hand.held
    thing = state.objects.get(target.name)
    turn = math.nan
    if thing is not None and thing.category == "block":
        turn = 4 * (heading_rad(thing.orientation) - hand_yaw_rad(state.hand))
    elif thing is not None and thing.category not in FIXTURES and thing.name in state.joints:
        turn = heading_rad(thing.orientation) + state.joints[thing.name] - hand_yaw_rad(state.hand)
    passing = math.nan
    if place is not None:
        passing = (passing_height_m(state, place, obstacles(state)) - float(tool[2])) / FAR_M
    left, heading, room = math.nan, (math.nan, math.nan), math.nan
    if call.skill == "push":
        left = (PAST_M - past_line_m(state, *call.arguments)) / FAR_M
        leg = next_leg(state, *call.arguments) if left > 0 else None
        if leg is not None:
            heading, room = leg.heading, min(straight_room_m(state, *call.arguments), MOST_ROOM_M) / LANE_FAR_M
    numbers = [
        *(missing if place is None else (np.array(place) - tool) / FAR_M),
        math.cos(turn), math.sin(turn),
        float(held is not None),
        *(missing if held is None else (np.array(state.objects[held].position_m) - tool) / HELD_FAR_M),
        state.joints.get("drawer", math.nan) / DRAWER_TRAVEL_M,
        state.joints.get("button", math.nan) / BUTTON_TRAVEL_M,
        passing,
        left,
        *heading,
        room,
    ]  # fmt: skip
    return np.array(numbers, np.float32)


def view_labels(
    views: Mapping[str, SegmentedImage],
    world: TabletopWorld,
    target: Target,
    cell_names: tuple[str, ...] = CELL_NAMES,
) -> dict[str, NDArray[np.uint8] | NDArray[np.float32]]:
    """The fields image.CAM, point.CAM and cells.CAM of a frame."""
    fields: dict[str, NDArray[np.uint8] | NDArray[np.float32]] = {}
    for name, view in views.items():
        fields[f"image.{name}"] = view.image.rgb
        fields[f"point.{name}"] = point_label(view, world, target)
        fields[f"cells.{name}"] = cell_labels(view, world, cell_names)
    return fields


def frame_fields(
    views: Mapping[str, SegmentedImage],
    world: TabletopWorld,
    state: PhysicalState,
    proprioception: Proprioception,
    call: SkillCall,
    expert: Action,
    sentence: str,
    cell_names: tuple[str, ...] = CELL_NAMES,
) -> Fields:
    """A whole frame but for `step` and `driver`. expert: what it would do now for the call that the sentence says."""
    target = target_of(call, state)
    return {
        **view_labels(views, world, target, cell_names),
        "state": state_vector(proprioception),
        "action": numbers_of(expert),
        "auxiliary": auxiliary_numbers(state, call, target),
        "sentence": sentence.encode(),
        "skill": call.skill.encode(),
    }
