"""One collector's work: practise skills in random worlds and write every step, labelled by the expert, into shards.

Dataset aggregation after Ross, Gordon and Bagnell (2011, arXiv 1011.0686): the policy drives most runs, so that the
frames are of states into which it leads itself. Not for: processes of collectors (executor.learning.collector),
training (rt2.training), or demonstrations in an exchange format.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from executor.learning.drivers import POLICY, NoisyExpert, Question, VLADriver, answers
from executor.learning.frame_store import WORKER_EPISODES, FrameStore
from executor.learning.glances import glances
from executor.learning.labels import CELL_NAMES, LAYOUT, Fields
from executor.learning.on_policy import NewestPolicy, OnPolicyRun, append_run, practice_weights, recent_success
from executor.learning.skill_drive import Ended, Part, SkillDrive
from executor.learning.worlds import is_in_order, next_call, stray, training_world, world_seed
from robots.robot import Action
from robots.tabletop.world import TabletopWorld
from rt2.training.frames import SCENE_EPISODES
from skills.grounding import symbolic_of
from skills.library import SkillLibrary
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState
from skills.wordings import training_sentence

if TYPE_CHECKING:
    from rt2.vla import VLA

PAUSE_S = 1.0

Chain: TypeAlias = Generator[Question, Action, None]
"""The skill runs of one world, waiting at each step that a policy is to decide."""


class CollectorConfig(BaseModel):
    """How robot frames are collected; worlds of one seed are the same whatever else changes.

    glance_worlds: share of worlds of which only single moments are taken (executor.learning.glances).
    calls_per_world: skill runs in each of the others. worlds_at_once: whose steps a policy decides together.
    varied_worlds: share of worlds with other light and cameras. stray_share: of calls before which the hand goes
    astray. policy_share: of skill runs that a policy drives once there is one. most_frames_total: the folder holds no
    more; the oldest frames make room, but not those of before there was a policy.

    skill_files: with skills of one's own. new_skills: of `skills`, those that are added to what a policy can do (see
    on_policy.practice_weights). new_names: of things of one's own, told apart in the cells' labels. furnished_share: of
    worlds that hold such things.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0)
    skills: tuple[str, ...] = tuple(SkillLibrary().by_name)
    glance_worlds: float = Field(default=0.0, ge=0.0, le=1.0)
    calls_per_world: int = Field(default=10, ge=1, le=SCENE_EPISODES)
    varied_worlds: float = Field(default=0.5, ge=0.0, le=1.0)
    worlds_at_once: int = Field(default=4, ge=1)
    stray_share: float = Field(default=0.15, ge=0.0, le=1.0)
    policy_share: float = Field(default=0.67, ge=0.0, le=1.0)
    shard_frames: int = Field(default=400, ge=1)
    most_frames_total: int = Field(default=250_000, ge=1)
    skill_files: tuple[Path, ...] = ()
    new_skills: tuple[str, ...] = ()
    new_names: tuple[str, ...] = ()
    furnished_share: float = Field(default=0.75, ge=0.0, le=1.0)

    def library(self) -> SkillLibrary:
        """What there is to practise. Raises SkillFileError, SkillCallError for a name that is none."""
        library = reduce(SkillLibrary.with_file, self.skill_files, SkillLibrary())
        for name in self.skills:
            library.skill(name)
        return library


@dataclass
class Tally:
    """What a collector has done so far. parts: (skill, driver's kind, how it ended or "succeeded") → count."""

    frames: int = 0
    worlds: int = 0
    parts: Counter[tuple[str, int, str]] = field(default_factory=Counter)

    def add(self, skill: str, part: Part) -> None:
        self.parts[skill, part.kind, "succeeded" if part.succeeded else part.ended_by.value] += 1


