"""TabletopWorld: the raw simulator of one scene. No envelope, no cameras: those are robot.py and cameras.py."""

from __future__ import annotations

from collections.abc import Mapping

import pybullet as p

from robots.physical_state import PhysicalState
from robots.robot import Action, Proprioception
from robots.tabletop.placement import initial_state
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.simulation import Simulation


class TabletopWorld:
    """A scene in PyBullet, stepped by RT-2 actions. Same spec, seed and actions: bit-same states."""

    def __init__(self, spec: SceneSpec, seed: int, *, full_visuals: bool = False) -> None:
        self.spec, self.seed = spec, seed
        self._client = p.connect(p.DIRECT)
        self._full_visuals = full_visuals
        self._simulation = Simulation(self._client, initial_state(spec, seed), full_visuals=full_visuals)
        for _ in range(5):
            self._simulation.advance(Action())
        self.checkpoint()

    @property
    def client(self) -> int:
        return self._client

    @property
    def robot_body(self) -> int:
        return self._simulation.robot_body

    @property
    def bodies(self) -> Mapping[str, int]:
        return self._simulation.bodies

    def step(self, action: Action) -> None:
        """One control step of 0.1 s."""
        self._simulation.advance(action)

    def physical_state(self) -> PhysicalState:
        return self._simulation.physical_state()

    def proprioception(self) -> Proprioception:
        return self._simulation.proprioception()

    def checkpoint(self) -> None:
        """Rebuild the simulation from its own numbers and go on from there."""
        self._simulation = Simulation(self._client, self._simulation.read(), full_visuals=self._full_visuals)

    def close(self) -> None:
        p.disconnect(self._client)

    def __enter__(self) -> TabletopWorld:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
