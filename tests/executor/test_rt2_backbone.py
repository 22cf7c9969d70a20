"""A tuned vision-language model drives the robot through the same policy class as rt2-small, from pictures alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from backbone_cases import shards, tune_config
from fake_vla import fake_contract

from executor.policies.expert import ExpertPolicy
from executor.policies.rt2 import Rt2Policy
from executor.robot_contract import tabletop_contract
from executor.skill_executor import SkillExecutor
from executor.vla_inputs import IMAGE_SIZES, STATE, observation_images, state_vector
from robots.robot import Action, Observation
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from rt2.action_tokens import ActionTokenizer
from rt2.backbones.tiny import write_tiny_backbone
from rt2.backbones.tuning import tune
from rt2.training.frames import FrameLayout, Frames
from rt2.vla import load_vla
from skills.library import SkillLibrary
from skills.skill import SkillCall
from world_model.results import EndedBy

LIBRARY = SkillLibrary()
CALL = SkillCall.parse("pick(red block)")
SCENE = SceneSpec(objects=("red block",))
LAYOUT = FrameLayout(cameras=IMAGE_SIZES, state=STATE, auxiliary=(), cell_names=())
SENTENCE = "pick up the red block"
BINS = ActionTokenizer.own(0)


class Demonstrator(ExpertPolicy):
    """The expert, in actions that can be said in tokens, and what was seen and done."""

    cameras = tuple(IMAGE_SIZES)

    def __init__(self, world: TabletopWorld) -> None:
        super().__init__(LIBRARY, world.physical_state)
        self.seen: list[Frames] = []

    def act(self, observation: Observation) -> Sequence[Action]:
        action = super().act(observation)[0]
        numbers = (float(action.terminate), *action.world_vector, *action.rotation_delta, action.gripper)
        numbers = BINS.from_bins(BINS.to_bins(numbers)).tolist()
        frame = np.zeros((), LAYOUT.dtype)
        for name, rgb in observation_images(observation).items():
            frame[f"image.{name}"] = rgb
        frame["state"], frame["action"] = state_vector(observation.proprioception), numbers
        frame["sentence"] = SENTENCE.encode()
        self.seen.append(frame)
        terminate, x, y, z, roll, pitch, yaw, gripper = numbers
        return (Action((x, y, z), (roll, pitch, yaw), gripper, terminate=bool(terminate)),)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_demonstrated_pick_learnt_by_heart_is_done_again_from_pictures(tmp_path: Path) -> None:
    with TabletopWorld(SCENE, 3) as world:
        expert = Demonstrator(world)
        shown = SkillExecutor(TabletopRobot(world, image_size=IMAGE_SIZES), expert).run(LIBRARY.skill("pick"), CALL)
    assert shown.ended_by is EndedBy.TERMINATED
    frames = shards(tmp_path / "frames", np.stack(expert.seen))
    base = write_tiny_backbone("llava", tmp_path / "base")
    config = tune_config(
        base, adapt="full", learning_rate=4e-3, batch=len(frames), steps=150, until_loss=0.02, state="text"
    )
    tune(config, fake_contract(), frames, [], tmp_path / "run")
    vla = load_vla(tmp_path / "run/policy" / (tmp_path / "run/policy/latest").read_text().strip())
    with TabletopWorld(SCENE, 3) as world:
        policy = Rt2Policy(vla, tabletop_contract(IMAGE_SIZES))
        again = SkillExecutor(TabletopRobot(world, image_size=IMAGE_SIZES), policy).run(LIBRARY.skill("pick"), CALL)
        held = world.physical_state().hand.held
    assert (again.ended_by, again.control_steps) == (EndedBy.TERMINATED, shown.control_steps)
    assert held == "red block"
