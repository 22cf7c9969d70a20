"""A VLA without a network: answers whatever a test tells it to, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from executor.robot_contract import FRAME, GRIPPER, tabletop_contract
from executor.vla_inputs import IMAGE_SIZES, STATE
from rt2.action_contract import ActionContract, standard_dimensions
from rt2.camera_contract import CameraContract
from rt2.prompts import checked_sentence
from rt2.vla import ActInput

STILL = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
DONE = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
UP = (0.0, 0.0, 0.0, 0.02, 0.0, 0.0, 0.0, 0.0)


def fake_contract(**changes: object) -> ActionContract:
    """Of a checkpoint that fits the nominal tabletop exactly."""
    views = tabletop_contract(IMAGE_SIZES).cameras
    cameras = {name: CameraContract(**views[name].model_dump(), turn_rad=0.01, shift_m=0.01) for name in IMAGE_SIZES}
    facts = {
        "dimensions": standard_dimensions(), "frame": FRAME, "gripper": GRIPPER, "vocabulary": "own",
        "cameras": cameras, "state": STATE, **changes,
    }  # fmt: skip
    return ActionContract.model_validate(facts)


@dataclass
class FakeVLA:
    """answer: one input → (chunk, 8) rows of actions. batches: the prompts of each call of `act`."""

    answer: Callable[[ActInput], Sequence[Sequence[float]]] = lambda _input: [DONE]
    contract: ActionContract = field(default_factory=fake_contract)
    batches: list[list[str]] = field(default_factory=list)

    def encode(self, sentence: str) -> str:
        return checked_sentence(sentence)

    def act(self, inputs: Sequence[ActInput]) -> NDArray[np.float32]:
        self.batches.append([given.prompt for given in inputs])
        return np.array([self.answer(given) for given in inputs], dtype=np.float32)
