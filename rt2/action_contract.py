"""What a checkpoint promises and demands: the meaning of its actions, its control rate, its cameras.

It is written beside the weights and held against the robot before anything moves. Normalisation and calibration that
silently do not match are the commonest way in which a good policy fails on another robot.
Not for: encoding actions (rt2.action_tokens), or asking a robot what it is.
"""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rt2.camera_contract import CameraContract, CameraView
from rt2.dimensions import Dimension, standard_dimensions
from rt2.errors import CheckpointError, ContractMismatch

__all__ = [
    "ActionContract",
    "CameraContract",
    "CameraView",
    "Dimension",
    "RobotContract",
    "Vocabulary",
    "standard_dimensions",
]

FILE_NAME = "action_contract.json"
RATE_TOLERANCE = 1e-3  # relative; clocks drift, controllers of another rate differ by far more

Vocabulary: TypeAlias = Literal["integers", "overwrite", "openvla", "own"]


class RobotContract(BaseModel):
    """What a robot says of itself. state: the names of the state vector it can give; None: it does not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame: str
    rate_hz: float = Field(gt=0, allow_inf_nan=False)
    gripper: str
    cameras: Mapping[str, CameraView]
    state: tuple[str, ...] | None = None


class ActionContract(BaseModel):
    """The contract of one checkpoint.

    dimensions: in the order of the action's numbers. gripper: what its numbers mean. vocabulary: the token scheme.
    token_ids: the token of each bin in the checkpoint's vocabulary; empty for a model whose bins are not tokens.
    cameras: name → nominal camera and the range around it. state: names of the state vector's entries.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    bins: int = Field(default=256, ge=2)
    frame: str = "base"
    rate_hz: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    gripper: str = "0 open, 1 closed"
    vocabulary: Vocabulary
    token_ids: tuple[int, ...] = ()
    cameras: Mapping[str, CameraContract]
    state: tuple[str, ...]

    @model_validator(mode="after")
    def _parts_agree(self) -> ActionContract:
        names = [d.name for d in self.dimensions]
        if len(set(names)) != len(names):
            raise ValueError(f"a dimension's name occurs twice: {', '.join(names)}")
        as_is = [d.name for d in self.dimensions if d.as_is]
        if as_is and self.vocabulary != "openvla":
            raise ValueError(
                f"only vocabulary openvla takes numbers as they are; {self.vocabulary} has {', '.join(as_is)}"
            )
        if self.token_ids and (len(set(self.token_ids)) != self.bins or len(self.token_ids) != self.bins):
            raise ValueError(f"token_ids: expected {self.bins} different ids, one a bin; have {len(self.token_ids)}")
        return self

    def differences(self, robot: RobotContract | ActionContract) -> list[str]:
        """Everything in which `robot`, or another checkpoint's contract, does not fit; in words, both sides printed."""
        owner = "the other checkpoint" if isinstance(robot, ActionContract) else "the robot"
        pairs = [
            ("actions in the frame", repr(self.frame), repr(robot.frame)),
            ("gripper numbers that mean", repr(self.gripper), repr(robot.gripper)),
        ]
        if not math.isclose(self.rate_hz, robot.rate_hz, rel_tol=RATE_TOLERANCE):
            pairs.append(("a control rate of", f"{self.rate_hz:g} Hz", f"{robot.rate_hz:g} Hz"))
        if robot.state is not None:
            pairs.append(("the state vector", f"({', '.join(self.state)})", f"({', '.join(robot.state)})"))
        if isinstance(robot, ActionContract):
            pairs += self._token_pairs(robot)
        told = [f"the checkpoint wants {what} {a}, {owner} gives {b}" for what, a, b in pairs if a != b]
        return told + self._camera_differences(robot.cameras, owner)

    def check(self, robot: RobotContract | ActionContract) -> None:
        """Raise ContractMismatch, listing every difference, unless `robot` fits."""
        found = self.differences(robot)
        if found:
            raise ContractMismatch(found)

    def save(self, folder: Path) -> Path:
        """Write action_contract.json into `folder`, whole or not at all; the file's path."""
        folder.mkdir(parents=True, exist_ok=True)
        path, partial = folder / FILE_NAME, folder / f".{FILE_NAME}.{uuid.uuid4().hex}"
        try:
            partial.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    @classmethod
    def load(cls, folder: Path) -> ActionContract:
        """The contract of a checkpoint folder. Raises CheckpointError, naming the path, where there is none to read."""
        path = folder / FILE_NAME
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise CheckpointError(f"{path}: no such file; a checkpoint folder holds its action contract") from None
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
        except ValidationError as error:
            raise CheckpointError(f"{path}: not an action contract: {_first_faults(error)}") from error

    def _camera_differences(self, cameras: Mapping[str, CameraView], owner: str) -> list[str]:
        found = []
        for name, camera in self.cameras.items():
            if name in cameras:
                found += camera.differences(name, cameras[name], owner)
            else:
                have = ", ".join(cameras) or "none"
                found.append(f"camera '{name}': the checkpoint wants it, {owner} does not have it; have: {have}")
        return found

    def _token_pairs(self, other: ActionContract) -> list[tuple[str, str, str]]:
        return [
            ("the dimensions", "; ".join(map(str, self.dimensions)), "; ".join(map(str, other.dimensions))),
            ("actions in", self._scheme(), other._scheme()),
        ]

    def _scheme(self) -> str:
        return f"{self.bins} bins as '{self.vocabulary}' tokens{_told_ids(self.token_ids)}"


def _told_ids(ids: tuple[int, ...]) -> str:
    """A block of ids by its ends; others one by one, since any of them may be the one that differs."""
    if not ids:
        return ""
    return f" {ids[0]}..{ids[-1]}" if ids == tuple(range(ids[0], ids[0] + len(ids))) else f" {list(ids)}"


def _first_faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False)
    told = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'the file'}: {f['msg']}" for f in faults[:3])
    return told + (f"; and {len(faults) - 3} more" if len(faults) > 3 else "")
