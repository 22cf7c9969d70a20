"""Evaluation: every task of a suite, some episodes each, over processes; scores with Wilson intervals.

Not for: what a task is (forehand.suites) or how a run goes (forehand.agent).
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from forehand.assembly import start_run
from forehand.checkpoints import checkpoint_words, pinned
from forehand.config import RunConfig
from forehand.events import Outcome
from forehand.plan_scoring import plan_and_predict
from forehand.results import RunResult
from forehand.running import TRUTH
from forehand.suites import Suite, SuiteError, Task
from planner.grammar.errors import InstructionError
from planner.planner import PlannerError, ServiceError
from robots.tabletop.scene_spec import SceneError
from skills.rates import Rate

OUTCOME_THAT_IS_RIGHT = {"clarify": "clarify", "impossible": "impossible"}
EPISODE_SEED_STRIDE = 1000  # room for studies that add small offsets to a seed


class EpisodeScore(BaseModel):
    """One episode of one task. right: what counts; see `is_right`."""

    model_config = ConfigDict(frozen=True)

    task: str
    family: str
    expect: str
    seed: int
    outcome: Outcome
    goal_reached: bool | None
    right: bool
    skill_attempts: int
    recoveries: dict[str, int]
    faults: int
    robot_s: float
    wall_s: float
    reason: str


class EvalResult(BaseModel):
    """What `forehand eval --json` prints."""

    model_config = ConfigDict(frozen=True)

    suite: str
    planner: str
    policy: str
    checkpoint: str  # path and fingerprint of the weights that drove; empty for a policy without
    perception: str
    detector: str
    faults: str
    closed_loop: bool
    plan_only: bool
    truth: str  # what success is decided by
    seed: int
    episodes_per_task: int
    success: Rate
    by_family: dict[str, Rate]
    outcomes: dict[str, int]
    recoveries: dict[str, int]
    episodes: tuple[EpisodeScore, ...]
    wall_s: float


@dataclass(frozen=True)
class Episode:
    """One piece of work for a process. template: the RunConfig whose scene, instruction, goal, seed are filled in."""

    task: Task
    seed: int
    template: RunConfig
    plan_only: bool
    folder: Path | None

    def config(self) -> RunConfig:
        """Planner `search` is given the task's goal; every other planner must find it in the instruction."""
        goal = self.task.wanted if self.template.planner == "search" and self.task.states_goal else None
        filled = {
            "scene": self.task.scene,
            "instruction": self.task.instruction,
            "goal": goal,
            # the true end state is held against the task's goal, not against what a planner made of the instruction
            "truth_goal": self.task.wanted if self.task.expect == "goal" else None,
            "seed": self.seed,
        }
        return self.template.model_copy(update=filled)


def episode_seeds(seed: int, episodes: int) -> list[int]:
    """The seeds of a task's episodes."""
    return [seed + EPISODE_SEED_STRIDE * k for k in range(episodes)]


def is_right(task: Task, outcome: str, goal_reached: bool | None) -> bool:
    """Asking is right only where the task expects it, refusing likewise; else the true goal decides."""
    if task.expect != "goal":
        return outcome == OUTCOME_THAT_IS_RIGHT[task.expect]
    return bool(goal_reached) and outcome not in OUTCOME_THAT_IS_RIGHT


def evaluate_suite(
    suite: Suite,
    template: RunConfig,
    *,
    episodes: int = 1,
    workers: int | None = None,
    plan_only: bool = False,
    folder: Path | None = None,
    on_episode: Callable[[EpisodeScore], None] | None = None,
    known: Mapping[tuple[str, int], EpisodeScore] | None = None,
) -> EvalResult:
    """Run it all; on_episode hears of each score as it comes. The result is in the suite's order.

    known: scores by task and seed of an evaluation that was killed; those episodes are not run again.
    """
    started = time.monotonic()
    template = template.model_copy(update={"policy": "expert"}) if plan_only else pinned(template)
    work = [
        Episode(task, seed, template, plan_only, _episode_folder(folder, task, k))
        for task in suite.tasks
        for k, seed in enumerate(episode_seeds(template.seed, episodes))
    ]
    had = known or {}
    scores = {k: had[e.task.id, e.seed] for k, e in enumerate(work) if (e.task.id, e.seed) in had}
    missing = [(index, episode) for index, episode in enumerate(work) if index not in scores]
    for index, score in _scored(missing, workers or os.cpu_count() or 1):
        scores[index] = score
        if on_episode is not None:
            on_episode(score)
    ordered = tuple(scores[index] for index in range(len(work)))
    return _summary(suite, template, episodes, plan_only, ordered, time.monotonic() - started)


