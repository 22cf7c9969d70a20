"""Rt2Policy: a vision-language-action model drives a skill from pictures, the robot's own feeling and a sentence.

Sees no simulator state. Whatever it is given that the model was not made for is an error that names what is wrong;
the skill executor halts the robot on any of them.
Not for: the model (rt2.vla), or changing what it decides (executor.policies.wrappers).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from executor.action_numbers import ORDER, action_of
from executor.policy import Policy
from executor.vla_inputs import observation_images, state_vector
from robots.robot import Action, Observation
from robots.safety import hold
from rt2.action_contract import RobotContract
from rt2.errors import ContractMismatch, InputError, VLAError
from rt2.vla import VLA, ActInput, Prompt
from skills.skill import SkillCall

OLDEST_PICTURE_S = 0.25  # two control steps and a bit: lost frames come back by then, a frozen camera does not

Decision: TypeAlias = Generator[ActInput, NDArray[np.float32], Sequence[Action]]
"""Asks a VLA as often as it likes (usually once), is sent (chunk, 8) arrays of actions, returns a chunk of Actions."""


class VLAPolicy(Policy, Protocol):
    """A policy that thinks with a VLA which somebody else may run, for several policies at once.

    image_sizes: (width, height) in pixels of the pictures it needs, by camera.
    """

    vla: VLA
    image_sizes: Mapping[str, tuple[int, int]]

    def decide(self, observation: Observation) -> Decision: ...


class Rt2Policy:
    """Raises ContractMismatch, both sides printed, where the checkpoint was made for another robot.

    oldest_picture_s: with a picture older than this it holds still and waits for a newer one.
    """

    name = "rt2"

    def __init__(self, vla: VLA, robot: RobotContract, *, oldest_picture_s: float = OLDEST_PICTURE_S) -> None:
        vla.contract.check(robot)
        have = tuple(dimension.name for dimension in vla.contract.dimensions)
        if have != ORDER:
            sides = f"the checkpoint gives actions ({', '.join(have)}), the robot takes ({', '.join(ORDER)})"
            raise ContractMismatch([sides])
        self.vla = vla
        self.image_sizes: Mapping[str, tuple[int, int]] = {
            name: (camera.width, camera.height) for name, camera in vla.contract.cameras.items()
        }
        self.cameras = tuple(self.image_sizes)
        self._oldest_picture_s = oldest_picture_s
        self._prompt: Prompt | None = None

    def begin(self, call: SkillCall, sentence: str) -> None:  # noqa: ARG002 - a VLA is told in words alone
        """Raises PromptError for a sentence that is empty or too long."""
        self._prompt = None
        self._prompt = self.vla.encode(sentence)

    def act(self, observation: Observation) -> Sequence[Action]:
        """Raises InputError for what the model was not made for, VLAError for actions that are no numbers."""
        return answered(self.decide(observation), self.vla)

    def decide(self, observation: Observation) -> Decision:
        inputs = self.inputs(observation)
        age_s = max(observation.time_s - observation.images[name].time_s for name in self.cameras)
        if age_s > self._oldest_picture_s:
            return (hold(observation.proprioception),)
        return actions_of((yield inputs))

    def inputs(self, observation: Observation) -> ActInput:
        """What the VLA is asked about an observation. Raises InputError, RuntimeError before `begin`."""
        if self._prompt is None:
            raise RuntimeError("begin() comes before act()")
        try:
            images = observation_images(observation, self.image_sizes)
        except ValueError as error:
            raise InputError(str(error)) from error
        for name, rgb in images.items():
            if rgb.dtype != np.uint8:
                raise InputError(f"camera '{name}' gives {rgb.dtype} pixels; the model takes uint8")
        state = state_vector(observation.proprioception)
        if not np.isfinite(state).all():
            bad = [f"{n} = {v}" for n, v in zip(self.vla.contract.state, state, strict=True) if not np.isfinite(v)]
            raise InputError(f"the robot's state is not finite: {', '.join(bad)}")
        return ActInput(images, state, self._prompt)


def answered(decision: Decision, vla: VLA) -> Sequence[Action]:
    """The decision taken by asking `vla` at once."""
    try:
        asked = next(decision)
        while True:
            asked = decision.send(vla.act([asked])[0])
    except StopIteration as end:
        chunk: Sequence[Action] = end.value
        return chunk


def actions_of(numbers: NDArray[np.float32]) -> tuple[Action, ...]:
    """(chunk, 8) physical units, in the contract's order, as Actions. Raises VLAError where one is not finite."""
    if numbers.ndim != 2 or numbers.shape[1] != len(ORDER):
        raise VLAError(f"the model gives actions of shape {numbers.shape}; expected (chunk, {len(ORDER)})")
    if not np.isfinite(numbers).all():
        bad = sorted({ORDER[k] for k in np.argwhere(~np.isfinite(numbers))[:, 1]}, key=ORDER.index)
        raise VLAError(f"the model gives actions that are no numbers ({', '.join(bad)}): its weights are damaged")
    return tuple(map(action_of, numbers))