class Collector:
    """One worker's worlds, a chain of calls in each."""

    def __init__(
        self, config: CollectorConfig, folder: Path, worker: int, load: Callable[[Path], VLA], tally: Tally
    ) -> None:
        self._config, self._folder, self._worker, self._tally = config, folder, worker, tally
        self._library, self._cell_names = config.library(), (*CELL_NAMES, *config.new_names)
        self._store = FrameStore(folder / "frames", LAYOUT.dtype, config.shard_frames)
        self._policy = NewestPolicy(folder, load)

    def practise(self, stop: Callable[[], bool]) -> Chain:
        """The next world, until its chain of calls is done, something goes amiss, or `stop`."""
        number = next_world(self._folder, self._worker)
        seed = world_seed(self._config.seed, self._worker, number)
        first_episode = self._worker * WORKER_EPISODES + number * SCENE_EPISODES
        weights = practice_weights(self._config.skills, recent_success(self._folder), self._config.new_skills)
        self._tally.worlds += 1
        self._store.make_room(self._config.most_frames_total)
        furnished = np.random.default_rng([seed, 2]).random() < self._config.furnished_share
        world, rng = training_world(seed, self._config.varied_worlds, self._library if furnished else None)
        with world:
            if rng.random() < self._config.glance_worlds:
                for fields in glances(world, weights, self._library, self._cell_names, rng):
                    self._add(fields, first_episode)
                return
            for episode in range(first_episode, first_episode + self._config.calls_per_world):
                if stop() or not (yield from self._practise_once(world, weights, episode, rng)):
                    return

    def _practise_once(
        self, world: TabletopWorld, weights: Mapping[str, float], episode: int, rng: np.random.Generator
    ) -> Generator[Question, Action, bool]:
        """One skill run; False where nothing more can be practised in this world."""
        if rng.random() < self._config.stray_share:
            stray(world, rng)
        state = world.physical_state()
        if not is_in_order(state):
            return False
        before = symbolic_of(state, self._library.predicates)
        call = next_call(before, weights, self._library, rng)
        return call is not None and (yield from self._execute(world, call, before, episode, rng))

    def must_wait(self) -> bool:
        """Whether there are as many frames as the file frame_limit allows for now."""
        limit = self._folder / "frame_limit"
        return limit.exists() and self._store.frames() >= int(limit.read_text())

    def finish(self) -> None:
        """Write what has been gathered since the last shard."""
        self._store.flush()

    def _execute(
        self, world: TabletopWorld, call: SkillCall, before: SymbolicState, episode: int, rng: np.random.Generator
    ) -> Generator[Question, Action, bool]:
        """One recorded skill run; False where even the expert did not come to its end."""
        skill = self._library.skill(call.skill)
        sentence = training_sentence(skill, call.arguments, rng)
        expert = NoisyExpert(rng)
        version, driver = self._driver(sentence, expert, rng)

        goals = skill.success_of(call.arguments, before)
        drive = SkillDrive(
            world, skill, call, goals, sentence, partial(self._add, episode=episode),
            predicates=self._library.predicates, cell_names=self._cell_names,
        )  # fmt: skip
        parts = yield from drive.steps(driver, expert)
        for part in parts:
            self._tally.add(call.skill, part)
            if part.kind == POLICY:
                append_run(
                    self._folder,
                    OnPolicyRun(time.time(), call.skill, part.succeeded, part.ended_by.value, part.steps, version),
                )
        return parts[-1].ended_by is Ended.TERMINATED

    def _add(self, fields: Fields, episode: int) -> None:
        self._store.add(fields, episode)
        self._tally.frames += 1

    def _driver(
        self, sentence: str, expert: NoisyExpert, rng: np.random.Generator
    ) -> tuple[str, NoisyExpert | VLADriver]:
        newest = self._policy.get()
        if newest is None or rng.random() >= self._config.policy_share:
            return "", expert
        version, vla = newest
        return version, VLADriver(vla, vla.encode(sentence))


def next_world(folder: Path, worker: int) -> int:
    """Number of the next world of a worker, counted in a file: no world is begun twice, not even one that crashed."""
    count = folder / f"worlds-{worker}"
    number = int(count.read_text()) if count.exists() else 0
    folder.mkdir(parents=True, exist_ok=True)
    partial = count.with_suffix(".partial")
    partial.write_text(str(number + 1))
    os.replace(partial, count)
    return number


def load_policy(folder: Path) -> VLA:
    """A checkpoint for acting in this process, on one thread: two would only wait for each other."""
    import torch

    from rt2.vla import load_vla

    torch.set_num_threads(1)
    return load_vla(folder)


def collect(
    config: CollectorConfig,
    folder: Path,
    worker: int,
    stop: Callable[[], bool],
    most_frames: int | None = None,
    *,
    load: Callable[[Path], VLA] = load_policy,
    tally: Tally | None = None,
) -> Tally:
    """Collect into folder/frames until `stop` or, about, so many frames more.

    worker: chooses the worlds that are drawn; it goes on after those that it has begun before. A number in the file
    folder/frame_limit makes all workers wait while there are that many frames.
    """
    tally = tally or Tally()
    collector = Collector(config, folder, worker, load, tally)

    def done() -> bool:
        return stop() or (most_frames is not None and tally.frames >= most_frames)

    waiting: list[tuple[Chain, Question]] = []
    try:
        while waiting or not done():
            if len(waiting) < config.worlds_at_once and not done() and not collector.must_wait():
                waiting += _asking([collector.practise(done)], [None])
            elif waiting:
                replies = answers([question for _, question in waiting])
                waiting = _asking([chain for chain, _ in waiting], replies)
            else:
                time.sleep(PAUSE_S)
    finally:
        collector.finish()
    return tally


def _asking(chains: Sequence[Chain], replies: Sequence[Action | None]) -> list[tuple[Chain, Question]]:
    """Let chains go on with the replies to their questions (None begins one); those that ask again, and what."""
    asking = []
    for chain, reply in zip(chains, replies, strict=True):
        try:
            asking.append((chain, next(chain) if reply is None else chain.send(reply)))
        except StopIteration:
            continue
    return asking
