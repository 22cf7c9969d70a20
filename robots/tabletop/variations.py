"""Variation: how a tabletop may look different while nothing in it works differently.

Table pattern and colours, light, camera jitter and the number of distractors, drawn from a seed; the default is no
variation at all. Textures are computed here, none are downloaded.
Not for: where objects stand (scene_spec) or disturbances during a run (faults).
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from robots.robot import Vector3

Rgb: TypeAlias = tuple[float, float, float]  # 0 to 1
Pattern: TypeAlias = Literal["plain", "checks", "stripes", "noise"]

CAMERA_NAMES = ("front", "overhead", "wrist")
# How far light goes from the usual one at strength 1: least and most.
AMBIENT, DIFFUSE, SPECULAR, WARMTH = (-0.15, 0.10), (-0.15, 0.15), (0.0, 0.2), (-0.15, 0.15)
MOST_LIGHT = 2.0  # strength; beyond that there would be nothing left to see


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TableLook(_Record):
    """The table top: one colour, or a pattern of two. period_m is the pattern's length on the table."""

    pattern: Pattern = "plain"
    colour: Rgb = (0.78, 0.70, 0.60)
    second_colour: Rgb = (0.62, 0.52, 0.42)
    period_m: float = Field(default=0.16, ge=0.02, le=2.0)
    seed: int = Field(default=0, ge=0)


class Lighting(_Record):
    """One distant light. direction points from the table to the light; the three shares weigh kinds of reflection."""

    direction: Vector3 = (0.6, 0.5, 1.4)
    colour: Rgb = (1.0, 1.0, 1.0)
    ambient: float = Field(default=0.55, ge=0.0, le=1.0)
    diffuse: float = Field(default=0.45, ge=0.0, le=1.0)
    specular: float = Field(default=0.05, ge=0.0, le=1.0)


class CameraJitter(_Record):
    """A camera not quite where it should be: shift and turn about its own axes, and a wider or narrower view."""

    shift_m: Vector3 = (0.0, 0.0, 0.0)
    turn_rad: Vector3 = (0.0, 0.0, 0.0)
    view_deg: float = Field(default=0.0, ge=-20.0, le=20.0)


@dataclass(frozen=True)
class Strengths:
    """How far a drawn variation may go, 0 none to 1 full, for each thing by itself; distractors: at most so many.

    light may go to MOST_LIGHT, for what lies beyond the light that something was trained in.
    """

    table: float = 1.0
    light: float = 1.0
    cameras: float = 1.0
    distractors: int = 3

    def __post_init__(self) -> None:
        for name, most in (("table", 1.0), ("light", MOST_LIGHT), ("cameras", 1.0)):
            if not 0.0 <= getattr(self, name) <= most:
                raise ValueError(f"strength of {name} must lie in 0..{most:g}, not {getattr(self, name)!r}")
        if self.distractors < 0:
            raise ValueError(f"distractors must be at least 0, not {self.distractors}")


class Variation(_Record):
    """One look of the tabletop. `model_dump(mode="json")` and `Variation.model_validate` round-trip it."""

    table: TableLook = TableLook()
    light: Lighting = Lighting()
    cameras: Mapping[str, CameraJitter] = Field(default_factory=dict)
    distractors: int = Field(default=0, ge=0, le=8)

    def jitter(self, camera: str) -> CameraJitter:
        return self.cameras.get(camera, CameraJitter())

    @classmethod
    def draw(cls, seed: int, strengths: Strengths | None = None) -> Variation:
        """The variation of this seed. Each part has its own random stream: changing one strength moves no other."""
        strengths = strengths or Strengths()
        table, light, cameras, distractors = (np.random.default_rng([seed, part]) for part in range(4))
        return cls(
            table=_draw_table(table, strengths.table),
            light=_draw_light(light, strengths.light),
            cameras=_draw_cameras(cameras, strengths.cameras) if strengths.cameras else {},
            distractors=int(distractors.integers(0, strengths.distractors + 1)),
        )


def table_texture(look: TableLook, extent_m: tuple[float, float], pixels_per_m: int = 160) -> NDArray[np.uint8]:
    """(rows along y, columns along x, 3) picture of a table top of `extent_m` (x, y) metres."""
    columns, rows = (max(1, round(e * pixels_per_m)) for e in extent_m)
    y, x = np.mgrid[0:rows, 0:columns] / pixels_per_m
    second = _share_of_second(look, x, y)[..., None]
    mixed = np.asarray(look.colour) * (1.0 - second) + np.asarray(look.second_colour) * second
    return np.clip(mixed * 255.0 + 0.5, 0, 255).astype(np.uint8)


