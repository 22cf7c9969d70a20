"""What is measured: each case is one thing done once, on worlds that stand ready.

Not for: timing (bench.timing, bench.test_speed).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

import pybullet as p

from robots.robot import Action
from robots.tabletop.cameras import CameraRig
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import load_scene
from robots.tabletop.simulation import SUBSTEPS
from robots.tabletop.trace import frame_of
from robots.tabletop.video import Filmer
from robots.tabletop.world import TabletopWorld

Case: TypeAlias = Callable[[], object]

SCENE = "kitchen-corner"
PANDA_GYM_TASK = "PandaPickAndPlace-v3"
STEP = "control step, two 96×96 views"
STEP_BLIND = "control step, no view"
WORLD_STEP = "world step alone (kinematics, motors, contacts, physics)"
RAW = f"raw stepSimulation, the same {SUBSTEPS} substeps"
VIEWS = {name: f"one 96×96 view, {name}" for name in ("front", "overhead", "wrist")}
LARGE_VIEW = "one 192×192 view, front"
VIDEO_FRAME = "one 640×480 video picture, full meshes and shadows"
PANDA_GYM = "panda-gym 3.0.7: step, one 96×96 view"
PANDA_GYM_BLIND = "panda-gym 3.0.7: step, no view"


@contextmanager
def our_cases() -> Iterator[Mapping[str, Case]]:
    """Cases on this package alone. Actions go up and down, so that physics has work."""
    moves = itertools.cycle([Action((0.0, 0.0, z)) for z in (-0.04, -0.04, 0.04, 0.04)])
    with TabletopWorld(load_scene(SCENE), 0) as world, Filmer() as filmer:
        robot = TabletopRobot(world, cameras=("front", "wrist"))
        rig, large = CameraRig(world), CameraRig(world, 192)

        def control_step(cameras: tuple[str, ...]) -> None:
            robot.observe_with(cameras)
            robot.apply(next(moves))

        def raw_steps() -> None:
            for _ in range(SUBSTEPS):
                p.stepSimulation(physicsClientId=world.client)

        frame = frame_of(world)
        yield {
            STEP: lambda: control_step(("front", "wrist")),
            STEP_BLIND: lambda: control_step(()),
            WORLD_STEP: lambda: world.step(next(moves)),
            RAW: raw_steps,
            **{label: lambda name=name: rig.capture([name]) for name, label in VIEWS.items()},
            LARGE_VIEW: lambda: large.capture(["front"]),
            VIDEO_FRAME: lambda: filmer.draw(frame),
        }


@contextmanager
def panda_gym_cases() -> Iterator[Mapping[str, Case]]:
    """The same on panda-gym with its own CPU renderer; empty where it is not installed (extra `bench`)."""
    try:
        import gymnasium
        import panda_gym  # noqa: F401 - registers its environments
    except ImportError:
        yield {}
        return
    env = gymnasium.make(
        PANDA_GYM_TASK, render_mode="rgb_array", renderer="Tiny", render_width=96, render_height=96,
        max_episode_steps=10**9,
    )  # fmt: skip
    env.reset(seed=0)
    env.action_space.seed(0)
    try:
        yield {
            PANDA_GYM: lambda: (env.step(env.action_space.sample()), env.render()),
            PANDA_GYM_BLIND: lambda: env.step(env.action_space.sample()),
        }
    finally:
        env.close()
