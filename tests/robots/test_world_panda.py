"""The arm's kinematics against Bullet's own, and its inverse over all of the table that things stand on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pybullet as p
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robots.tabletop import layout, panda

DOWN = np.diag([1.0, -1.0, -1.0])
HOME = np.array(panda.HOME_JOINTS_RAD)
UNIT = st.floats(0.0, 1.0)


@pytest.fixture(scope="module")
def client() -> Iterator[int]:
    client = p.connect(p.DIRECT)
    panda.load(client)
    yield client
    p.disconnect(client)


def joints_at(shares: list[float]) -> panda.Vector:
    """Joint angles at these shares of their ranges."""
    joints: panda.Vector = panda.LOWER_LIMITS_RAD + np.array(shares) * (panda.UPPER_LIMITS_RAD - panda.LOWER_LIMITS_RAD)
    return joints


@settings(max_examples=40, deadline=None)
@given(shares=st.lists(UNIT, min_size=7, max_size=7))
def test_forward_kinematics_and_jacobian_are_bullets(client: int, shares: list[float]) -> None:
    joints = joints_at(shares)
    for joint, angle in enumerate(joints):
        p.resetJointState(0, joint, angle, physicsClientId=client)
    for joint in panda.FINGER_JOINTS:
        p.resetJointState(0, joint, 0.0, physicsClientId=client)
    pose, jacobian = panda.forward(joints)
    hand = p.getLinkState(0, panda.HAND_LINK, computeForwardKinematics=1, physicsClientId=client)
    rotation = np.reshape(p.getMatrixFromQuaternion(hand[5]), (3, 3))
    assert np.allclose(pose.position, np.array(hand[4]) + rotation[:, 2] * panda.TOOL_OFFSET_M, atol=1e-5)
    assert np.allclose(pose.rotation, rotation, atol=1e-5)
    point = [0.0, 0.0, panda.TOOL_OFFSET_M]
    linear, angular = p.calculateJacobian(
        0, panda.HAND_LINK, point, [*joints, 0.0, 0.0], [0.0] * 9, [0.0] * 9, physicsClientId=client
    )
    assert np.allclose(jacobian[:3], np.array(linear)[:, :7], atol=1e-5)
    assert np.allclose(jacobian[3:], np.array(angular)[:, :7], atol=1e-5)


def walk(goal: tuple[float, float, float], yaw: float = 0.0, steps: int = 24) -> tuple[panda.Pose, panda.Vector]:
    """The pose and joints reached by going from home straight to the goal while turning to yaw, hand down."""
    start, joints = panda.forward(HOME)[0].position, HOME
    for share in np.linspace(0.0, 1.0, steps + 1)[1:]:
        turned = panda.rotation_of(np.array([0.0, 0.0, share * yaw])) @ DOWN
        joints = panda.inverse(panda.Pose(start + share * (np.array(goal) - start), turned), joints)
    return panda.forward(joints)[0], joints


@pytest.mark.parametrize("yaw", [-np.pi / 2, 0.0, np.pi / 4])
def test_a_hand_that_points_down_reaches_all_of_the_placing_area(yaw: float) -> None:
    area = layout.PLACING_AREA
    wanted = panda.rotation_of(np.array([0.0, 0.0, yaw])) @ DOWN
    for x in np.linspace(area.x_min, area.x_max, 3):
        for y in np.linspace(area.y_min, area.y_max, 4):
            for z in (panda.FINGER_REACH_M, layout.SAFE_HEIGHT_M):
                found, _ = walk((x, y, z), yaw)
                assert np.linalg.norm(found.position - (x, y, z)) < 1e-3, (x, y, z)
                assert np.linalg.norm(panda.rotation_error(wanted, found.rotation)) < 1e-2, (x, y, z)


def test_what_is_out_of_reach_is_approached_within_the_joint_limits() -> None:
    found, joints = walk((1.2, 0.0, 0.3))
    assert np.all(joints >= panda.LOWER_LIMITS_RAD)
    assert np.all(joints <= panda.UPPER_LIMITS_RAD)
    assert 0.6 < found.position[0] < 1.0


@given(vector=st.tuples(*[st.floats(-1.8, 1.8)] * 3))
def test_rotation_vectors_and_quaternions_round_trip(vector: tuple[float, float, float]) -> None:
    rotation = panda.rotation_of(np.array(vector))
    assert np.allclose(panda.rotation_vector(rotation), vector, atol=1e-6)
    again = np.reshape(p.getMatrixFromQuaternion(panda.quaternion_of(rotation)), (3, 3))
    assert np.allclose(again, rotation, atol=1e-6)


def test_half_turns_have_a_rotation_vector() -> None:
    for axis in np.eye(3):
        assert np.isclose(np.linalg.norm(panda.rotation_vector(panda.rotation_of(axis * np.pi))), np.pi)
