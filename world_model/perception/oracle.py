"""OraclePerception: exact poses from the simulator, of just what its cameras can see; labelled `oracle`.

Privileged in its precision and its names, not in its reach: what fills no pixel of any view is not there for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from robots.physical_state import ObjectState, PhysicalState
from robots.tabletop.world import TabletopWorld
from world_model.perception.inspection import inspected, missing
from world_model.perception.percept import NOTHING_EXPECTED, Percept
from world_model.perception.views import View, look

CAMERAS = ("front", "overhead")
VIEW_SIZE_PX = 128
LEAST_PIXELS = 3  # fewer could not be told apart in a picture


class OraclePerception:
    """Looks from the front and from above at the world as it is. The same world gives the same percept."""

    name = "oracle"

    def __init__(self, world: TabletopWorld, cameras: tuple[str, ...] = CAMERAS, size_px: int = VIEW_SIZE_PX) -> None:
        """Raises robots.tabletop.cameras.CameraError on `perceive` for a name that is no camera."""
        self._world, self._cameras, self._size_px = world, cameras, size_px

    def perceive(self, expected: Mapping[str, ObjectState] = NOTHING_EXPECTED) -> Percept:
        """Source: segmentation and depth of the rendered views, poses of the simulator."""
        views = look(self._world, self._cameras, self._size_px)
        truth = self._world.physical_state()
        seen = _restricted(truth, self._visible(views))
        return Percept(
            source=self.name,
            seen=seen,
            inspected=inspected(seen, views),
            missing=missing(expected, seen, views),
            grasping=truth.hand.held is not None,
        )

    def _visible(self, views: tuple[View, ...]) -> frozenset[str]:
        counts = [view.pixels_of() for view in views]
        return frozenset(
            name
            for name, body in self._world.bodies.items()
            if any(count.get(body, 0) >= LEAST_PIXELS for count in counts)
        )


def _restricted(truth: PhysicalState, visible: frozenset[str]) -> PhysicalState:
    """The state without what is not visible; the hand feels a hidden thing, but not which it is."""
    held = truth.hand.held if truth.hand.held in visible else None
    return replace(
        truth,
        objects={name: state for name, state in truth.objects.items() if name in visible},
        hand=replace(truth.hand, held=held),
        joints={name: value for name, value in truth.joints.items() if name in visible},
        switches={name: value for name, value in truth.switches.items() if name in visible},
    )
