"""Resolution: an end to turning to and fro.

Not for: what a policy decides otherwise (executor.policies), or ending a run in which nothing moves
(executor.progress).
"""

from __future__ import annotations

from dataclasses import replace

from robots.robot import Action


class Resolution:
    """Where the hand turns to and fro, it goes on one way for `steps` actions, and not down.

    Cubes look alike at quarter turns. Near the middle between two a policy that sees only the present may want one from
    here and the other from there, for ever. Dithering is `reversals` large turns in a row against the one before.
    One Resolution is for one skill run.
    """

    def __init__(self, *, reversals: int = 2, steps: int = 3, large_rad: float = 0.1) -> None:
        self._most, self._steps, self._large_rad = reversals, steps, large_rad
        self._turn_rad, self._reversed, self._left = 0.0, 0, 0

    def settle(self, action: Action) -> Action:
        """What is to be done instead of the next action that a policy decided on: most often itself."""
        turn_rad = action.rotation_delta[2]
        if action.terminate:
            return action
        if self._left:
            self._left -= 1
            x, y, z = action.world_vector
            return replace(action, world_vector=(x, y, max(z, 0.0)), rotation_delta=(0.0, 0.0, self._turn_rad))
        if abs(turn_rad) < self._large_rad:
            self._turn_rad, self._reversed = 0.0, 0
            return action
        self._reversed = self._reversed + 1 if turn_rad * self._turn_rad < 0 else 0
        self._turn_rad = turn_rad
        if self._reversed >= self._most:
            self._reversed, self._left = 0, self._steps
        return action
