"""The Panda arm in a PyBullet client: its body, its kinematics and its motors.

Fingers are long boxes (10 cm, as printed finger tips are) so that the hand stays clear of stacks and of the cabinet.
Not for: RT-2 actions (simulation) or safety (robots.safety).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pybullet as p
import pybullet_data
from numpy.typing import NDArray

from robots.robot import Quaternion, Vector3
from robots.tabletop.urdf import file_with

Vector = NDArray[np.float64]

ARM_JOINTS = tuple(range(7))
HAND_LINK = 8
FINGER_JOINTS = (9, 10)
FINGER_LINKS = FINGER_JOINTS
JOINTS = (*ARM_JOINTS, *FINGER_JOINTS)
TOOL_OFFSET_M = 0.150  # tool point before the hand's frame: 1 cm inside the finger tips
FINGER_REACH_M = 0.010  # finger tips below the tool point
FINGER_STROKE_M = 0.04
ELBOW_SWIVEL = 2  # index of the joint whose angle the elbow's swivel shows in
SWIVEL_STEP_RAD = 0.03  # in one control step
HOME_JOINTS_RAD = (0.0, -0.3844, 0.0, -2.477, 0.0, 2.0926, 0.7854)  # tool at (0.42, 0, 0.28), pointing down
LOWER_LIMITS_RAD = np.array([-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973])
UPPER_LIMITS_RAD = np.array([2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973])
ARM_EFFORTS_NM = (87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0)  # the maker's own: what bounds a blow or a push
POSE_TOLERANCE = 5e-5  # metres and radians between the pose wanted and the pose of the joints found
MOST_TRAVEL_RAD = 0.35  # of a joint in one control step; more than the envelope lets pass
ARM_POSITION_GAIN = 0.3
DEFAULT_GRIP_FORCE_N = 25.0
FINGER_FRICTION = 1.5

# Denavit–Hartenberg rows (a, d, alpha), Craig's convention, from the maker's sheet; the flange carries the hand.
_DH = ((0.0, 0.333, 0.0), (0.0, 0.0, -np.pi / 2), (0.0, 0.316, np.pi / 2), (0.0825, 0.0, np.pi / 2),
       (-0.0825, 0.384, -np.pi / 2), (0.0, 0.0, np.pi / 2), (0.088, 0.0, np.pi / 2))  # fmt: skip
_FLANGE_M = 0.107
_HAND_YAW_RAD = -np.pi / 4

_FINGER_BOX = '<origin rpy="0 0 0" xyz="0 {y} 0.0508"/><geometry><box size="0.02 0.012 0.1016"/></geometry>'


def _tool_offset() -> Vector:
    """From the last joint's frame to the tool point, (4, 4)."""
    c, s, reach = np.cos(_HAND_YAW_RAD), np.sin(_HAND_YAW_RAD), _FLANGE_M + TOOL_OFFSET_M
    return np.array([[c, -s, 0.0, 0.0], [s, c, 0.0, 0.0], [0.0, 0.0, 1.0, reach], [0.0, 0.0, 0.0, 1.0]])


_LINKS = tuple((a, d, math.cos(alpha), math.sin(alpha)) for a, d, alpha in _DH)
_TOOL = _tool_offset()
_BASE_ROWS = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0))
_EYE_6 = np.eye(6)


@dataclass(frozen=True)
class Pose:
    """A tool pose: position in metres, rotation as a (3, 3) matrix."""

    position: Vector
    rotation: Vector


def tool_pose(joints_rad: Sequence[float]) -> Pose:
    """Tool pose at seven joint angles."""
    tool = np.array(_joint_frames(joints_rad)[-1]) @ _TOOL
    return Pose(tool[:, 3], tool[:, :3])


