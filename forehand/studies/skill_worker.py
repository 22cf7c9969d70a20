"""One process of a skill evaluation: a checkpoint, several worlds in lock step, a line in a file for each episode.

A killed evaluation loses only the episodes that were under way. Not for: tables (forehand.studies.skills_from_images).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path

from pydantic import ValidationError

from executor.evaluation_cases import Case, Posed
from executor.lock_step import together
from executor.policies.rt2 import Rt2Policy, VLAPolicy
from executor.policies.wrappers import AntiFreeze, Chunked, Resolute
from executor.robot_contract import tabletop_contract
from executor.skill_evaluation import Episode, SkillEvaluation
from robots.tabletop.world import TabletopWorld
from rt2.vla import VLA, load_vla
from skills.library import SkillLibrary


@dataclass(frozen=True)
class Arm:
    """What is evaluated. chunk: actions executed of each chunk, None for all; worlds: at once, in one process."""

    checkpoint: Path
    chunk: int | None = None
    anti_freeze: bool = False
    resolute: bool = True
    skill_files: tuple[Path, ...] = ()
    worlds: int = 8

    @property
    def words(self) -> str:
        """What the policy is wrapped in."""
        wrappers = [f"first {self.chunk} of each chunk"] if self.chunk else []
        wrappers += ["anti-freeze"] if self.anti_freeze else []
        wrappers += ["resolute"] if self.resolute else []
        return ", ".join(wrappers) or "no wrapper"

    def library(self) -> SkillLibrary:
        return reduce(SkillLibrary.with_file, self.skill_files, SkillLibrary())

    def policy(self, vla: VLA, posed: Posed) -> VLAPolicy:
        """Held against the tabletop as it nominally is: how far off its cameras may be is what some splits measure."""
        del posed
        sizes = {name: (camera.width, camera.height) for name, camera in vla.contract.cameras.items()}
        policy: VLAPolicy = Rt2Policy(vla, tabletop_contract(sizes))
        if self.chunk is not None:
            policy = Chunked(policy, self.chunk)
        if self.anti_freeze:
            policy = AntiFreeze(policy)
        return Resolute(policy) if self.resolute else policy

    def evaluation(self, vla: VLA, on_world_step: Callable[[TabletopWorld], None] | None = None) -> SkillEvaluation:
        return SkillEvaluation(partial(self.policy, vla), self.library(), on_world_step)


def run_cases(arm: Arm, cases: Sequence[Case], results: Path) -> int:
    """Run the cases, appending each episode to `results` as it ends; how many. Ends early once its parent is gone."""
    import torch

    torch.set_num_threads(1)  # the other cores belong to the other processes
    parent, vla, done = os.getppid(), load_vla(arm.checkpoint), 0
    evaluation = arm.evaluation(vla)
    work = (partial(evaluation.episode, case) for case in cases)
    for episode in together(work, vla, at_once=arm.worlds):
        append(results, episode)
        done += 1
        if os.getppid() != parent:
            break
    return done


def append(results: Path, episode: Episode) -> None:
    """One whole line in one write, so that processes can share the file."""
    line = (episode.model_dump_json() + "\n").encode()
    file = os.open(results, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def read_results(results: Path) -> dict[Case, Episode]:
    """Episodes by their case; a line torn by a kill is left out, of two for one case the later counts."""
    found: dict[Case, Episode] = {}
    lines: Iterable[bytes] = results.read_bytes().split(b"\n") if results.exists() else ()
    for line in lines:
        try:
            episode = Episode.model_validate_json(line)
        except ValidationError:
            continue
        found[Case(episode.split, episode.skill, episode.seed)] = episode
    return found
