"""TabletopWorld: the raw simulator of one scene. No envelope, no cameras: those are robot.py and cameras.py."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import pybullet as p

from robots.physical_state import PhysicalState
from robots.robot import CONTROL_RATE_HZ, Action, Proprioception
from robots.tabletop import panda, sensing
from robots.tabletop.intervene import carry_out
from robots.tabletop.interventions import Intervention, InterventionError
from robots.tabletop.placement import initial_state
from robots.tabletop.scene_spec import SceneError, SceneSpec
from robots.tabletop.simulation import Simulation
from robots.tabletop.snapshots import SnapshotError, WorldSnapshot
from robots.tabletop.state import SimulationState
from robots.tabletop.table_look import dress_table
from robots.tabletop.variations import Variation
from robots.tabletop.window import DisplayError, connect

__all__ = ["DisplayError", "TabletopWorld"]

SETTLING_S = 3.0
STILL_M_S, STILL_RAD_S = 0.01, 0.2  # a stack that Bullet balances sways by less
STILL_STEPS = 2  # so long must everything be still: what is thrown up stands still once, too


class TabletopWorld:
    """A scene in PyBullet, stepped by RT-2 actions. Same spec, seed, variation and calls: bit-same states.

    gui: open PyBullet's window and keep to real time. full_visuals: the arm's full meshes instead of its collision
    hulls, for pictures meant for people (ten times slower to draw; physics is the same).
    Raises SceneError where the scene's things find no room or a model does not load, DisplayError where gui is asked
    for without a display.
    """

    def __init__(
        self,
        spec: SceneSpec,
        seed: int,
        *,
        variation: Variation | None = None,
        gui: bool = False,
        full_visuals: bool = False,
    ) -> None:
        state = initial_state(spec, seed, distractors=0 if variation is None else variation.distractors)
        self._open(spec, seed, variation, gui=gui, full_visuals=full_visuals)
        try:
            self._rebuild(state)
            self.settle(SETTLING_S)
            self._rebuild(replace(self._simulation.read(), control_steps=0))
        except BaseException:
            self.close()
            raise

    @classmethod
    def restore(cls, snapshot: WorldSnapshot, *, gui: bool = False, full_visuals: bool = False) -> TabletopWorld:
        """A world that goes on exactly where the snapshot was taken. Raises SnapshotError."""
        world = cls.__new__(cls)
        world._open(snapshot.spec, snapshot.seed, snapshot.variation, gui=gui, full_visuals=full_visuals)
        try:
            world._rebuild(snapshot.checkpoint)
            for entry in snapshot.record:
                if isinstance(entry, Action):
                    world.step(entry)
                else:
                    world.intervene(entry)
        except (InterventionError, SceneError) as error:
            world.close()
            raise SnapshotError(f"a snapshot that cannot be replayed: {error}") from error
        return world

    def _open(self, spec: SceneSpec, seed: int, variation: Variation | None, *, gui: bool, full_visuals: bool) -> None:
        self.spec, self.seed, self.variation = spec, seed, variation
        self._gui, self._full_visuals = gui, full_visuals
        self._client = connect(gui)
        self._due_s = time.monotonic()

    @property
    def client(self) -> int:
        """PyBullet's physicsClientId; the same for the life of the world."""
        return self._client

    @property
    def robot_body(self) -> int:
        return self._simulation.robot_body

    @property
    def bodies(self) -> Mapping[str, int]:
        """Name → body id. Ids may change at a checkpoint."""
        return self._simulation.bodies

    @property
    def time_s(self) -> float:
        """Simulated seconds since the scene had settled."""
        return self._simulation.control_steps / CONTROL_RATE_HZ

    def step(self, action: Action) -> None:
        """One control step of 0.1 s; a terminating action holds still."""
        self._record.append(action)
        self._simulation.advance(action)
        if self._gui:
            self._due_s = max(self._due_s + 1.0 / CONTROL_RATE_HZ, time.monotonic())
            time.sleep(max(0.0, self._due_s - time.monotonic()))

    def preview(self, action: Action) -> tuple[panda.Vector, panda.Pose]:
        """Joint angles to which `step` would send the arm, and the tool pose they are for; nothing moves."""
        return self._simulation.preview(action)

    def intervene(self, intervention: Intervention) -> None:
        """What someone or something other than the robot does. Raises InterventionError; then nothing has changed."""
        carry_out(intervention, self._simulation, self.seed)
        self._record.append(intervention)

    def physical_state(self) -> PhysicalState:
        """Privileged: everything as it truly is."""
        return sensing.physical_state(self._simulation)

    def proprioception(self) -> Proprioception:
        """What the robot feels of itself."""
        return sensing.proprioception(self._simulation)

    def settled(self) -> bool:
        """Whether nothing moves any more: no block, not the drawer, not the button."""
        simulation = self._simulation
        slides = [simulation.slide(name) for name in ("drawer", "button") if name in simulation.bodies]
        return all(
            max(map(abs, body.linear_velocity)) < STILL_M_S and max(map(abs, body.angular_velocity)) < STILL_RAD_S
            for body in simulation.loose()
        ) and all(abs(slide.velocity_m_s) < STILL_M_S for slide in slides)

    def settle(self, max_s: float) -> bool:
        """Hold still until nothing moves, for two control steps to max_s seconds; whether it came to rest.

        For judging true end states: what is falling has fallen, what is held is still held.
        """
        still = 0
        for _ in range(max(STILL_STEPS, round(max_s * CONTROL_RATE_HZ))):
            self.step(Action(gripper=self._simulation.closedness))
            still = still + 1 if self.settled() else 0
            if still == STILL_STEPS:
                return True
        return False

    def checkpoint(self) -> None:
        """Build the simulation anew from its own numbers and go on from there; snapshots replay from here.

        Called where skills meet. Contacts are found anew, so what is touching may shift by a fraction of a millimetre.
        """
        self._rebuild(self._simulation.read())

    def snapshot(self) -> WorldSnapshot:
        """All that `restore` needs to go on from here, bit for bit."""
        return WorldSnapshot(
            spec=self.spec,
            seed=self.seed,
            variation=self.variation,
            checkpoint=self._checkpoint,
            record=tuple(self._record),
        )

    def close(self) -> None:
        """Give the simulator back. A closed world can do nothing more."""
        if self._client >= 0:
            p.disconnect(self._client)
            self._client = -1

    def __enter__(self) -> TabletopWorld:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rebuild(self, state: SimulationState) -> None:
        self._checkpoint = state
        self._record: list[Action | Intervention] = []
        self._simulation = Simulation(self._client, state, full_visuals=self._full_visuals)
        if self.variation is not None:
            dress_table(self._client, self.bodies["table"], self.variation.table)
