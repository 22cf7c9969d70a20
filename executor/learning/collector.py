"""The collector: practises skills in random worlds and writes every step, labelled by the expert, into shards.

`python -m executor.learning.collector --frames 5000 --out DIR` tries it alone. Dataset aggregation after Ross, Gordon
and Bagnell (2011, arXiv 1011.0686). Not for: training (rt2.training), or demonstrations in an exchange format.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.progress import Progress

from executor.learning.labels import LAYOUT
from executor.learning.skill_drive import Ended, Fields, FrameBuffer, NoisyExpert, SkillDrive
from executor.learning.worlds import is_in_order, next_call, stray, training_world, world_seed
from robots.tabletop.world import TabletopWorld
from rt2.training.frames import write_shard
from skills.grounding import symbolic_of
from skills.library import SkillLibrary
from skills.skill import SkillCall

SETTLE_S = 2.0


class CollectorConfig(BaseModel):
    """How robot frames are collected; worlds of one seed are the same whatever else changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0)
    skills: tuple[str, ...] = tuple(SkillLibrary().by_name)
    calls_per_world: int = Field(default=10, ge=1)
    varied_worlds: float = Field(default=0.5, ge=0.0, le=1.0)
    stray_share: float = Field(default=0.15, ge=0.0, le=1.0)
    shard_frames: int = Field(default=400, ge=1)


@dataclass
class Tally:
    """What a collector has done so far. runs: (skill, how it ended and whether its success then held) → count."""

    frames: int = 0
    worlds: int = 0
    runs: Counter[tuple[str, str]] = field(default_factory=Counter)


class Collector:
    """One worker: worlds one after the other, a chain of calls in each."""

    def __init__(self, config: CollectorConfig, folder: Path, worker: int, tally: Tally | None = None) -> None:
        self._config, self._folder, self._worker = config, folder, worker
        self._library = SkillLibrary()
        self._buffer = FrameBuffer(LAYOUT.dtype, config.shard_frames)
        self._run = 0
        self.tally = tally or Tally()

    def practise(self, episode: int, stop: Callable[[], bool]) -> None:
        """One world, until its chain of calls is done, something fell off the table, or `stop`."""
        seed = world_seed(self._config.seed, self._worker, episode)
        world, rng = training_world(seed, self._config.varied_worlds)
        self.tally.worlds += 1
        with world:
            for _ in range(self._config.calls_per_world):
                if rng.random() < self._config.stray_share:
                    stray(world, rng)
                if stop() or not is_in_order(world.physical_state()):
                    return
                before = symbolic_of(world.physical_state())
                call = next_call(before, dict.fromkeys(self._config.skills, 1.0), self._library, rng)
                if call is None:
                    return
                if self._execute(world, call, rng) is not Ended.TERMINATED:
                    return

    def _execute(self, world: TabletopWorld, call: SkillCall, rng: np.random.Generator) -> Ended:
        skill = self._library.skill(call.skill)
        before = symbolic_of(world.physical_state())
        drive = SkillDrive(world, skill, call, skill.sentence(call.arguments), self._add)
        ended, _ = drive.run(NoisyExpert(rng))
        self._run += 1
        world.settle(SETTLE_S)
        after = symbolic_of(world.physical_state())
        succeeded = all(after.holds(goal) for goal in skill.success_of(call.arguments, before))
        self.tally.runs[call.skill, "succeeded" if succeeded and ended is Ended.TERMINATED else ended.value] += 1
        return ended

    def _add(self, fields: Fields) -> None:
        self._buffer.add(fields, episode=self._worker * 10**9 + self._run)
        self.tally.frames += 1
        if self._buffer.full:
            self.flush()

    def flush(self) -> None:
        """Write what has been gathered; it need not be a whole shard."""
        if len(self._buffer):
            write_shard(self._folder / "frames", self._buffer.take())


def collect(
    config: CollectorConfig,
    folder: Path,
    worker: int,
    stop: Callable[[], bool],
    most_frames: int | None = None,
    tally: Tally | None = None,
) -> Tally:
    """Collect into folder/frames until `stop` or, roughly, so many frames. worker: sets which worlds are drawn."""
    collector = Collector(config, folder, worker, tally)

    def done() -> bool:
        return stop() or (most_frames is not None and collector.tally.frames >= most_frames)

    episode = 0
    while not done():
        collector.practise(episode, done)
        episode += 1
    collector.flush()
    return collector.tally


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m executor.learning.collector", description=__doc__)
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    console, tally, start = Console(), Tally(), time.monotonic()
    with Progress(console=console) as progress:
        task = progress.add_task("frames", total=options.frames)

        def stop() -> bool:
            progress.update(task, completed=tally.frames)
            return False

        collect(CollectorConfig(seed=options.seed), options.out, 0, stop, options.frames, tally)
    seconds = time.monotonic() - start
    console.print(f"{tally.frames} frames of {tally.worlds} worlds in {seconds:.0f} s: {tally.frames / seconds:.1f}/s")
    for (skill, ended), count in sorted(tally.runs.items()):
        console.print(f"{skill:10s} {ended:24s} {count}", highlight=False)


if __name__ == "__main__":
    main()
