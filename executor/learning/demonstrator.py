"""Demonstrations: the noisy expert carries out skills in random worlds, and every run becomes an episode of a dataset.

A world is drawn from its seed alone, so a collection that was broken off goes on where it was, and two of other seeds
can be put together. Not for: the practice beside a training run (executor.learning.practice).
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from executor.action_numbers import numbers_of
from executor.learning.demonstrations import DRIVERS
from executor.learning.drivers import EXPERT, NOISY_EXPERT, Driver, NoisyExpert, Step
from executor.learning.skill_drive import Part, SkillDrive
from executor.learning.worlds import is_in_order, next_call, stray, training_world, world_seed
from executor.vla_inputs import IMAGE_SIZES
from robots.robot import Action
from robots.tabletop.scene_spec import SceneSpec
from robots.tabletop.world import TabletopWorld
from skills.dataset import Dataset, DatasetError, DatasetWriter, Episode, EpisodeRecord
from skills.dataset_format import ACTION_KEY, EXECUTED_KEY, STATE_KEY
from skills.grounding import symbolic_of
from skills.library import SkillLibrary
from skills.skill import SkillCall
from skills.trial_scenes import wander

BARREN_WORLDS = 30  # in a row without an episode: what is asked for is not possible
WORLDS_AHEAD = 2  # a worker


@dataclass(frozen=True)
class Collection:
    """What is to be demonstrated. skills: names; what must be held for them is picked up first, and not recorded.

    scene: None for a random one in each world. noise: share of steps that miss. varied_worlds: share of worlds with
    other light and cameras. stray_share: of calls before which the hand goes astray. skill_files: with skills of one's
    own.
    """

    skills: tuple[str, ...]
    seed: int = 0
    scene: SceneSpec | None = None
    noise: float = 0.25
    calls_per_world: int = 10
    varied_worlds: float = 0.5
    stray_share: float = 0.15
    skill_files: tuple[Path, ...] = ()

    def library(self) -> SkillLibrary:
        """Raises SkillFileError, and SkillCallError for a skill that is not in it."""
        library = SkillLibrary()
        for file in self.skill_files:
            library = library.with_file(file)
        for name in self.skills:
            library.skill(name)
        return library


class _Recorder:
    """Hands a driver's actions on and remembers them."""

    def __init__(self, driver: Driver) -> None:
        self._driver, self.actions = driver, list[Action]()
        self.kind = driver.kind

    def drive(self, step: Step) -> Action:
        action = self._driver.drive(step)
        self.actions.append(action)
        return action


def demonstrate(collection: Collection, seed: int) -> list[Episode]:
    """The episodes of one world; none where nothing that is asked for is possible in it."""
    library = collection.library()
    episodes: list[Episode] = []
    world, rng = _world(collection, seed, library)
    with world:
        while len(episodes) < collection.calls_per_world and is_in_order(world.physical_state()):
            if rng.random() < collection.stray_share:
                stray(world, rng)
            call, wanted = _next(collection, world, library, rng)
            if call is None:
                break
            episode = _run(collection, world, library, call, seed, rng)
            if wanted:
                episodes.append(episode)
            if not episode.record.success:
                break
    return episodes


def collect_demonstrations(
    collection: Collection,
    writer: DatasetWriter,
    known_seeds: Iterable[int],
    *,
    episodes: int,
    workers: int | None = None,
    on_episode: Callable[[Episode], None] = lambda _episode: None,
) -> None:
    """Add episodes until the dataset has so many; worlds of known seeds are not drawn again.

    workers: processes; None for one a core. Raises DatasetError where world after world yields nothing.
    """
    known, barren = set(known_seeds), 0
    seeds = (seed for k in count() if (seed := world_seed(collection.seed, 0, k)) not in known)
    missing = episodes - writer.total_episodes
    if missing <= 0:
        return
    collection = replace(collection, calls_per_world=min(collection.calls_per_world, missing))
    for recorded in _worlds(collection, seeds, workers or os.cpu_count() or 1):
        barren = 0 if recorded else barren + 1
        if barren >= BARREN_WORLDS:
            raise DatasetError(f"nothing to demonstrate in {barren} worlds: {', '.join(collection.skills)}")
        for episode in recorded:
            writer.add(episode)
            on_episode(episode)
            if writer.total_episodes >= episodes:
                return