def forward(joints_rad: Vector) -> tuple[Pose, Vector]:
    """Tool pose and geometric Jacobian (6, 7), linear rows first, at seven joint angles."""
    frames = np.array(_joint_frames(joints_rad.tolist()))
    tool = frames[-1] @ _TOOL
    axes, levers = frames[:, :, 2].T, (tool[:, 3] - frames[:, :, 3]).T
    jacobian = np.empty((6, 7))
    jacobian[0] = axes[1] * levers[2] - axes[2] * levers[1]
    jacobian[1] = axes[2] * levers[0] - axes[0] * levers[2]
    jacobian[2] = axes[0] * levers[1] - axes[1] * levers[0]
    jacobian[3:] = axes
    return Pose(tool[:, 3], tool[:, :3]), jacobian


def _joint_frames(joints_rad: Sequence[float]) -> list[list[tuple[float, float, float, float]]]:
    """Upper three rows of each joint's frame in the base's; plain floats, because numpy is slower on so few numbers."""
    rows: Sequence[tuple[float, float, float, float]] = _BASE_ROWS
    frames = []
    for (a, d, ca, sa), angle in zip(_LINKS, joints_rad, strict=True):
        c, s = math.cos(angle), math.sin(angle)
        turned = []
        for x, y, z, offset in rows:
            y_turned, z_turned = y * ca + z * sa, z * ca - y * sa
            turned.append((x * c + y_turned * s, y_turned * c - x * s, z_turned, offset + x * a + z_turned * d))
        rows = turned
        frames.append(turned)
    return frames


def rotation_error(target: Vector, current: Vector) -> Vector:
    """The rotation vector (radians, base frame) that turns `current` into `target`."""
    return rotation_vector(target @ current.T)


def rotation_vector(rotation: Vector) -> Vector:
    """Axis times angle of a rotation matrix, radians."""
    x, y, z, w = quaternion_of(rotation)
    sine = math.sqrt(x * x + y * y + z * z)
    angle = 2 * math.atan2(sine, abs(w))
    scale = math.copysign(angle / sine if sine > 1e-12 else 2.0, w)
    return np.array([x * scale, y * scale, z * scale])


def rotation_of(vector: Vector) -> Vector:
    """The rotation matrix of a rotation vector (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turned: Vector = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return turned


def inverse(target: Pose, start_rad: Vector, *, iterations: int = 12, damping: float = 0.02) -> Vector:
    """Joint angles near `start_rad` whose tool pose is `target`, as near as the joint limits let it come.

    Damped least squares (Wampler 1986; Nakamura and Hanafusa 1986) with steps clipped to 0.2 rad. No joint goes
    further than MOST_TRAVEL_RAD: out of reach, the search would end in another posture, and the arm leap there.
    """
    low = np.maximum(LOWER_LIMITS_RAD, start_rad - MOST_TRAVEL_RAD)
    high = np.minimum(UPPER_LIMITS_RAD, start_rad + MOST_TRAVEL_RAD)
    joints = start_rad
    for k in range(iterations):
        pose, jacobian = forward(joints)
        error = np.concatenate([target.position - pose.position, rotation_error(target.rotation, pose.rotation)])
        if k > 0 and np.abs(error).max() < POSE_TOLERANCE:
            break
        gram = jacobian @ jacobian.T
        step = jacobian.T @ np.linalg.solve(gram + damping**2 * _EYE_6, error)
        step = np.minimum(np.maximum(step, -0.2), 0.2)
        if k == 0:
            step += _elbow_up(jacobian, gram, float(joints[ELBOW_SWIVEL]))
        joints = np.minimum(np.maximum(joints + step, low), high)
    return joints


def _elbow_up(jacobian: Vector, gram: Vector, swivel_rad: float) -> Vector:
    """A small joint motion that leaves the tool where it is and turns the elbow up, towards a third joint of zero.

    Seven joints reach a pose in many ways. Without a preference the arm drifts from one to the next, until after some
    hundred steps a pose that was easy at first is out of its joints' reach.
    """
    still: Vector = -jacobian.T @ np.linalg.solve(gram + 1e-9 * _EYE_6, jacobian[:, ELBOW_SWIVEL])
    still[ELBOW_SWIVEL] += 1.0
    if still[ELBOW_SWIVEL] < 0.05:
        return np.zeros(7)
    wanted = min(max(-swivel_rad, -SWIVEL_STEP_RAD), SWIVEL_STEP_RAD)
    turn: Vector = still * (wanted / float(still[ELBOW_SWIVEL]))
    return turn


def load(client: int, *, full_visuals: bool = False) -> int:
    """The Panda at the base frame's origin with a gear between its fingers; joints at zero, motors off."""
    body: int = p.loadURDF(str(urdf(full_visuals)), useFixedBase=True, physicsClientId=client)
    for link in range(p.getNumJoints(body, physicsClientId=client)):
        p.changeDynamics(body, link, linearDamping=0.0, angularDamping=0.0, physicsClientId=client)
    for link in FINGER_LINKS:
        # the anchor lets a touch remember where it began: without it a held block creeps by millimetres a second
        p.changeDynamics(
            body, link, lateralFriction=FINGER_FRICTION, restitution=0.0, frictionAnchor=1, physicsClientId=client
        )
    gear = p.createConstraint(
        body, FINGER_JOINTS[0], body, FINGER_JOINTS[1], p.JOINT_GEAR, [1, 0, 0], [0, 0, 0], [0, 0, 0],
        physicsClientId=client,
    )  # fmt: skip
    p.changeConstraint(gear, gearRatio=-1, erp=0.1, maxForce=50, physicsClientId=client)
    return body


