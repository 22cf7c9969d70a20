"""What a VLA is shown: the entries of the state vector, and pictures of exactly the sizes it takes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from executor.vla_inputs import STATE, observation_images, state_vector
from robots.robot import CameraImage, Observation, Proprioception


def feeling(yaw_rad: float = 0.0, contact_n: float = 0.0) -> Proprioception:
    # pointing down is a half turn about x; the hand's yaw is a turn about the vertical after it
    orientation = (math.cos(yaw_rad / 2), math.sin(yaw_rad / 2), 0.0, 0.0)
    return Proprioception((0.4, -0.1, 0.2), orientation, (0.0,) * 7, (0.0,) * 7, 0.06, 0.25, contact_n)


@pytest.mark.parametrize("yaw_rad", [0.0, 0.5, -1.2, 2.0])
def test_state_vector_names_each_entry(yaw_rad: float) -> None:
    state = dict(zip(STATE, state_vector(feeling(yaw_rad, 7.0)).tolist(), strict=True))
    expected = {
        "tool_x": 0.4, "tool_y": -0.1, "tool_z": 0.2, "yaw_cos": math.cos(yaw_rad), "yaw_sin": math.sin(yaw_rad),
        "opening": 0.06, "closedness": 0.25, "contact": 7.0,
    }  # fmt: skip
    assert state == pytest.approx(expected, abs=1e-6)


def test_a_blow_feels_no_harder_than_a_hard_press() -> None:
    assert state_vector(feeling(contact_n=300.0))[-1] == 20.0


def test_pictures_must_be_there_in_the_right_size() -> None:
    picture = CameraImage(np.zeros((64, 96, 3), np.uint8), np.eye(3), np.eye(4), 0.0)
    observation = Observation(0, 0.0, feeling(), {"front": picture})
    assert observation_images(observation, {"front": (96, 64)})["front"] is picture.rgb
    with pytest.raises(ValueError, match="96x64 pixels; the model takes 96x96"):
        observation_images(observation, {"front": (96, 96)})
    with pytest.raises(ValueError, match="no picture from camera 'wrist'; have: front"):
        observation_images(observation, {"wrist": (64, 64)})
