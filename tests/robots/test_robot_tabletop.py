"""TabletopRobot: stays in its box, stops within one step, pays only for the pictures asked for."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import numpy as np
import pybullet as p
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robots.robot import Action
from robots.safety import Envelope, SafetyStop
from robots.safety_limits import EnvelopeLimits
from robots.tabletop import panda
from robots.tabletop.cameras import CameraError
from robots.tabletop.fault_schedule import FaultMix, FaultSchedule, scheduled
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld

LIMITS = EnvelopeLimits()
SCENE = SceneSpec(
    objects=("red block", "blue block", "blue bowl", "drawer", "lamp"), positions={"red block": (0.45, -0.1)}
)


@pytest.fixture
def world() -> Iterator[TabletopWorld]:
    with TabletopWorld(SCENE, 0) as world:
        yield world


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.05, 0.5, 1e6]))
def test_the_tool_never_leaves_the_box_whatever_is_asked(seed, scale):
    rng = np.random.default_rng(seed)
    low, high = np.array(LIMITS.workspace_low_m), np.array(LIMITS.workspace_high_m)
    with TabletopWorld(SceneSpec(objects=("red block",)), 0) as world:
        robot = TabletopRobot(world, cameras=())
        stops: list[str | None] = []
        drift = rng.normal(size=3) * scale  # keeps pressing towards one wall
        for _ in range(40):
            robot.observe()
            try:
                robot.apply(Action(tuple(drift + rng.normal(size=3) * scale), tuple(rng.normal(size=3)), 1.0))
            except SafetyStop:
                stops.append(robot.stopped)
                robot.resume()
            tool = np.array(robot.observe().proprioception.tool_position_m)
            assert np.all(tool >= low)
            assert np.all(tool <= high)
        assert all(reason is not None and "contact force" in reason for reason in stops)


def test_joints_never_pass_their_limits_however_the_hand_is_twisted(world):
    robot = TabletopRobot(world, cameras=())
    low, high = np.array(LIMITS.joint_low_rad), np.array(LIMITS.joint_high_rad)
    reasons = set()
    for k in range(60):
        robot.observe()
        sent = robot.apply(Action((0.0, 0.0, 0.02 if k < 5 else 0.0), (0.0, 0.0, 0.2)))
        reasons |= set(sent.reasons)
        joints = np.array(robot.observe().proprioception.joint_positions_rad)
        assert np.all(joints >= low)
        assert np.all(joints <= high)
    assert any("joint 7 near its limit" in reason for reason in reasons)


def test_the_preview_is_where_the_joints_then_go(world):
    robot = TabletopRobot(world, cameras=())
    action = Action((0.03, -0.02, 0.02), (0.0, 0.05, 0.1))
    before = np.array(robot.observe().proprioception.joint_positions_rad)
    previewed, _ = world.preview(action)
    assert np.allclose(robot.observe().proprioception.joint_positions_rad, before), "a preview moves nothing"
    robot.apply(action)
    after = np.array(robot.observe().proprioception.joint_positions_rad)
    assert np.abs(previewed - after).max() < 0.1 * np.abs(after - before).max()


def test_out_of_reach_the_arm_holds_instead_of_leaping_to_another_posture(world):
    robot = TabletopRobot(world, cameras=())
    for _ in range(30):
        before = np.array(robot.observe().proprioception.joint_positions_rad)
        robot.apply(Action((0.05, 0.04, 0.02), (0.1, 0.2, 0.0)))
        after = np.array(robot.observe().proprioception.joint_positions_rad)
        assert np.abs(after - before).max() < 0.3


def test_after_stop_nothing_moves_until_resumed(world):
    robot = TabletopRobot(world, cameras=())
    for _ in range(4):
        robot.observe()
        robot.apply(Action((0.05, 0.0, 0.0)))
    robot.stop("someone is in the way")
    with pytest.raises(SafetyStop, match="someone is in the way"):
        robot.apply(Action((0.05, 0.0, 0.0)))
    at_rest = robot.observe().proprioception
    for _ in range(5):
        with pytest.raises(SafetyStop):
            robot.apply(Action((0.05, 0.0, 0.0)))
    assert np.allclose(robot.observe().proprioception.tool_position_m, at_rest.tool_position_m, atol=1e-4)
    robot.resume()
    robot.apply(Action((0.05, 0.0, 0.0)))
    assert robot.observe().proprioception.tool_position_m[0] > at_rest.tool_position_m[0] + 0.02


def test_the_stop_takes_less_than_one_control_step_of_way(world):
    robot = TabletopRobot(world, cameras=())
    for _ in range(4):
        robot.observe()
        robot.apply(Action((0.0, -0.06, 0.0)))
    before = robot.observe().proprioception.tool_position_m[1]
    robot.stop("now")
    with pytest.raises(SafetyStop):
        robot.apply(Action((0.0, -0.06, 0.0)))
    assert abs(robot.observe().proprioception.tool_position_m[1] - before) < 0.02


def test_ctrl_c_stops_within_one_control_step(world):
    robot = TabletopRobot(world, cameras=())
    earlier = signal.signal(signal.SIGINT, lambda *_: robot.stop("Ctrl-C"))
    try:
        for _ in range(3):
            robot.observe()
            robot.apply(Action((0.02, 0.0, 0.0)))
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(SafetyStop, match="Ctrl-C"):
            robot.apply(Action((0.02, 0.0, 0.0)))
    finally:
        signal.signal(signal.SIGINT, earlier)


def test_observing_costs_only_the_pictures_asked_for(world, monkeypatch):
    drawn = []
    real = p.getCameraImage
    monkeypatch.setattr(p, "getCameraImage", lambda *a, **k: drawn.append(1) or real(*a, **k))
    robot = TabletopRobot(world, cameras=("front", "wrist"))
    assert robot.observe_with(()).images == {}
    assert drawn == []
    assert set(robot.observe().images) == {"front", "wrist"}
    assert len(drawn) == 2
    assert robot.observe_with(["overhead"]).images["overhead"].rgb.shape == (96, 96, 3)
    assert len(drawn) == 3


def test_an_unknown_camera_fails_when_the_robot_is_made(world):
    with pytest.raises(CameraError, match="have: front, overhead, wrist"):
        TabletopRobot(world, cameras=("front", "side"))


def test_a_policy_that_never_looks_again_is_refused(world):
    robot = TabletopRobot(world, cameras=())
    robot.observe()
    refused = [robot.apply(Action((0.0, 0.0, 0.001))).reasons != () for _ in range(LIMITS.max_unobserved_steps + 3)]
    assert refused == [False] * LIMITS.max_unobserved_steps + [True] * 3


def test_terminate_holds_still_and_keeps_the_grip(world):
    robot = TabletopRobot(world, cameras=())
    robot.apply(Action(gripper=1.0))
    before = robot.observe().proprioception
    sent = robot.apply(Action((0.05, 0.0, 0.0), gripper=0.0, terminate=True))
    after = robot.observe().proprioception
    assert sent.sent == Action(gripper=1.0, terminate=True)
    assert np.allclose(before.tool_position_m, after.tool_position_m, atol=2e-3)


def test_home_opens_the_hand_and_comes_back_from_down_in_a_corner(world):
    robot = TabletopRobot(world, cameras=())
    for _ in range(12):
        robot.observe()
        robot.apply(Action((0.015, -0.03, -0.02), (0.0, 0.0, 0.1), gripper=1.0))
    robot.home()
    here = robot.observe().proprioception
    home, _ = panda.forward(np.array(panda.HOME_JOINTS_RAD))
    assert np.linalg.norm(home.position - here.tool_position_m) < 0.015
    assert here.gripper_opening_m > 0.07


def test_a_custom_envelope_replaces_limits_but_never_the_envelope(world):
    robot = TabletopRobot(world, cameras=(), envelope=Envelope(EnvelopeLimits(max_step_m=0.01)))
    robot.observe()
    assert np.linalg.norm(robot.apply(Action((0.05, 0.0, 0.0))).sent.world_vector) <= 0.01
    with_none = TabletopRobot(world, cameras=(), envelope=None)
    assert with_none.apply(Action((float("nan"), 0.0, 0.0))).reasons != ()


def test_a_restored_world_and_robot_go_on_exactly_alike():
    schedule = FaultSchedule(seed=4, mix=FaultMix(rate=1.0, weights={"actuator-noise": 1.0, "moved": 1.0}))
    rng = np.random.default_rng(0)
    actions = [Action(tuple(v[:3] * 0.02), (0.0, 0.0, float(v[3]) * 0.1), 0.0) for v in rng.normal(size=(30, 4))]

    def drive(robot: TabletopRobot, part: list[Action]) -> None:
        for action in part:
            robot.observe()
            robot.apply(action)

    with TabletopWorld(SCENE, 7) as world:
        robot = TabletopRobot(world, cameras=(), faults=[scheduled(schedule)])
        robot.begin_attempt("pick(red block)", 1)
        drive(robot, actions[:10])
        kept = json.dumps(robot.state())
        snapshot = world.snapshot()
        drive(robot, actions[10:20])
        robot.begin_attempt("pick(red block)", 2)
        drive(robot, actions[20:])
        with TabletopWorld.restore(snapshot) as again:
            twin = TabletopRobot(again, cameras=(), faults=[scheduled(schedule)])
            twin.load_state(json.loads(kept))
            drive(twin, actions[10:20])
            twin.begin_attempt("pick(red block)", 2)
            drive(twin, actions[20:])
            assert again.physical_state() == world.physical_state()
            assert twin.state() == robot.state()
            assert twin.observe() == robot.observe()


def test_a_snapshot_of_other_fault_layers_is_refused(world):
    plain, faulty = (
        TabletopRobot(world),
        TabletopRobot(world, faults=[scheduled(FaultSchedule(seed=1, mix=FaultMix(rate=0.0, weights={})))]),
    )
    with pytest.raises(ValueError, match="fault layers"):
        plain.load_state(faulty.state())
    with pytest.raises(ValueError, match="fault layers"):
        faulty.load_state(plain.state())
