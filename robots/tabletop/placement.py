"""Placement: from a SceneSpec and a seed to the SimulationState in which everything stands.

Not for: checking a scene's words (scene_spec) or finding free places (scattering).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from robots.robot import Quaternion, Vector3
from robots.tabletop import layout, panda
from robots.tabletop.layout import Point2
from robots.tabletop.models import initial_model
from robots.tabletop.names import DISTRACTOR_SHAPES, NEUTRAL_COLOURS, SceneError, read_thing
from robots.tabletop.scattering import Footprint, relaxed, scattered
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.state import ArmState, BodyState, SimulationState, SlideState


def initial_state(spec: SceneSpec, seed: int, *, distractors: int = 0) -> SimulationState:
    """Everything in its place, the arm at home. Raises SceneError where there is no room."""
    rng = np.random.default_rng(seed)
    extra = some_distractors(rng, distractors, spec.objects)
    places = _places(spec, extra, rng)
    opening_m = layout.DRAWER_TRAVEL_M if spec.arrangement.drawer_open else 0.0
    placed = _Bodies(spec, places, opening_m, rng)
    return SimulationState(
        control_steps=0,
        bodies=tuple(placed.body(name) for name in (*spec.things, *extra)),
        arm=home_arm(),
        models=tuple(initial_model(name, model) for name, model in spec.models.items()),
        drawer=SlideState(opening_m) if "drawer" in spec.objects else None,
        button=SlideState() if "button" in spec.objects else None,
        lamp=spec.arrangement.lamp_lit if "lamp" in spec.objects else None,
    )


def home_arm() -> ArmState:
    """The arm at rest over the table with an open hand."""
    tool = panda.tool_pose(panda.HOME_JOINTS_RAD)
    return ArmState(
        positions=(*panda.HOME_JOINTS_RAD, panda.FINGER_STROKE_M, panda.FINGER_STROKE_M),
        velocities=(0.0,) * 9,
        targets_rad=panda.HOME_JOINTS_RAD,
        tool_position_m=panda.vector3(tool.position),
        tool_rotation=tuple(tool.rotation.ravel().tolist()),
        closedness=0.0,
        grip_force_n=panda.DEFAULT_GRIP_FORCE_N,
    )


def some_distractors(rng: np.random.Generator, count: int, taken: Iterable[str]) -> tuple[str, ...]:
    """Names of `count` neutral-coloured distractors that are not taken."""
    free = sorted({f"{c} {s}" for c in NEUTRAL_COLOURS for s in DISTRACTOR_SHAPES} - set(taken))
    return tuple(free[k] for k in rng.permutation(len(free))[:count])


def free_place(
    rng: np.random.Generator, category: str, standing: Iterable[tuple[str, Point2]], objects: tuple[str, ...]
) -> Point2 | None:
    """A random free place for one more thing among those that stand, by category and place; None when there is none."""
    footprints = [Footprint(str(k), kind, place=place) for k, (kind, place) in enumerate(standing)]
    drawn = scattered([*footprints, Footprint("", category)], objects, rng)
    return None if drawn is None else drawn[""]


def upright(yaw_rad: float) -> Quaternion:
    return 0.0, 0.0, math.sin(yaw_rad / 2), math.cos(yaw_rad / 2)


def _places(spec: SceneSpec, extra: Sequence[str], rng: np.random.Generator) -> dict[str, Point2]:
    arrangement = spec.arrangement
    footprints = [
        Footprint(
            name, read_thing(name).category, len(arrangement.tower(name)), arrangement.zone.get(name),
            spec.positions.get(name),
        )
        for name in arrangement.standing(spec.things)
    ]  # fmt: skip
    footprints += [Footprint(name, "distractor") for name in extra]
    footprints += [Footprint(name, "model", place=model.position) for name, model in spec.models.items()]
    objects = (*spec.objects, *extra)
    drawn = scattered(footprints, objects, rng) or relaxed(footprints, objects, rng)
    if drawn is None:
        names = ", ".join(f.name for f in footprints)
        raise SceneError(f"no room on the table for {len(footprints)} things at reachable places: {names}")
    return drawn


class _Bodies:
    """Turns places and relations into body states."""

    def __init__(
        self, spec: SceneSpec, places: Mapping[str, Point2], opening_m: float, rng: np.random.Generator
    ) -> None:
        self._spec, self._places, self._rng = spec, places, rng
        self._poses: dict[str, tuple[Vector3, float]] = {}
        for name in spec.arrangement.standing(name for name in places if name not in spec.models):
            if name not in self._poses:
                self._stand(name)
        for container in sorted(set(spec.arrangement.inside.values())):
            contents = [name for name in spec.things if spec.arrangement.inside.get(name) == container]
            if container == "drawer":
                self._fill_drawer(contents, opening_m)
            else:
                self._fill_bowl(contents, places[container])

    def body(self, name: str) -> BodyState:
        thing = read_thing(name)
        position, yaw = self._poses[name]
        kind = name if thing.category == "distractor" else thing.colour
        return BodyState(name, thing.category, kind, position, upright(yaw))

    def _stand(self, bottom: str) -> None:
        """The thing at its place and its tower above it, each block turned a little against the one below."""
        x, y = self._places[bottom]
        category = read_thing(bottom).category
        yaw = self._yaw(math.pi / 4) if category == "block" and bottom not in self._spec.positions else 0.0
        base_z = {"block": layout.BLOCK_SIZE_M / 2, "pad": layout.PAD_THICKNESS_M / 2}.get(category, 0.0)
        self._poses[bottom] = ((x, y, base_z), yaw)
        top = {"block": layout.BLOCK_SIZE_M, "pad": layout.PAD_THICKNESS_M}.get(category, 0.0)
        for name in self._spec.arrangement.tower(bottom)[1:]:
            yaw = yaw + self._yaw(0.1) if category == "block" else self._yaw(math.pi / 4)
            self._poses[name] = ((x, y, top + layout.BLOCK_SIZE_M / 2), yaw)
            top, category = top + layout.BLOCK_SIZE_M, "block"

    def _fill_drawer(self, contents: Sequence[str], opening_m: float) -> None:
        slots = self._rng.permutation(layout.DRAWER_CAPACITY)
        for name, slot in zip(contents, slots.tolist(), strict=False):
            self._poses[name] = (layout.drawer_slot(slot, opening_m), self._yaw(0.08))

    def _fill_bowl(self, contents: Sequence[str], place: Point2) -> None:
        """One in the middle, or two side by side and the third across them."""
        turn = self._yaw(math.pi)
        floor = layout.BOWL_FLOOR_THICKNESS_M + layout.BLOCK_SIZE_M / 2
        aside = 0.0 if len(contents) == 1 else layout.BLOCK_SIZE_M / 2 + 0.0005
        spots = ((aside, 0.0), (-aside, 0.0), (0.0, layout.BLOCK_SIZE_M))
        for name, (along, rise) in zip(contents, spots, strict=False):
            x, y = place[0] + along * math.cos(turn), place[1] + along * math.sin(turn)
            self._poses[name] = ((x, y, floor + rise), turn)

    def _yaw(self, most_rad: float) -> float:
        return float(self._rng.uniform(-most_rad, most_rad))
