"""The Gymnasium environment: its checker, seeds, rewards, ends, refusals, vectors of it, and what it leaves behind."""

from pathlib import Path

import gymnasium
import numpy as np
import pybullet as p
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from executor.action_numbers import action_of, numbers_of
from executor.gym_env import ENVIRONMENT, TabletopEnv
from executor.gym_tasks import TaskError
from robots.robot import Action
from robots.tabletop.scene_spec import SceneError
from rt2.dimensions import standard_dimensions
from skills.skill import SkillCallError

TURN = Path(__file__).parents[2] / "examples" / "skills" / "turn.py"
SMALL = "two-blocks"
STAY = np.zeros(8, np.float32)
DONE = numbers_of(Action(terminate=True))


@pytest.fixture(scope="module")
def picking():
    env = TabletopEnv("pick", SMALL)
    yield env
    env.close()


def run_expert(env, seed):
    """Reward and last info of an episode that the expert drives."""
    env.reset(seed=seed)
    while True:
        _, reward, terminated, truncated, info = env.step(env.expert_action())
        if terminated or truncated:
            return reward, info


def test_it_passes_gymnasiums_own_checker_without_a_warning():
    env = gymnasium.make(ENVIRONMENT, skills="pick", scene=SMALL, render_mode="rgb_array")
    check_env(env.unwrapped)
    env.close()


def test_a_seed_decides_everything(picking):
    first, info = picking.reset(seed=3)
    again, info_again = picking.reset(seed=3)
    other, _ = picking.reset(seed=4)
    assert info == info_again
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not np.array_equal(first["front"], other["front"])
    assert first["instruction"].startswith("pick up the ")


@pytest.mark.parametrize("skill", ["place_in", "push", "open", "press"])
def test_the_expert_is_rewarded_for_every_skill(skill):
    env = TabletopEnv(skill, "everything" if skill == "open" else "kitchen-corner")
    reward, info = run_expert(env, seed=5)
    env.close()
    assert (reward, info["success"], info["is_success"], info["ended_by"]) == (1.0, True, True, "terminated")
    assert info["call"].startswith(f"{skill}(")


def test_a_skill_of_ones_own_is_among_them():
    env = TabletopEnv("turn", skill_files=[TURN])
    reward, info = run_expert(env, seed=1)
    env.close()
    assert reward == 1.0
    assert info["call"].startswith("turn(white pointer, ")


def test_saying_done_too_early_ends_without_reward(picking):
    picking.reset(seed=1)
    _, reward, terminated, truncated, info = picking.step(DONE)
    assert (reward, terminated, truncated) == (0.0, True, False)
    assert (info["success"], info["ended_by"]) == (False, "terminated")
    with pytest.raises(gymnasium.error.ResetNeeded):
        picking.step(STAY)


def test_time_is_limited_by_the_skill(tmp_path):
    file = tmp_path / "snatch.py"
    file.write_text(
        "from dataclasses import replace\nfrom skills.pick import SKILL as PICK\n"
        "SKILL = replace(PICK, name='snatch', time_limit_steps=3)\n"
    )
    env = TabletopEnv("snatch", SMALL, skill_files=[file])
    env.reset(seed=0)
    ends = [env.step(STAY)[1:] for _ in range(3)]
    env.close()
    assert [truncated for _, _, truncated, _ in ends] == [False, False, True]
    assert [reward for reward, *_ in ends] == [0.0, 0.0, 0.0]
    assert ends[-1][-1]["ended_by"] == "time_limit"


def test_a_stop_of_the_safety_envelope_truncates_and_says_why(picking):
    picking.reset(seed=1)
    picking._episode.robot.stop("somebody came too near")
    _, reward, terminated, truncated, info = picking.step(STAY)
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert (info["ended_by"], info["reason"]) == ("stopped", "somebody came too near")


def test_every_action_passes_the_envelope(picking):
    before, _ = picking.reset(seed=1)
    after, *_, info = picking.step(np.array([0, np.nan, 0, 0, 0, 0, 0, 0], np.float32))
    assert "non-finite" in info["limited"]
    assert np.allclose(before["state"][:3], after["state"][:3], atol=1e-3)
    far, *_, info = picking.step(np.array([0, 0, 0, 1.0, 0, 0, 0, 0], np.float32))
    assert "shortened" in info["limited"]
    assert far["state"][2] - after["state"][2] < 0.081
    with pytest.raises(ValueError, match=r"eight numbers \(terminate, x, y"):
        picking.step(np.zeros(7, np.float32))


