"""Writes URDF text for bodies with one moving part, and keeps the written files for the process.

Bullet makes a stop for a joint only from a URDF's limits; createMultiBody gives joints without stops.
Not for: the bodies of blocks, bowls and pads (objects builds them without files).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

from robots.robot import Vector3

Rgba = tuple[float, float, float, float]


@dataclass(frozen=True)
class Box:
    """centre and full extents in the part's frame, metres."""

    centre: Vector3
    extents: Vector3
    rgba: Rgba

    def geometry(self) -> str:
        return f'<box size="{_numbers(self.extents)}"/>'


@dataclass(frozen=True)
class Cylinder:
    """Upright; centre in the part's frame, radius and height, metres."""

    centre: Vector3
    radius: float
    height: float
    rgba: Rgba

    def geometry(self) -> str:
        return f'<cylinder radius="{self.radius!r}" length="{self.height!r}"/>'


Shape = Box | Cylinder


@dataclass(frozen=True)
class Slider:
    """The moving part of a body: slides along `axis` from 0 to `travel_m` with end stops."""

    origin: Vector3  # of its frame in the base's, metres
    axis: Vector3
    travel_m: float
    mass_kg: float
    shapes: tuple[Shape, ...]


def slider_urdf(name: str, base: Sequence[Shape], slider: Slider) -> str:
    """A fixed base and one prismatic joint, as URDF text."""
    origin, axis = _numbers(slider.origin), _numbers(slider.axis)
    return (
        f'<robot name="{name}">{_link("base", 1.0, base)}{_link("slider", slider.mass_kg, slider.shapes)}'
        f'<joint name="slide" type="prismatic"><parent link="base"/><child link="slider"/>'
        f'<origin xyz="{origin}"/><axis xyz="{axis}"/>'
        f'<limit lower="0" upper="{slider.travel_m!r}" effort="100" velocity="2"/></joint></robot>'
    )


def rigid_urdf(name: str, shapes: Sequence[Shape]) -> str:
    """One rigid part, as URDF text."""
    return f'<robot name="{name}">{_link("base", 1.0, shapes)}</robot>'


@cache
def file_with(text: str) -> Path:
    """A file that holds the text, in a folder that goes with the process. Forked processes may share it."""
    path = _folder() / f"{hashlib.sha256(text.encode()).hexdigest()}.urdf"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(text)
        unfinished.replace(path)
    return path


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="forehand-urdf-"))
    # atexit would not run in worker processes, and would run in forks that still share the folder
    Finalize(None, shutil.rmtree, args=(folder,), kwargs={"ignore_errors": True}, exitpriority=0)
    return folder


def _link(name: str, mass_kg: float, shapes: Sequence[Shape]) -> str:
    inertia = mass_kg * 0.01  # of a box of some 25 cm; it never turns, so only that it is positive matters
    parts = "".join(_part(name, index, shape) for index, shape in enumerate(shapes))
    return (
        f'<link name="{name}"><inertial><mass value="{mass_kg!r}"/>'
        f'<inertia ixx="{inertia!r}" ixy="0" ixz="0" iyy="{inertia!r}" iyz="0" izz="{inertia!r}"/></inertial>'
        f"{parts}</link>"
    )


def _part(link: str, index: int, shape: Shape) -> str:
    place = f'<origin xyz="{_numbers(shape.centre)}"/><geometry>{shape.geometry()}</geometry>'
    colour = f'<material name="{link}{index}"><color rgba="{_numbers(shape.rgba)}"/></material>'
    return f"<visual>{place}{colour}</visual><collision>{place}</collision>"


def _numbers(values: Sequence[float]) -> str:
    return " ".join(repr(float(v)) for v in values)