def seeds_of(dataset: Dataset) -> set[int]:
    """Of the worlds whose demonstrations it holds."""
    return {row.record.seed for row in dataset.rows if row.record.seed is not None}


def _worlds(collection: Collection, seeds: Iterator[int], workers: int) -> Iterator[list[Episode]]:
    """What each world yields, in the order of their seeds, whoever is done first."""
    if workers == 1:
        yield from (demonstrate(collection, seed) for seed in seeds)
        return
    # spawn: a forked child would share the parent's threads; Ctrl-C is the parent's to answer
    ignore = (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(workers, get_context("spawn"), signal.signal, ignore) as pool:
        under_way: deque[Future[list[Episode]]] = deque()
        try:
            for seed in seeds:
                under_way.append(pool.submit(demonstrate, collection, seed))
                if len(under_way) >= WORLDS_AHEAD * workers:
                    yield under_way.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True, wait=False)


def _world(collection: Collection, seed: int, library: SkillLibrary) -> tuple[TabletopWorld, np.random.Generator]:
    if collection.scene is None:
        return training_world(seed, collection.varied_worlds, library)
    rng = np.random.default_rng(seed)
    world = TabletopWorld(library.furnished(collection.scene, rng), int(rng.integers(2**31)))
    wander(world, rng)
    return world, rng


def _next(
    collection: Collection, world: TabletopWorld, library: SkillLibrary, rng: np.random.Generator
) -> tuple[SkillCall | None, bool]:
    """A possible call and whether it is one to record; else a pick, after which there may be one."""
    state = symbolic_of(world.physical_state(), library.predicates)
    call = next_call(state, dict.fromkeys(collection.skills, 1.0), library, rng)
    if call is not None or state.held is not None:
        return call, True
    return next_call(state, {"pick": 1.0}, library, rng), False


def _run(
    collection: Collection,
    world: TabletopWorld,
    library: SkillLibrary,
    call: SkillCall,
    seed: int,
    rng: np.random.Generator,
) -> Episode:
    skill, frames = library.skill(call.skill), list[dict[str, Any]]()
    goals = skill.success_of(call.arguments, symbolic_of(world.physical_state(), library.predicates))
    sentence = skill.sentence(call.arguments)
    expert = NoisyExpert(rng, share=collection.noise, kind=NOISY_EXPERT if collection.noise else EXPERT)
    recorder = _Recorder(expert)
    drive = SkillDrive(world, skill, call, goals, sentence, frames.append, predicates=library.predicates)
    (part,) = drive.run(recorder, expert)
    executed = [numbers_of(action) for action in recorder.actions]
    return _episode(frames, executed, sentence, _record(world, call, part, seed))


def _record(world: TabletopWorld, call: SkillCall, part: Part, seed: int) -> EpisodeRecord:
    return EpisodeRecord(
        success=part.succeeded,
        seed=seed,
        scene=world.spec.model_dump_json(exclude_defaults=True),
        skill_call=str(call),
        ended_by=part.ended_by.value,
        driver=DRIVERS[part.kind],
    )


def _episode(
    frames: list[dict[str, Any]], executed: list[np.ndarray[Any, Any]], sentence: str, record: EpisodeRecord
) -> Episode:
    vectors = {
        STATE_KEY: np.stack([frame["state"] for frame in frames]),
        ACTION_KEY: np.stack([frame["action"] for frame in frames]),
        EXECUTED_KEY: np.stack(executed),
    }
    images = {name: np.stack([frame[f"image.{name}"] for frame in frames]) for name in IMAGE_SIZES}
    return Episode((sentence,) * len(frames), images, vectors, record)
