"""Resolution: an end to going to and fro.

Not for: what a policy decides otherwise (executor.policies), or ending a run in which nothing moves
(executor.progress).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from robots.robot import Action, Vector3

STILL: Vector3 = (0.0, 0.0, 0.0)
HALVED, QUARTERED, GOES_ON = 3, 5, 6  # steps to and fro from which on the next ones are shorter, and go on one way

Way = TypeVar("Way", float, Vector3)


class Resolution:
    """Where the hand turns or moves to and fro, smaller steps or a few steps one way bring it somewhere else.

    A policy that sees only the present may want one thing from here and the opposite from a step farther on, for ever:
    cubes look alike at quarter turns, and between two actions both of which are right it has to choose anew each time.
    What is to and fro is counted over the last `window` actions, for a hand may also go twice there and twice back.
    Turning is dithering after `reversals` large turns against the large one before: then it goes on one way, and not
    down, for `turns` actions or until the policy wants no large turn any more; a quarter turn takes seven. Moving is,
    after HALVED large steps against the one before: then steps are halved, after QUARTERED halved again, and after
    GOES_ON it goes on one way for `steps` actions, and not down. One Resolution is for one skill run.
    """

    def __init__(
        self,
        *,
        window: int = 16,
        reversals: int = 2,
        turns: int = 7,
        steps: int = 4,
        large_rad: float = 0.1,
        large_m: float = 0.015,
    ) -> None:
        self._most, self._turns, self._steps = reversals, turns, steps
        self._large_rad, self._large_m = large_rad, large_m
        self._turned_rad, self._turn_rad, self._turning = deque[float](maxlen=window), 0.0, 0
        self._ways, self._way, self._going = deque[Vector3](maxlen=window), STILL, 0

    def settle(self, action: Action) -> Action:
        """What is to be done instead of the next action that a policy decided on: most often itself."""
        return action if action.terminate else self._moved(self._turned(action))

    def _turned(self, action: Action) -> Action:
        turn_rad = action.rotation_delta[2]
        is_large = abs(turn_rad) >= self._large_rad
        if self._turning and is_large:
            self._turning -= 1
            (x, y, z), (roll, pitch, _) = action.world_vector, action.rotation_delta
            yaw = math.copysign(turn_rad, self._turn_rad)
            return replace(action, world_vector=(x, y, max(z, 0.0)), rotation_delta=(roll, pitch, yaw))
        self._turning = 0
        self._turned_rad.append(turn_rad if is_large else 0.0)
        if is_large and _reversals(filter(None, self._turned_rad), _is_other_way) >= self._most:
            self._turned_rad.clear()
            self._turn_rad, self._turning = turn_rad, self._turns
        return action

    def _moved(self, action: Action) -> Action:
        way = action.world_vector
        if self._going:
            self._going -= 1
            x, y, z = self._way
            return replace(action, world_vector=(x, y, max(z, 0.0)))
        is_large = math.hypot(*way) >= self._large_m
        self._ways.append(way if is_large else STILL)
        back = _reversals((w for w in self._ways if w != STILL), _is_back)
        if not is_large or back < HALVED:
            return action
        if back >= GOES_ON:
            self._ways.clear()
            self._way, self._going = way, self._steps
            return action
        share = 0.5 if back < QUARTERED else 0.25
        return replace(action, world_vector=(share * way[0], share * way[1], share * way[2]))


def _reversals(ways: Iterable[Way], is_against: Callable[[Way, Way], bool]) -> int:
    """How many of them are against the one before."""
    return sum(is_against(before, way) for before, way in pairwise(ways))


def _is_other_way(before_rad: float, turn_rad: float) -> bool:
    return before_rad * turn_rad < 0


def _is_back(before: Vector3, way: Vector3) -> bool:
    """Whether a step leads more than 120° away from the one before."""
    return sum(a * b for a, b in zip(way, before, strict=True)) < -0.5 * math.hypot(*way) * math.hypot(*before)