@settings(max_examples=50)
@given(st.data())
def test_numbers_and_actions_are_the_same_thing(data):
    numbers = np.array(
        [data.draw(st.floats(d.low, d.high, width=32)) for d in _wide(standard_dimensions())], np.float32
    )
    assert np.array_equal(numbers_of(action_of(numbers))[1:], numbers[1:])
    assert numbers_of(action_of(numbers))[0] == (numbers[0] >= 0.5)


def _wide(dimensions):
    """With ends that float32 holds exactly."""
    return [d.model_copy(update={"low": float(np.floor(d.low)), "high": float(np.ceil(d.high))}) for d in dimensions]


def test_a_call_of_choice(picking):
    _, info = picking.reset(seed=1, options={"call": "pick(blue block)"})
    assert info["call"] == "pick(blue block)"
    with pytest.raises(TaskError, match="no object 'pink block' here"):
        picking.reset(seed=1, options={"call": "pick(pink block)"})
    with pytest.raises(ValueError, match="no option 'cal' of reset; have: 'call'"):
        picking.reset(seed=1, options={"cal": "pick(blue block)"})
    with pytest.raises(SkillCallError, match="not a skill call"):
        picking.reset(seed=1, options={"call": "the blue one"})


def test_what_a_call_of_choice_puts_down_is_in_the_hand(picking):
    picking.reset(seed=1, options={"call": "place_on(table)"})
    over = False
    while not over:
        _, reward, terminated, truncated, info = picking.step(picking.expert_action())
        over = terminated or truncated
    assert reward == 1, info


def test_a_given_scene_gets_what_ones_own_skill_works_on():
    env = TabletopEnv("turn", SMALL, skill_files=[TURN])
    _, info = env.reset(seed=2)
    assert info["call"].startswith("turn(white pointer,")
    env.close()


def test_what_cannot_be_is_refused_in_words():
    with pytest.raises(SkillCallError, match="did you mean 'pick'"):
        TabletopEnv("pik")
    with pytest.raises(SceneError, match="no scene 'kitchen'"):
        TabletopEnv(scene="kitchen")
    with pytest.raises(ValueError, match="no render mode 'human'; have: rgb_array"):
        TabletopEnv(render_mode="human")
    env = TabletopEnv("open", SMALL)
    with pytest.raises(TaskError, match="nothing to do in this scene for: open"):
        env.reset(seed=0)


def test_pictures_for_people_are_larger_and_captioned(picking):
    picking.reset(seed=1)
    assert picking.render() is None
    env = TabletopEnv("pick", SMALL, render_mode="rgb_array")
    env.reset(seed=1)
    before = env.render()
    env.step(DONE)
    after = env.render()
    env.close()
    assert before.shape == (480, 480, 3)
    assert before.dtype == np.uint8
    assert np.abs(before[-60:].astype(int) - after[-60:]).max() > 100


def test_closing_gives_every_simulator_back():
    env = TabletopEnv("pick", SMALL)
    clients = []
    for seed in range(2):
        env.reset(seed=seed)
        clients.append(env._episode.task.world.client)
        assert p.isConnected(clients[-1])
    env.close()
    env.close()
    assert not any(p.isConnected(client) for client in clients)


def test_vectors_in_processes_of_their_own_tell_each_sentence():
    envs = gymnasium.make_vec(ENVIRONMENT, num_envs=2, vectorization_mode="async", scene=SMALL)
    try:
        picking, _ = envs.reset(seed=0, options={"call": "pick(red block)"})
        pushing, _ = envs.reset(seed=1, options={"call": "push(red block, left)"})
        later, *_ = envs.step(np.stack([STAY, STAY]))
    finally:
        envs.close()
    assert picking["instruction"] == ("pick up the red block",) * 2
    assert pushing["instruction"] == later["instruction"] == ("push the red block to the left",) * 2


def test_vectors_of_it():
    envs = gymnasium.make_vec(ENVIRONMENT, num_envs=2, vectorization_mode="sync", skills="pick", scene=SMALL)
    observations, infos = envs.reset(seed=0)
    assert observations["front"].shape == (2, 96, 160, 3)
    assert observations["wrist"].shape == (2, 64, 64, 3)
    assert len(observations["instruction"]) == 2
    _, rewards, terminations, _, infos = envs.step(np.stack([STAY, DONE]))
    assert rewards.tolist() == [0.0, 0.0]
    assert terminations.tolist() == [False, True]
    assert infos["ended_by"].tolist() == ["", "terminated"]
    envs.close()
