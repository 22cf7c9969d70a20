"""The tabletop as a Gymnasium environment, `Forehand/Tabletop-v0`: one skill call an episode, for any policy.

Importing this module registers it; `gymnasium.make("executor.gym_env:Forehand/Tabletop-v0")` imports it by itself.
The reward is an oracle's: the skill's success literals on the true state.
Not for: whole instructions (forehand.agent), or collecting what a VLA is trained on (executor.learning).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from executor.action_numbers import action_of, numbers_of
from executor.gym_sentences import Sentence
from executor.gym_tasks import Task, draw_task
from executor.vla_inputs import IMAGE_SIZES, MOST_CONTACT_N, observation_images, state_vector
from robots.robot import CONTROL_RATE_HZ
from robots.safety import SafetyStop
from robots.tabletop.cameras import CameraRig
from robots.tabletop.captions import Caption, with_caption
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.scene_spec import SceneSpec, load_scene
from rt2.dimensions import standard_dimensions
from skills.library import SkillLibrary
from skills.skill import Skill, SkillCall
from skills.symbolic_state import SymbolicState
from skills.trial_scenes import symbolic
from skills.trials import SETTLE_S, rise_first
from world_model.results import EndedBy

ENVIRONMENT = "Forehand/Tabletop-v0"
RANDOM = "random"
RENDERED_PIXELS = 480
LONGEST_SENTENCE = 200
PRINTABLE = "".join(map(chr, range(32, 127)))
STATE_LOW = (-1.0, -1.0, -0.2, -1.0, -1.0, -0.01, 0.0, 0.0)  # of executor.vla_inputs.STATE
STATE_HIGH = (1.0, 1.0, 1.2, 1.0, 1.0, 0.1, 1.0, MOST_CONTACT_N)

ActionNumbers = NDArray[np.float32]


@dataclass
class _Episode:
    """One skill call under way. ended_by is None until it is over; reason: in words, where the envelope stopped it."""

    task: Task
    skill: Skill
    robot: TabletopRobot
    before: SymbolicState
    steps: int = 0
    ended_by: EndedBy | None = None
    reason: str = ""
    success: bool = False

    @property
    def sentence(self) -> str:
        return self.skill.sentence(self.task.call.arguments)


class TabletopEnv(gymnasium.Env[dict[str, Any], ActionNumbers]):
    """One skill call an episode, at 10 control steps a second.

    skills: names to draw from, by default every skill. scene: "random", the name of a shipped scene, a YAML file or a
    SceneSpec. skill_files: files of skills of one's own, which then are among the skills.

    Observation: `front` (96, 160, 3) and `wrist` (64, 64, 3) uint8; `state` (8,) float32, executor.vla_inputs.STATE;
    `instruction`, what a VLA is told. Action: (8,) float32, RT-2's terminate (from 0.5 on), x, y, z in metres, roll,
    pitch, yaw in radians, gripper 0 open to 1 closed; every one passes the safety envelope.
    Reward: 1 for terminating when the skill has succeeded, else 0. Truncated at the skill's time limit, or when the
    safety envelope stopped the robot. info: call, success (also as is_success), ended_by, reason, steps, limited.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": int(CONTROL_RATE_HZ)}  # noqa: RUF012 - Gymnasium's own form

    def __init__(
        self,
        skills: str | Sequence[str] | None = None,
        scene: str | Path | SceneSpec = RANDOM,
        *,
        skill_files: Sequence[str | Path] = (),
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"no render mode {render_mode!r}; have: {', '.join(self.metadata['render_modes'])}")
        self.render_mode = render_mode
        self.library = SkillLibrary()
        for path in skill_files:
            self.library = self.library.with_file(Path(path))
        names = (skills,) if isinstance(skills, str) else tuple(self.library.by_name if skills is None else skills)
        self.skills = tuple(self.library.skill(name).name for name in names)
        self._scene = scene if isinstance(scene, SceneSpec) else None if scene == RANDOM else load_scene(scene)
        self._episode: _Episode | None = None
        dimensions = standard_dimensions()
        self.action_space = spaces.Box(
            np.array([d.low for d in dimensions], np.float32), np.array([d.high for d in dimensions], np.float32)
        )
        self.observation_space = spaces.Dict(
            {
                **{n: spaces.Box(0, 255, (height, width, 3), np.uint8) for n, (width, height) in IMAGE_SIZES.items()},
                "state": spaces.Box(np.array(STATE_LOW, np.float32), np.array(STATE_HIGH, np.float32)),
                "instruction": Sentence(LONGEST_SENTENCE, charset=PRINTABLE),
            }
        )

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """A new world and call, both drawn from the seed. options: {"call": "pick(red block)"} for a call of choice.

        Raises executor.gym_tasks.TaskError where the scene has nothing to do for the skills or the call.
        """
        if not isinstance(options, Mapping | None):
            raise ValueError(f"options of reset are a mapping with 'call', not {type(options).__name__}")
        unknown = sorted((options or {}).keys() - {"call"})
        if unknown:
            raise ValueError(f"no option {', '.join(map(repr, unknown))} of reset; have: 'call'")
        super().reset(seed=seed)
        self.close()
        asked = (options or {}).get("call")
        call = None if asked is None else SkillCall.parse(asked)
        task = draw_task(self.np_random, self.skills, self.library, self._scene, call)
        robot = TabletopRobot(task.world, cameras=IMAGE_SIZES, image_size=IMAGE_SIZES)
        skill = self.library.skill(task.call.skill)
        self._episode = _Episode(task, skill, robot, symbolic(task.world, self.library))
        rise_first(TabletopRobot(task.world, cameras=()), skill.rise_first_m)
        return self._observation(self._episode), self._info(self._episode)

    def step(self, action: ActionNumbers) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """One control step. Raises ValueError for what is not eight numbers, ResetNeeded after an episode's end."""
        episode, asked = self._running(), action_of(action)
        limited: tuple[str, ...] = ()
        try:
            limited = episode.robot.apply(asked).reasons
        except SafetyStop as stop:
            episode.ended_by, episode.reason = EndedBy.STOPPED, stop.reason
        episode.steps += 1
        observation = self._observation(episode)
        if asked.terminate and episode.ended_by is None:
            episode.ended_by = EndedBy.TERMINATED
            episode.success = self._has_succeeded(episode)
        elif episode.steps >= episode.skill.time_limit_steps and episode.ended_by is None:
            episode.ended_by = EndedBy.TIME_LIMIT
        terminated = episode.ended_by is EndedBy.TERMINATED
        truncated = episode.ended_by is not None and not terminated
        return observation, float(episode.success), terminated, truncated, self._info(episode, limited)

    def expert_action(self) -> ActionNumbers:
        """What the skill's scripted expert would do now. Oracle: it reads the simulator's true state."""
        episode = self._running()
        call = episode.task.call
        return numbers_of(episode.skill.expert(episode.task.world.physical_state(), call.arguments))

    def render(self) -> NDArray[np.uint8] | None:
        """(480, 480, 3) view of the front camera with the sentence and what came of it; None without a render mode."""
        if self.render_mode is None or self._episode is None:
            return None
        episode = self._episode
        picture = CameraRig(episode.task.world, RENDERED_PIXELS).capture(["front"])["front"].rgb
        verdict = "" if episode.ended_by is None else "succeeded" if episode.success else f"failed: {episode.ended_by}"
        line = f"{episode.task.call}, step {episode.steps} of {episode.skill.time_limit_steps}"
        return with_caption(picture, Caption(episode.sentence, line, verdict, "good" if episode.success else "bad"))

    def close(self) -> None:
        """Give the simulator back; `reset` starts a new one."""
        if self._episode is not None:
            self._episode.task.world.close()
            self._episode = None

    def _running(self) -> _Episode:
        if self._episode is None or self._episode.ended_by is not None:
            raise gymnasium.error.ResetNeeded("the episode is over, or none was begun: call reset()")
        return self._episode

    def _observation(self, episode: _Episode) -> dict[str, Any]:
        sensed = episode.robot.observe()
        state = np.clip(state_vector(sensed.proprioception), STATE_LOW, STATE_HIGH, dtype=np.float32)
        return {**observation_images(sensed), "state": state, "instruction": episode.sentence}

    def _has_succeeded(self, episode: _Episode) -> bool:
        """The success literals, after what is falling has fallen."""
        episode.task.world.settle(SETTLE_S)
        after = symbolic(episode.task.world, self.library)
        goals = episode.skill.success_of(episode.task.call.arguments, episode.before)
        return all(after.holds(goal) is True for goal in goals)

    def _info(self, episode: _Episode, limited: tuple[str, ...] = ()) -> dict[str, Any]:
        return {
            "call": str(episode.task.call),
            "success": episode.success,
            "is_success": episode.success,
            "ended_by": "" if episode.ended_by is None else episode.ended_by.value,
            "reason": episode.reason,
            "steps": episode.steps,
            "limited": "; ".join(limited),
        }


if ENVIRONMENT not in gymnasium.registry:
    gymnasium.register(id=ENVIRONMENT, entry_point="executor.gym_env:TabletopEnv")