def drive_arm(client: int, body: int, targets_rad: Vector) -> None:
    p.setJointMotorControlArray(
        body, ARM_JOINTS, p.POSITION_CONTROL, targetPositions=targets_rad.tolist(), forces=ARM_EFFORTS_NM,
        positionGains=[ARM_POSITION_GAIN] * 7, velocityGains=[1.0] * 7, physicsClientId=client,
    )  # fmt: skip


def drive_fingers(client: int, body: int, closedness: float, force_n: float) -> None:
    target = FINGER_STROKE_M * (1.0 - closedness)
    p.setJointMotorControlArray(
        body, FINGER_JOINTS, p.POSITION_CONTROL, targetPositions=[target] * 2, forces=[force_n] * 2,
        positionGains=[0.2] * 2, velocityGains=[1.0] * 2, physicsClientId=client,
    )  # fmt: skip


def quaternion_of(rotation: Vector) -> Quaternion:
    """Unit quaternion (x, y, z, w) of a rotation matrix, from its largest component (Shepperd 1978)."""
    (a, b, c), (d, e, f), (g, h, i) = rotation.tolist()
    squares = (1 + a - e - i, 1 - a + e - i, 1 - a - e + i, 1 + a + e + i)
    largest = max(range(4), key=lambda k: squares[k])
    row = (
        (squares[0], b + d, c + g, h - f),
        (b + d, squares[1], f + h, c - g),
        (c + g, f + h, squares[2], d - b),
        (h - f, c - g, d - b, squares[3]),
    )[largest]
    scale = 0.5 / math.sqrt(squares[largest])
    return row[0] * scale, row[1] * scale, row[2] * scale, row[3] * scale


def vector3(values: Vector) -> Vector3:
    return float(values[0]), float(values[1]), float(values[2])


@cache
def urdf(full_visuals: bool) -> Path:
    """The shipped Panda with box fingers; its collision hulls are also what is seen, unless full_visuals."""
    source = Path(pybullet_data.getDataPath()) / "franka_panda" / "panda.urdf"
    text = source.read_text()
    if not full_visuals:
        text = text.replace("package://meshes/visual/", "package://meshes/collision/")
    text = text.replace("package://meshes/", f"{source.parent}/meshes/")
    text = re.sub(r"<contact>.*?</contact>", "", text, flags=re.DOTALL)  # soft contacts and anchors let blocks creep
    for name, y in (("left", 0.006), ("right", -0.006)):
        link = re.compile(rf'(<link name="panda_{name}finger">.*?</inertial>).*?</link>', re.DOTALL)
        box = _FINGER_BOX.format(y=y)
        parts = f'<visual>{box}<material name="pad"><color rgba="0.25 0.25 0.27 1"/></material></visual>'
        text = link.sub(rf"\1{parts}<collision>{box}</collision></link>", text)
    return file_with(text)