def _scored(work: list[tuple[int, Episode]], workers: int) -> Iterator[tuple[int, EpisodeScore]]:
    if workers == 1:
        yield from ((index, score_episode(episode)) for index, episode in work)
        return
    # spawn: a forked child would share the parent's simulator and its threads
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(score_episode, episode): index for index, episode in work}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True, wait=False)
            raise


def score_episode(episode: Episode) -> EpisodeScore:
    """Do one episode in this process. A planner that gives up has failed the task.

    Raises SuiteError for a scene that cannot be, and ServiceError where no task could be planned.
    """
    started = time.monotonic()
    config = episode.config()
    try:
        if episode.plan_only:
            predicted = plan_and_predict(config, episode.task.wanted)
            return _score(episode, predicted.outcome, predicted.goal_reached, started, reason=predicted.reason)
        result = start_run(config, folder=episode.folder)
    except ServiceError:
        raise
    except (PlannerError, InstructionError) as error:
        return _score(episode, "failed", False, started, reason=str(error))
    except SceneError as error:
        raise SuiteError(f"task '{episode.task.id}', seed {episode.seed}: {error}") from error
    return _score(episode, result.outcome, result.goal_reached, started, reason=result.reason, result=result)


def _score(
    episode: Episode,
    outcome: Outcome,
    goal_reached: bool | None,
    started: float,
    *,
    reason: str,
    result: RunResult | None = None,
) -> EpisodeScore:
    task = episode.task
    return EpisodeScore(
        task=task.id,
        family=task.family,
        expect=task.expect,
        seed=episode.seed,
        outcome=outcome,
        goal_reached=goal_reached,
        right=is_right(task, outcome, goal_reached),
        skill_attempts=sum(len(step.attempts) for step in result.steps) if result else 0,
        recoveries=dict(Counter(r.rung for r in result.recoveries)) if result else {},
        faults=len(result.faults) if result else 0,
        robot_s=result.durations.robot_s if result else 0.0,
        wall_s=time.monotonic() - started,
        reason=reason,
    )


def _summary(
    suite: Suite, template: RunConfig, episodes: int, plan_only: bool, scores: tuple[EpisodeScore, ...], wall_s: float
) -> EvalResult:
    families = sorted({score.family for score in scores if score.family})
    recoveries: Counter[str] = Counter()
    for score in scores:
        recoveries.update(score.recoveries)
    return EvalResult(
        suite=suite.name,
        planner=template.planner,
        policy="none" if plan_only else template.policy,
        checkpoint=checkpoint_words(template),
        perception=template.perception,
        detector="none" if plan_only else template.detector,
        faults=template.faults,
        closed_loop=template.closed_loop,
        plan_only=plan_only,
        truth="effects predicted from the simulator's true start" if plan_only else TRUTH,
        seed=template.seed,
        episodes_per_task=episodes,
        success=_rate(scores),
        by_family={family: _rate(score for score in scores if score.family == family) for family in families},
        outcomes=dict(Counter(score.outcome for score in scores)),
        recoveries=dict(recoveries),
        episodes=scores,
        wall_s=wall_s,
    )


def _rate(scores: Iterable[EpisodeScore]) -> Rate:
    right = [score.right for score in scores]
    return Rate.of(sum(right), len(right))


def _episode_folder(folder: Path | None, task: Task, index: int) -> Path | None:
    return None if folder is None else folder / f"{task.id}-{index}"
