"""Who may drive a skill run that is recorded: the expert with noise, or a VLA.

Not for: the policies of the system itself (executor.policies).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from executor.action_numbers import action_of
from executor.resolution import Resolution
from executor.vla_inputs import state_vector
from robots.robot import Action, Proprioception
from robots.tabletop.cameras import SegmentedImage

if TYPE_CHECKING:
    from rt2.vla import VLA, ActInput

EXPERT, NOISY_EXPERT, POLICY = 0, 1, 2  # a frame's `driver`


@dataclass(frozen=True)
class Step:
    """One moment of a skill run: the pictures, what the robot feels of itself, and what the expert would do now."""

    views: dict[str, SegmentedImage]
    proprioception: Proprioception
    expert: Action


@dataclass(frozen=True)
class Question:
    """A step that a VLA is to decide, and what it is shown of it."""

    vla: VLA
    inputs: ActInput


class Driver(Protocol):
    """Decides what is really done in a skill run. kind: EXPERT, NOISY_EXPERT or POLICY."""

    @property
    def kind(self) -> int: ...

    def drive(self, step: Step) -> Action: ...


@dataclass(frozen=True)
class NoisyExpert:
    """The expert, a share of whose steps miss: by millimetres, by a turn, or with the fingers.

    The figures of the noise are those with which a prototype learned (25 %, 12 mm, 0.12 rad).
    """

    rng: np.random.Generator
    share: float = 0.25
    shift_m: float = 0.012
    turn_rad: float = 0.12
    slip_share: float = 0.01  # of all steps, with an opening of chance
    kind: int = NOISY_EXPERT

    def drive(self, step: Step) -> Action:
        action = step.expert
        if action.terminate or self.rng.random() >= self.share:
            return action
        x, y, z = self.rng.normal(action.world_vector, self.shift_m)
        roll, pitch, yaw = action.rotation_delta
        yaw += self.rng.normal(0.0, self.turn_rad)
        slips = self.rng.random() < self.slip_share / self.share
        grip = float(self.rng.random()) if slips else action.gripper
        return replace(action, world_vector=(x, y, z), rotation_delta=(roll, pitch, float(yaw)), gripper=grip)


@dataclass(frozen=True)
class VLADriver:
    """A VLA that drives one skill run and is asked anew at every step; of a chunk only the first action is done.

    The deciding is left to whoever puts its questions to the VLA. prompt: what its `encode` made of the sentence.
    resolution: as where the policy acts, so that it practises what it will meet there.
    """

    vla: VLA
    prompt: Any
    kind: int = POLICY
    resolution: Resolution = field(default_factory=Resolution)

    def ask(self, step: Step) -> Question:
        from rt2.vla import ActInput

        images = {name: view.image.rgb for name, view in step.views.items()}
        return Question(self.vla, ActInput(images, state_vector(step.proprioception), self.prompt))


def answers(questions: Sequence[Question]) -> list[Action]:
    """An action for each question; those to one VLA are put to it together, which takes a fraction of the time."""
    found: dict[int, Action] = {}
    for vla in {id(q.vla): q.vla for q in questions}.values():
        asked = [k for k, question in enumerate(questions) if question.vla is vla]
        chunks = vla.act([questions[k].inputs for k in asked])  # (n, chunk, 8)
        found.update(zip(asked, map(action_of, chunks[:, 0]), strict=True))
    return [found[k] for k in range(len(questions))]
