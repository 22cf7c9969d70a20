"""Cameras as a contract states them: size, opening angle and mount, and how far a real one may be from the nominal one.

Not for: rendering, or measuring a calibration.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Vector3: TypeAlias = tuple[float, float, float]

SLACK = 1e-6  # metres, radians or degrees: what floats lose on their way through poses and JSON


class CameraView(BaseModel):
    """One camera: picture size in pixels, opening angle across its width, and mount.

    eye_m, target_m: metres in the robot's base frame or, with a link, in that link's frame; up: which way is up in the
    picture.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    view_deg: float = Field(gt=0, lt=180)
    eye_m: Vector3
    target_m: Vector3
    up: Vector3
    link: str | None = None

    @model_validator(mode="after")
    def _mount_is_a_pose(self) -> CameraView:
        forward = np.subtract(self.target_m, self.eye_m)
        if np.linalg.norm(np.cross(forward, self.up)) < 1e-9:
            raise ValueError(
                f"eye {self.eye_m}, target {self.target_m} and up {self.up} are no mount: they lie in line"
            )
        return self

    def pose(self) -> NDArray[np.float64]:
        """(4, 4) pose in its frame, metres; camera axes x right, y down, z forward."""
        eye = np.asarray(self.eye_m, dtype=float)
        forward = _unit(np.asarray(self.target_m, dtype=float) - eye)
        right = _unit(np.cross(forward, np.asarray(self.up, dtype=float)))
        pose = np.eye(4)
        pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, np.cross(forward, right), forward, eye
        return pose


class CameraContract(CameraView):
    """A camera that a checkpoint was trained with, and the calibration range it was trained for.

    shift_m and turn_rad: how far the camera may be shifted along, and turned about, each of its own axes;
    view_range_deg: how far its opening angle may be off; all ±.
    """

    shift_m: float = Field(default=0.0, ge=0)
    turn_rad: float = Field(default=0.0, ge=0)
    view_range_deg: float = Field(default=0.0, ge=0)

    def differences(self, name: str, other: CameraView, owner: str = "the robot") -> list[str]:
        """In words, what of `other`, which is `owner`'s, this contract does not allow."""
        wants = f"camera '{name}': the checkpoint wants"
        found = []
        if (self.width, self.height) != (other.width, other.height):
            sizes = f"{self.width}×{self.height} pixels, {owner} gives {other.width}×{other.height}"
            found.append(f"{wants} {sizes}")
        if abs(self.view_deg - other.view_deg) > self.view_range_deg + SLACK:
            angles = f"{self.view_deg:g}° ± {self.view_range_deg:g}°, {owner} has {other.view_deg:g}°"
            found.append(f"{wants} an opening angle of {angles}")
        if self.link != other.link:
            return [*found, f"{wants} it mounted on {_place(self.link)}, {owner} has it on {_place(other.link)}"]
        return found + self._mount_differences(wants, other, owner)

    def _mount_differences(self, wants: str, other: CameraView, owner: str) -> list[str]:
        """Shift and turn are taken about the nominal camera's own axes, turns as roll, pitch, yaw."""
        offset = np.linalg.inv(self.pose()) @ other.pose()
        shift, turn = offset[:3, 3], roll_pitch_yaw(offset[:3, :3])
        found = []
        if np.abs(shift).max() > self.shift_m + SLACK:
            sides = f"its eye at {_metres(self.eye_m)} ± {self.shift_m:g} m, {owner} has it at {_metres(other.eye_m)}"
            found.append(f"{wants} {sides}: {_metres(shift)} away along right, down, forward")
        if np.abs(turn).max() > self.turn_rad + SLACK:
            sides = (
                f"{_metres(self.target_m)} ± {math.degrees(self.turn_rad):.3g}°, {owner}'s at {_metres(other.target_m)}"
            )
            found.append(f"{wants} it to look at {sides}: turned by {_degrees(turn)} about right, down, forward")
        return found


def roll_pitch_yaw(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) rad of a (3, 3) rotation, turned about x first, then y, then z, all fixed axes."""
    roll = math.atan2(rotation[2, 1], rotation[2, 2])
    pitch = math.asin(float(np.clip(-rotation[2, 0], -1.0, 1.0)))
    return np.array([roll, pitch, math.atan2(rotation[1, 0], rotation[0, 0])])


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled: NDArray[np.float64] = vector / np.linalg.norm(vector)
    return scaled


def _place(link: str | None) -> str:
    return "the base" if link is None else f"link '{link}'"


def _metres(vector: Vector3 | NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{round(float(v), 4) + 0.0:g}" for v in vector) + ") m"


def _degrees(turn_rad: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{round(math.degrees(v), 2) + 0.0:g}°" for v in turn_rad) + ")"
