"""Trials of the scripted experts on seeded random scenes, and the command that tabulates them.

`python -m skills.trials --episodes 400 --workers 2` tries every skill on its own, `--chain` sequences of valid calls
in one world, both through the standard safety envelope. Success is the skill's success literals on the settled true
state, reached by an expert that ended in time. Not for: judging runs of a policy (world_model.success).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache, reduce
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import track
from rich.table import Table

from robots.physical_state import PhysicalState
from robots.robot import Action
from robots.safety import SafetyStop
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.world import TabletopWorld
from skills.calls import needs_held
from skills.grounding import symbolic_of
from skills.library import SkillLibrary
from skills.motion import rises_m
from skills.rates import Rate
from skills.skill import SkillCall
from skills.symbolic_state import SymbolicState
from skills.trial_scenes import draw_balanced, draw_call, leaves_something_to_do, random_world, symbolic, valid_calls

CHAIN_CALLS = 20
TERMINATED = "terminated"
PLAIN_WIDTH = 140  # of the table in a file
SETTLE_S = 2.0
DISPLACED_M = 0.02  # a bystander moved farther than this was disturbed


@dataclass(frozen=True)
class Trial:
    """One skill call: control steps used, how it ended, what of its success is missing, side effects.

    ended_by: TERMINATED by the expert, else the time limit or why the safety envelope stopped the robot.
    limited: in words, what the safety envelope changed; empty where it let every action pass.
    """

    seed: int
    index: int  # of the call in its chain; 0 where it stands alone
    call: SkillCall
    steps: int
    ended_by: str
    unmet: tuple[str, ...]
    disturbed: tuple[str, ...]
    limited: tuple[str, ...]

    @property
    def succeeded(self) -> bool:
        return self.ended_by == TERMINATED and not self.unmet

    @property
    def reason(self) -> str:
        if self.succeeded:
            return ""
        if self.ended_by != TERMINATED:
            return self.ended_by.split(",")[0]
        return "ended without " + ", ".join(sorted(text.split("(")[0] for text in self.unmet))


def run_call(world: TabletopWorld, call: SkillCall, library: SkillLibrary, *, seed: int = 0, index: int = 0) -> Trial:
    """Let the call's expert act until it ends or its time is over; judge after things have settled."""
    skill = library.skill(call.skill)
    start = world.physical_state()
    before = symbolic_of(start, library.predicates)
    robot = TabletopRobot(world, cameras=())
    ended_by, steps, limited = "time limit", 0, set()
    try:
        limited |= rise_first(robot, skill.rise_first_m)
        while steps < skill.time_limit_steps and ended_by != TERMINATED:
            robot.observe()
            action = skill.expert(world.physical_state(), call.arguments)
            limited.update(robot.apply(action).reasons)
            steps += 1
            if action.terminate:
                ended_by = TERMINATED
    except SafetyStop as stop:
        ended_by = f"stopped: {stop.reason}"
    world.settle(SETTLE_S)
    end = world.physical_state()
    after = symbolic_of(end, library.predicates)
    unmet = tuple(str(goal) for goal in skill.success_of(call.arguments, before) if not after.holds(goal))
    expected = before.apply(skill.effects_of(call.arguments, before))
    actors = {*call.arguments, before.held}
    disturbed = _side_effects(start, end, expected, after, actors)
    return Trial(seed, index, call, steps, ended_by, unmet, disturbed, tuple(sorted(limited)))


def rise_first(robot: TabletopRobot, height_m: float) -> set[str]:
    """What an executor does before it asks the policy: straight up by the skill's `rise_first_m`."""
    limited: set[str] = set()
    for by_m in rises_m(height_m):
        grip = robot.observe().proprioception.gripper_closedness
        limited.update(robot.apply(Action((0.0, 0.0, by_m), gripper=grip)).reasons)
    return limited


def _side_effects(
    start: PhysicalState, end: PhysicalState, expected: SymbolicState, after: SymbolicState, actors: set[str | None]
) -> tuple[str, ...]:
    """Facts about others that the skill's effects do not name, and bystanders that were moved."""
    blocks = [n for n, thing in end.objects.items() if thing.category == "block" and n not in actors]
    moved = {
        n
        for n in blocks
        if not after.container_of(n) and math.dist(end.objects[n].position_m, start.objects[n].position_m) > DISPLACED_M
    }
    literals = {
        str(f)
        for f in expected.facts ^ after.facts
        if f.arguments[0] not in actors and (f.predicate != "in_zone" or f.arguments[0] in moved)
    }
    return tuple(sorted(literals | {f"moved {n}" for n in moved}))


