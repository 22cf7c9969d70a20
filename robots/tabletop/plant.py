"""Plant: what stands below the safety envelope. The world with its cameras, or a fault wrapped around one.

Order of an action: policy → envelope → faults (each a Plant around the next) → WorldPlant → simulator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias

from robots.physical_state import PhysicalState
from robots.robot import Action, CameraImage, Proprioception
from robots.tabletop.cameras import CameraRig
from robots.tabletop.interventions import Intervention
from robots.tabletop.world import TabletopWorld


class Plant(Protocol):
    """Something that acts for one control step, senses, and can be meddled with."""

    def step(self, action: Action) -> None: ...

    def proprioception(self) -> Proprioception: ...

    def images(self, cameras: Iterable[str]) -> Mapping[str, CameraImage]: ...

    def physical_state(self) -> PhysicalState:
        """Privileged: the whole true state."""
        ...

    def intervene(self, intervention: Intervention) -> None:
        """Let something other than the robot change the world."""
        ...

    def begin_attempt(self, key: str, attempt: int) -> None:
        """The attempt-th try (from 1) of what `key` names starts now."""
        ...

    def end_attempt(self) -> None:
        """It is over; what moves until the next one belongs to no attempt."""
        ...

    def state(self) -> list[Any]:
        """JSON-ready memory of this layer and those below it, outermost first; the world keeps its own."""
        ...

    def load_state(self, state: list[Any]) -> None: ...


PlantWrapper: TypeAlias = Callable[[Plant], Plant]


class WorldPlant:
    """The innermost plant: a world and the cameras that look at it."""

    def __init__(self, world: TabletopWorld, rig: CameraRig) -> None:
        self._world, self._rig = world, rig

    def step(self, action: Action) -> None:
        self._world.step(action)

    def proprioception(self) -> Proprioception:
        return self._world.proprioception()

    def images(self, cameras: Iterable[str]) -> Mapping[str, CameraImage]:
        return self._rig.capture(cameras)

    def physical_state(self) -> PhysicalState:
        return self._world.physical_state()

    def intervene(self, intervention: Intervention) -> None:
        self._world.intervene(intervention)

    def begin_attempt(self, key: str, attempt: int) -> None:
        """Nothing here depends on attempts."""

    def end_attempt(self) -> None:
        """Nothing here depends on attempts."""

    def state(self) -> list[Any]:
        return []

    def load_state(self, state: list[Any]) -> None:
        if state:
            raise ValueError(f"a snapshot with {len(state)} more fault layers than this robot has")


class Wrapper:
    """A plant that passes everything on; faults override what they disturb."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant

    def step(self, action: Action) -> None:
        self.plant.step(action)

    def proprioception(self) -> Proprioception:
        return self.plant.proprioception()

    def images(self, cameras: Iterable[str]) -> Mapping[str, CameraImage]:
        return self.plant.images(cameras)

    def physical_state(self) -> PhysicalState:
        return self.plant.physical_state()

    def intervene(self, intervention: Intervention) -> None:
        self.plant.intervene(intervention)

    def begin_attempt(self, key: str, attempt: int) -> None:
        self.plant.begin_attempt(key, attempt)

    def end_attempt(self) -> None:
        self.plant.end_attempt()

    def own_state(self) -> Any:
        """JSON-ready memory of this layer alone."""
        return None

    def load_own_state(self, state: Any) -> None:
        """Restore what `own_state` returned."""

    def state(self) -> list[Any]:
        return [self.own_state(), *self.plant.state()]

    def load_state(self, state: list[Any]) -> None:
        if not state:
            raise ValueError("a snapshot with fewer fault layers than this robot has")
        self.load_own_state(state[0])
        self.plant.load_state(state[1:])