def _share_of_second(look: TableLook, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    rng = np.random.default_rng(look.seed)
    if look.pattern == "plain":
        return np.zeros_like(x)
    if look.pattern == "checks":
        half = look.period_m / 2
        checks: NDArray[np.float64] = (np.floor(x / half) + np.floor(y / half)) % 2
        return checks
    if look.pattern == "stripes":  # wood: wavy grain within boards of one period
        board = np.floor(y / look.period_m)
        tone = rng.uniform(0.0, 0.5, size=int(board.max()) + 1)[board.astype(int)]
        grain = _smooth_noise(rng, x * 0.15, y, look.period_m / 10)
        boards: NDArray[np.float64] = np.clip(tone + 0.8 * (grain - 0.3), 0.0, 1.0)
        return boards
    coarse = _smooth_noise(rng, x, y, look.period_m)
    return np.clip(0.7 * coarse + 0.3 * _smooth_noise(rng, x, y, look.period_m / 5), 0.0, 1.0)


def _smooth_noise(
    rng: np.random.Generator, x: NDArray[np.float64], y: NDArray[np.float64], cell_m: float
) -> NDArray[np.float64]:
    """Value noise in 0..1: random numbers on a grid of cell_m, blended smoothly between."""
    u, v = x / cell_m, y / cell_m
    grid = rng.uniform(size=(int(v.max()) + 2, int(u.max()) + 2))
    i, j = v.astype(int), u.astype(int)
    a, b = ((t - k) ** 2 * (3 - 2 * (t - k)) for t, k in ((v, i), (u, j)))
    top = grid[i, j] * (1 - b) + grid[i, j + 1] * b
    bottom = grid[i + 1, j] * (1 - b) + grid[i + 1, j + 1] * b
    blended: NDArray[np.float64] = top * (1 - a) + bottom * a
    return blended


def _draw_table(rng: np.random.Generator, strength: float) -> TableLook:
    default = TableLook()
    if strength == 0.0:
        return default
    pattern: Pattern = get_args(Pattern)[rng.integers(len(get_args(Pattern)))]
    return TableLook(
        pattern=pattern,
        colour=_mixed(default.colour, _dull_colour(rng), strength),
        second_colour=_mixed(default.second_colour, _dull_colour(rng), strength),
        period_m=float(rng.uniform(0.06, 0.30)),
        seed=int(rng.integers(2**31)),
    )


def _dull_colour(rng: np.random.Generator) -> Rgb:
    """Any hue at low saturation, so that no table hides a coloured block."""
    return colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.0, 0.35), rng.uniform(0.35, 0.95))


def _draw_light(rng: np.random.Generator, strength: float) -> Lighting:
    default = Lighting()
    around, height = rng.uniform(-math.pi, math.pi), rng.uniform(0.9, 1.8)
    drawn = (math.cos(around), math.sin(around), height)
    ambient = default.ambient + strength * rng.uniform(*AMBIENT)
    warmth = strength * rng.uniform(*WARMTH)
    return Lighting(
        direction=_mixed(default.direction, drawn, strength),
        colour=(min(1.0, 1.0 + warmth), 1.0 - abs(warmth) / 3, min(1.0, 1.0 - warmth)),
        ambient=ambient,
        diffuse=default.diffuse + strength * rng.uniform(*DIFFUSE),
        specular=default.specular + strength * rng.uniform(*SPECULAR),
    )


def is_beyond_full(light: Lighting) -> bool:
    """Whether no draw of strength 1 gives this light: darker or brighter than any, or more coloured."""
    default = Lighting()
    brightness = ((light.ambient - default.ambient, AMBIENT), (light.diffuse - default.diffuse, DIFFUSE))
    coloured = 1.0 - min(light.colour)
    return coloured > WARMTH[1] or any(not low <= by <= high for by, (low, high) in brightness)


def _draw_cameras(rng: np.random.Generator, strength: float) -> dict[str, CameraJitter]:
    drawn = {}
    for name in CAMERA_NAMES:
        # the wrist camera is bolted on: millimetres and a degree, where a tripod is off by centimetres
        reach_m, reach_rad = (0.004, 0.02) if name == "wrist" else (0.04, 0.04)
        shift, turn = rng.uniform(-1.0, 1.0, size=(2, 3)) * strength
        drawn[name] = CameraJitter(
            shift_m=_vector(shift * reach_m),
            turn_rad=_vector(turn * reach_rad),
            view_deg=float(rng.uniform(-3.0, 3.0)) * strength,
        )
    return drawn


def _vector(values: NDArray[np.float64]) -> Vector3:
    return (float(values[0]), float(values[1]), float(values[2]))


def _mixed(first: Vector3, second: Vector3, share: float) -> Vector3:
    x, y, z = (a * (1 - share) + b * share for a, b in zip(first, second, strict=True))
    return (x, y, z)