def single_trial(skill_name: str, seed: int, library: SkillLibrary | None = None) -> Trial:
    """One call of a skill in a random scene; what has to be held is picked up first (and not counted)."""
    library = library or SkillLibrary()
    for attempt in range(100):
        world, rng = random_world(seed * 100 + attempt, library=library)
        with world:
            if needs_held(SkillCall(skill_name), library):
                run_call(world, draw_call(symbolic(world, library), ("pick",), library, rng), library)
            state, skill = symbolic(world, library), library.skill(skill_name)
            options = [c for c in valid_calls(state, skill, library) if leaves_something_to_do(c, state, library)]
            if options:
                return run_call(world, draw_balanced(options, state, rng), library, seed=seed * 100 + attempt)
    raise RuntimeError(f"no scene in which {skill_name} is possible; seed {seed}")


def chain_trials(seed: int, calls: int = CHAIN_CALLS, library: SkillLibrary | None = None) -> list[Trial]:
    """A sequence of random valid calls in one world."""
    library = library or SkillLibrary()
    world, rng = random_world(seed, library=library)
    names = tuple(library.by_name)
    trials = []
    with world:
        for k in range(calls):
            call = draw_call(symbolic(world, library), names, library, rng)
            trials.append(run_call(world, call, library, seed=seed, index=k))
            world.checkpoint()
    return trials


def tabulate(trials: Iterable[Trial]) -> Table:
    """Per skill: rate with its Wilson interval, median steps, side effects, why trials failed."""
    table = Table(title="Scripted experts")
    for column in ("skill", "n", "k", "rate", "Wilson 95 %", "median steps", "disturbed", "limited", "failures"):
        table.add_column(column)
    by_skill: dict[str, list[Trial]] = {}
    for trial in trials:
        by_skill.setdefault(trial.call.skill, []).append(trial)
    for skill, tried in (*by_skill.items(), ("all", [t for ts in by_skill.values() for t in ts])):
        rate = Rate.of(sum(t.succeeded for t in tried), len(tried))
        reasons = Counter(t.reason for t in tried if not t.succeeded)
        table.add_row(
            skill, str(rate.n), str(rate.k), f"{rate.rate or 0:.2%}", "{:.2%} – {:.2%}".format(*rate.wilson95),
            f"{median(t.steps for t in tried):g}", str(sum(bool(t.disturbed) for t in tried)),
            str(sum(bool(t.limited) for t in tried)),
            "; ".join(f"{n} × {reason}" for reason, n in reasons.most_common()),
        )  # fmt: skip
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m skills.trials", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=400, help="a skill; with --chain, calls in all")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--skill-file", type=Path, action="append", default=[], help="adds a skill of one's own")
    parser.add_argument("--skills", nargs="*", help="which, by name; by default all")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--chain", action="store_true", help=f"chains of {CHAIN_CALLS} valid calls")
    parser.add_argument(
        "--failures", action="store_true", help="list every failure, side effect and action that the envelope changed"
    )
    options = parser.parse_args(arguments)
    files = tuple(options.skill_file)
    names = [skill.name for skill in _library(files).skills]
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    trials: list[Trial] = []
    with ProcessPoolExecutor(options.workers) as pool:
        futures: list[Future[list[Trial]]] = []
        seeds = range(options.seed, options.seed + options.episodes)
        if options.chain:
            futures = [pool.submit(_chain, seed, files) for seed in seeds[: math.ceil(len(seeds) / CHAIN_CALLS)]]
        else:
            futures = [pool.submit(_one, skill, seed, files) for skill in options.skills or names for seed in seeds]
        for future in track(as_completed(futures), total=len(futures), description="Trials", console=console):
            trials.extend(future.result())
    order = {name: k for k, name in enumerate(names)}
    trials.sort(key=lambda t: (order[t.call.skill], t.seed, t.index))
    console.print(tabulate(trials))
    if options.failures:
        for trial in trials:
            if not trial.succeeded or trial.disturbed or trial.limited:
                console.print(
                    f"seed {trial.seed} call {trial.index} {trial.call}: {trial.steps} steps, "
                    f"{trial.reason or 'succeeded'}; disturbed: {'; '.join(trial.disturbed) or 'nothing'}; "
                    f"limited: {'; '.join(trial.limited) or 'nothing'}",
                    highlight=False, soft_wrap=True,
                )  # fmt: skip


@cache
def _library(files: tuple[Path, ...]) -> SkillLibrary:
    """Built in each process: what a skill file defines cannot be sent from one to another."""
    return reduce(SkillLibrary.with_file, files, SkillLibrary())


def _one(skill: str, seed: int, files: tuple[Path, ...]) -> list[Trial]:
    return [single_trial(skill, seed, _library(files))]


def _chain(seed: int, files: tuple[Path, ...]) -> list[Trial]:
    return chain_trials(seed, library=_library(files))


if __name__ == "__main__":
    main()
