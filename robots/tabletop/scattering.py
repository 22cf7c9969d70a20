"""Finds free places on the table for things that must keep apart.

Drawn uniformly one after the other (random sequential addition) and, where that finds no room, relaxed: from random
places, things that are too near each other push each other apart.
Not for: relations between things (relations) or how high they stand (placement).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robots.tabletop import layout
from robots.tabletop.footprints import HALF_WIDTH_M, in_zone, kept_free, needed_gap_m
from robots.tabletop.layout import Point2

Points = NDArray[np.float64]  # (n, 2) metres

SCATTERINGS, DRAWS = 8, 60
RELAXATIONS, RELAXING_STEPS = 10, 300
TALL_STACK = 3  # blocks; beside it the hand's broad side needs more room
TALL_GAP_M = 0.09
OVERSHOOT_M = 1e-4  # things are pushed a little farther apart than they must be, so that relaxing comes to an end


@dataclass(frozen=True)
class Footprint:
    """What a standing thing needs of the table. place: given by the scene, or None to be found."""

    name: str
    category: str
    height: int = 1  # blocks, of a stack
    zone: str | None = None
    place: Point2 | None = None


def scattered(
    footprints: Sequence[Footprint], objects: tuple[str, ...], rng: np.random.Generator
) -> dict[str, Point2] | None:
    """Places drawn one after the other, broad things first; None when there is always one without room."""
    table = _Table(footprints, objects)
    broad_first = sorted(table.open, key=lambda k: (-table.halves[k], -footprints[k].height))
    for _ in range(SCATTERINGS):
        placed, points = list(table.given), table.start()
        for k in broad_first:
            drawn = rng.uniform(table.low, table.high, (DRAWS, 2))
            fits = (table.lacking(k, drawn, placed, points) <= 0).all(axis=1) & table.allowed(k, drawn)
            if not fits.any():
                break
            points[k] = drawn[int(np.argmax(fits))]
            placed.append(k)
        else:
            return table.places(points)
    return None


def relaxed(
    footprints: Sequence[Footprint], objects: tuple[str, ...], rng: np.random.Generator
) -> dict[str, Point2] | None:
    """Random places from which things that are too near each other move apart; None when they never come to rest."""
    table = _Table(footprints, objects)
    for _ in range(RELAXATIONS):
        points = table.start()
        points[table.open] = rng.uniform(table.low, table.high, (len(table.open), 2))
        for _ in range(RELAXING_STEPS):
            push = table.pushes(points)
            if not push.any():
                break
            points[table.open] = np.clip(points + push, table.low, table.high)[table.open]
        at_rest = not table.pushes(points).any()
        if at_rest and all(table.allowed(k, points[k : k + 1])[0] for k in table.open):
            return table.places(points)
    return None


class _Table:
    """Footprints as arrays: half widths (n,), needed gaps (n, n); given and open are their indices."""

    def __init__(self, footprints: Sequence[Footprint], objects: tuple[str, ...]) -> None:
        self._footprints, area = footprints, layout.PLACING_AREA
        self.low, self.high = np.array([area.x_min, area.y_min]), np.array([area.x_max, area.y_max])
        self.halves = np.array([HALF_WIDTH_M[f.category] for f in footprints])
        self.gaps = np.array([[_gap_m(one, other) for other in footprints] for one in footprints])
        self.given = [k for k, f in enumerate(footprints) if f.place is not None]
        self.open = [k for k, f in enumerate(footprints) if f.place is None]
        self._kept_free = list(kept_free(objects).values())

    def start(self) -> Points:
        """(n, 2) given places, zeros for the others."""
        return np.array([f.place or (0.0, 0.0) for f in self._footprints], dtype=float).reshape(-1, 2)

    def lacking(self, k: int, candidates: Points, others: Sequence[int], points: Points) -> NDArray[np.float64]:
        """(m, len(others)) by how much each of m candidate places for thing k is too near each other thing, metres."""
        indices = np.asarray(others, dtype=int)
        between = np.abs(candidates[:, None, :] - points[None, indices, :])
        return _lacking(between, self.halves[k] + self.halves[indices], self.gaps[k, indices])

    def allowed(self, k: int, candidates: Points) -> NDArray[np.bool_]:
        """(m,) whether thing k may stand there as far as zones and fixtures go."""
        good = np.ones(len(candidates), dtype=bool)
        half, zone = self.halves[k], self._footprints[k].zone
        x, y = candidates[:, 0], candidates[:, 1]
        for area in self._kept_free:
            in_x = (area.x_min - half < x) & (x < area.x_max + half)
            good &= ~(in_x & (area.y_min - half < y) & (y < area.y_max + half))
        if zone is not None:
            good &= np.array([in_zone((float(px), float(py)), zone) for px, py in candidates])
        return good

    def pushes(self, points: Points) -> Points:
        """(n, 2) how far each thing moves this step; all zero when nothing is too near anything."""
        offsets = points[:, None, :] - points[None, :, :]
        lacking = _lacking(np.abs(offsets), self.halves[:, None] + self.halves[None, :], self.gaps)
        np.fill_diagonal(lacking, 0.0)
        strength = np.where(lacking > 0, 0.5 * lacking + OVERSHOOT_M, 0.0)
        length = np.maximum(np.linalg.norm(offsets, axis=2), 1e-9)
        pushed: Points = (offsets * (strength / length)[..., None]).sum(axis=1)
        return pushed

    def places(self, points: Points) -> dict[str, Point2]:
        return {f.name: f.place or (float(x), float(y)) for f, (x, y) in zip(self._footprints, points, strict=True)}


def _lacking(
    between: NDArray[np.float64], halves: NDArray[np.float64], gaps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of pairs at distances (…, 2) along x and y: how much their gap and their centre distance fall short, metres."""
    apart = between - halves[..., None]
    gap = np.where((apart < 0).any(axis=-1), apart.max(axis=-1), np.linalg.norm(apart, axis=-1))
    short: NDArray[np.float64] = np.maximum(gaps - gap, layout.MINIMAL_SPACING_M - np.linalg.norm(between, axis=-1))
    return np.where(np.isneginf(gaps), 0.0, short)


def _gap_m(one: Footprint, other: Footprint) -> float:
    """Needed between two things; what a scene places itself may be as near to its like as it wants."""
    if one.place is not None and other.place is not None:
        return -np.inf
    tall = max(one.height, other.height) >= TALL_STACK
    return max(needed_gap_m(one.category, other.category), TALL_GAP_M if tall else 0.0)
