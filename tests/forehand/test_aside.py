"""The places from which a call that failed twice is tried again, on the robot itself."""

from __future__ import annotations

import numpy as np
import pytest

from forehand.parts import ASIDE_M, ASIDE_STEPS
from robots.robot import Action
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld


@pytest.mark.parametrize("aside", ASIDE_M)
def test_the_hand_gets_there_without_being_held_back(aside: tuple[float, float]) -> None:
    x, y = (way / ASIDE_STEPS for way in aside)
    with TabletopWorld(SceneSpec(objects=("red block",)), 0) as world:
        robot = TabletopRobot(world, cameras=())
        assert robot.home()
        before = np.array(robot.observe().proprioception.tool_position_m)
        sent = [robot.apply(Action((x, y, 0.0))) for _ in range(ASIDE_STEPS)]
        for _ in range(3):
            robot.apply(Action())
        gone = np.array(robot.observe().proprioception.tool_position_m) - before
    assert not any(step.reasons for step in sent)
    assert np.linalg.norm(gone - (*aside, 0.0)) < 0.02
