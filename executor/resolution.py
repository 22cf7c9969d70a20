"""Resolution: an end to going to and fro.

Not for: what a policy decides otherwise (executor.policies), or ending a run in which nothing moves
(executor.progress).
"""

from __future__ import annotations

import math
from dataclasses import replace

from robots.robot import Action, Vector3

STILL: Vector3 = (0.0, 0.0, 0.0)


class Resolution:
    """Where the hand turns or moves to and fro, smaller steps or a few steps one way bring it somewhere else.

    A policy that sees only the present may want one thing from here and the opposite from a step farther on, for ever:
    cubes look alike at quarter turns, and between two actions both of which are right it has to choose anew each time.
    Turning is dithering after `reversals` large turns in a row against the one before: then it goes on one way for
    `steps` actions, and not down. Moving is, after as many large steps against the one before: then steps are halved,
    and halved again; where that does not end it, it goes on one way for `steps` actions, and not down.
    One Resolution is for one skill run.
    """

    def __init__(
        self, *, reversals: int = 2, steps: int = 3, large_rad: float = 0.1, large_m: float = 0.015, halved: int = 4
    ) -> None:
        self._most, self._steps, self._large_rad, self._large_m = reversals, steps, large_rad, large_m
        self._halved = halved
        self._turn_rad, self._turned_back, self._turning = 0.0, 0, 0
        self._way, self._moved_back, self._going = STILL, 0, 0

    def settle(self, action: Action) -> Action:
        """What is to be done instead of the next action that a policy decided on: most often itself."""
        return action if action.terminate else self._moved(self._turned(action))

    def _turned(self, action: Action) -> Action:
        turn_rad = action.rotation_delta[2]
        if self._turning:
            self._turning -= 1
            x, y, z = action.world_vector
            return replace(action, world_vector=(x, y, max(z, 0.0)), rotation_delta=(0.0, 0.0, self._turn_rad))
        if abs(turn_rad) < self._large_rad:
            self._turn_rad, self._turned_back = 0.0, 0
            return action
        self._turned_back = self._turned_back + 1 if turn_rad * self._turn_rad < 0 else 0
        self._turn_rad = turn_rad
        if self._turned_back >= self._most:
            self._turned_back, self._turning = 0, self._steps
        return action

    def _moved(self, action: Action) -> Action:
        way = action.world_vector
        if self._going:
            self._going -= 1
            x, y, z = self._way
            return replace(action, world_vector=(x, y, max(z, 0.0)))
        if math.hypot(*way) < self._large_m:
            self._way, self._moved_back = STILL, 0
            return action
        self._moved_back = self._moved_back + 1 if _is_back(way, self._way) else 0
        self._way = way
        if self._moved_back < self._most:
            return action
        if self._moved_back >= self._most + self._halved:
            self._moved_back, self._going = 0, self._steps
            return action
        share = 0.5 if self._moved_back < self._most + self._halved / 2 else 0.25
        return replace(action, world_vector=(share * way[0], share * way[1], share * way[2]))


def _is_back(way: Vector3, before: Vector3) -> bool:
    """Whether a step leads more than 120° away from the one before."""
    return sum(a * b for a, b in zip(way, before, strict=True)) < -0.5 * math.hypot(*way) * math.hypot(*before)
