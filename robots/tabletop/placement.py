"""Placement: from a SceneSpec and a seed to the SimulationState in which everything stands."""

from __future__ import annotations

import math
import re

import numpy as np

from robots.tabletop import layout, panda
from robots.tabletop.scene_spec import SceneError, SceneSpec
from robots.tabletop.state import ArmState, BodyState, SimulationState, SlideState

FIXTURES = ("drawer", "button", "lamp")
FOOTPRINT_M = {"block": 0.03, "bowl": 0.065, "pad": 0.07}


def initial_state(spec: SceneSpec, seed: int) -> SimulationState:
    rng = np.random.default_rng(seed)
    below, inside, flags = {}, {}, set()
    for text in spec.relations:
        predicate, inner = re.fullmatch(r"(\w+)\((.*)\)", text.strip()).groups()
        arguments = [a.strip() for a in inner.split(",")]
        if predicate == "on":
            below[arguments[0]] = arguments[1]
        elif predicate == "in":
            inside[arguments[0]] = arguments[1]
        else:
            flags.add((predicate, arguments[0]))
    opening = layout.DRAWER_TRAVEL_M if ("open", "drawer") in flags else 0.0
    loose = [n for n in spec.objects if n not in FIXTURES and n != "table"]
    places: dict[str, tuple[float, float, float]] = {}
    standing = [n for n in loose if n not in inside and below.get(n, "table") == "table"]
    for _ in range(1000):
        points: dict[str, tuple[float, float]] = {n: spec.positions[n] for n in standing if n in spec.positions}
        for name in sorted((n for n in standing if n not in points), key=lambda n: -FOOTPRINT_M[n.split()[1]]):
            for _ in range(60):
                area = layout.PLACING_AREA
                q = (rng.uniform(area.x_min, area.x_max), rng.uniform(area.y_min, area.y_max))
                if all(
                    math.dist(q, r) > max(0.10, FOOTPRINT_M[name.split()[1]] + FOOTPRINT_M[m.split()[1]] + 0.03)
                    for m, r in points.items()
                ):
                    points[name] = q
                    break
            else:
                break
        else:
            break
    else:
        raise SceneError("no room")
    bodies = []
    yaws: dict[str, float] = {}
    slots: dict[str, int] = {}
    pending = list(loose)
    while pending:
        name = pending.pop(0)
        kind, category = name.split()
        yaw = rng.uniform(-math.pi / 4, math.pi / 4) if category == "block" else 0.0
        if name in points:
            z = {"block": 0.02, "bowl": 0.0, "pad": layout.PAD_THICKNESS_M / 2}[category]
            places[name] = (*points[name], z)
        elif name in inside:
            k = slots.get(inside[name], 0)
            slots[inside[name]] = k + 1
            if inside[name] == "drawer":
                places[name] = layout.drawer_slot(k, opening)
                yaw = 0.0
            else:
                x, y = points[inside[name]]
                places[name] = (x, y, 0.027 + 0.045 * k)
        else:
            if below[name] not in places:
                pending.append(name)
                continue
            x, y, z = places[below[name]]
            yaw = yaws[below[name]]
            places[name] = (x, y, z + 0.04 if below[name].endswith("block") else 0.022)
        yaws[name] = yaw
        bodies.append(BodyState(name, category, kind, places[name], (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))))
    return SimulationState(
        control_steps=0,
        bodies=tuple(bodies),
        arm=home_arm(),
        drawer=SlideState(opening) if "drawer" in spec.objects else None,
        button=SlideState() if "button" in spec.objects else None,
        lamp=("lit", "lamp") in flags if "lamp" in spec.objects else None,
    )


def home_arm() -> ArmState:
    """The arm at rest over the table with an open hand."""
    joints = np.array(panda.HOME_JOINTS_RAD)
    tool, _ = panda.forward(joints)
    opening = (panda.FINGER_STROKE_M, panda.FINGER_STROKE_M)
    return ArmState(
        positions=(*panda.HOME_JOINTS_RAD, *opening),
        velocities=(0.0,) * 9,
        targets_rad=panda.HOME_JOINTS_RAD,
        tool_position_m=panda.vector3(tool.position),
        tool_rotation=tuple(tool.rotation.ravel().tolist()),
        closedness=0.0,
        grip_force_n=panda.DEFAULT_GRIP_FORCE_N,
    )
