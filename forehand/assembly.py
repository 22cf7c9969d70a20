"""The composition root: from a RunConfig to a wired workplace, and from a workplace to a run.

Two ways in, for the CLI, chat and studies alike:

    result = start_run(config, folder=Path("runs/1"), watchers=[TerminalView(…)], ask=ask_person, stop=stop)
    result = resume_run(Path("runs/1"), watchers=[TerminalView(…)], ask=ask_person, stop=stop)

folder=None keeps the events in memory (studies). Raises ConfigError, RunFolderError or what a part's construction
raises for bad input (SkillFileError, PlannerError) before anything moves or is written; whatever goes wrong later is
an outcome in the result. Only a log that can no longer be written (a full disk) raises RunFolderError from within.
Chat keeps one workplace over several commands:

    with assemble(config) as workplace:
        result = workplace.run(config_of_next_command, folder=…, watchers=…, ask=…, stop=…)

Not for: the loop itself (forehand.agent).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from executor.policies.expert import ExpertPolicy
from executor.policy import Policy
from executor.stop import StopToken
from forehand.checkpoints import pinned
from forehand.config import ConfigError, RunConfig
from forehand.event_log import RunFolderError
from forehand.events import RunEnded
from forehand.given_graph import GivenGraphPlanner
from forehand.recovering import Ask
from forehand.results import RunResult, standing, summarise
from forehand.runs import Found, RunFolder, reading_snapshot
from forehand.taught import check_taught
from forehand.watching import Watcher
from forehand.workplace import Clock, FaultReport, Workplace
from planner.planner import Planner, Remembers
from planner.search import SearchPlanner
from robots.tabletop.cameras import CAMERAS, ImageSize
from robots.tabletop.fault_schedule import FaultSchedule, fault_mix, scheduled
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.snapshots import WorldSnapshot
from robots.tabletop.world import TabletopWorld
from skills.library import SkillLibrary
from skills.skill import did_you_mean
from world_model.belief import Belief
from world_model.perception.oracle import OraclePerception
from world_model.perception.percept import Perception
from world_model.success.detector import SuccessDetector
from world_model.success.from_scenes import SceneDetector
from world_model.success.lying import LyingDetector


def _search(config: RunConfig) -> Planner:  # noqa: ARG001 - every maker takes the configuration
    return SearchPlanner()


def _language(config: RunConfig) -> Planner:  # noqa: ARG001
    from planner.language import LanguagePlanner

    return LanguagePlanner()


def _llm(config: RunConfig) -> Planner:
    from planner.language_model import open_planner

    asked = config.language_model
    return open_planner(
        SearchPlanner(),
        model=asked.model,
        base_url=asked.base_url,
        prompts=asked.prompts,
        record=asked.record,
        replay=asked.replies,
        timeout_s=asked.timeout_s,
    )


@dataclass(frozen=True)
class Driver:
    """A policy, and the sizes of the pictures that it needs, by camera."""

    policy: Policy
    image_sizes: Mapping[str, ImageSize]


def _rt2(config: RunConfig, library: SkillLibrary, world: TabletopWorld) -> Driver:
    import torch

    from executor.policies.rt2 import Rt2Policy
    from executor.policies.wrappers import Resolute
    from executor.robot_contract import tabletop_contract
    from rt2.vla import load_vla

    folder = pinned(config).checkpoint
    assert folder is not None
    check_taught(folder, library)
    torch.set_num_threads(1)  # two threads on two busy cores decide ten times slower than one
    vla = load_vla(folder)
    sizes = {name: (camera.width, camera.height) for name, camera in vla.contract.cameras.items()}
    policy = Resolute(Rt2Policy(vla, tabletop_contract(sizes, world.variation)))
    return Driver(policy, policy.image_sizes)


def _expert(config: RunConfig, library: SkillLibrary, world: TabletopWorld) -> Driver:  # noqa: ARG001
    return Driver(ExpertPolicy(library, world.physical_state), {})


def _scene_detector(library: SkillLibrary) -> SuccessDetector:
    return SceneDetector(library)


PLANNERS: Mapping[str, Callable[[RunConfig], Planner]] = {"search": _search, "language": _language, "llm": _llm}
POLICIES: Mapping[str, Callable[[RunConfig, SkillLibrary, TabletopWorld], Driver]] = {"rt2": _rt2, "expert": _expert}
PERCEPTIONS: Mapping[str, Callable[[TabletopWorld], Perception]] = {"oracle": OraclePerception}
DETECTORS: Mapping[str, Callable[[SkillLibrary], SuccessDetector]] = {"scene": _scene_detector}


class Planners:
    """The planners of one workplace. One that keeps a dialogue is kept; others are made anew for each command."""

    def __init__(self) -> None:
        self._kept: dict[str, Planner] = {}

    def __call__(self, config: RunConfig) -> Planner:
        """The planner of a configuration, behind the graph where one is given. Raises PlannerError."""
        if config.graph is not None:
            return GivenGraphPlanner(config.graph, SearchPlanner())
        if config.planner in self._kept:
            return self._kept[config.planner]
        planner = PLANNERS[config.planner](config)
        if isinstance(planner, Remembers):
            self._kept[config.planner] = planner
        return planner


def detector_for(name: str, library: SkillLibrary, seed: int, lies: tuple[float, float]) -> SuccessDetector:
    """The detector of that name; lies: rates of false positives and false negatives put into its mouth."""
    if name not in DETECTORS:
        raise ConfigError(f"no detector '{name}'{did_you_mean(name, list(DETECTORS))}")
    honest = DETECTORS[name](library)
    return LyingDetector(honest, seed, *lies) if any(lies) else honest


def assemble(config: RunConfig, world: TabletopWorld | None = None) -> Workplace:
    """World, robot and the rest, wired once; a context manager that closes the world.

    world: one that was restored; else the configuration's scene is set up.
    Raises SceneError, SkillFileError, DisplayError, and VLAError or ConfigError where a checkpoint cannot be used here.
    """
    library = SkillLibrary()
    for path in config.skill_files:
        library = library.with_file(path)
    world = world or TabletopWorld(config.scene, config.seed, gui=config.gui)
    try:
        driver = POLICIES[config.policy](config, library, world)
        report = FaultReport()
        schedule = FaultSchedule(seed=config.seed, mix=fault_mix(config.faults))
        robot = TabletopRobot(
            world,
            cameras=dict.fromkeys((*driver.policy.cameras, *config.cameras)),
            image_size={**dict.fromkeys(CAMERAS, config.image_size), **driver.image_sizes},
            faults=() if config.faults == "none" else (scheduled(schedule, report),),
        )
        lies = (config.false_positive_rate, config.false_negative_rate)
        detector = detector_for(config.detector, library, config.seed, lies)
        return Workplace(
            world=world,
            robot=robot,
            library=library,
            perception=PERCEPTIONS[config.perception](world),
            detector=detector,
            policy=driver.policy,
            planner_for=Planners(),
            belief=Belief(library),
            fault_report=report,
        )
    except BaseException:
        world.close()
        raise


def start_run(
    config: RunConfig,
    *,
    folder: Path | None = None,
    watchers: Sequence[Watcher] = (),
    ask: Ask | None = None,
    stop: StopToken | None = None,
    clock: Clock = time.time,
) -> RunResult:
    """A run in a world of its own, from beginning to end."""
    config.check_asks_for_something()
    with assemble(config) as workplace:
        return workplace.run(config, folder=folder, watchers=watchers, ask=ask, stop=stop, clock=clock)


def resume_run(
    folder: Path,
    *,
    watchers: Sequence[Watcher] = (),
    ask: Ask | None = None,
    stop: StopToken | None = None,
    clock: Clock = time.time,
) -> RunResult:
    """Goes on with a run that was killed or stopped, at the step it was in.

    Raises RunFolderError where there is nothing to go on with: it has ended, another process runs it, or its log or
    snapshots cannot be read.
    """
    with RunFolder.open(folder) as kept:
        config, found = kept.config(), kept.found()
        ended = next((e for e in reversed(standing(found.events)) if isinstance(e, RunEnded)), None)
        if ended is not None and ended.outcome != "stopped":
            kept.write_result(summarise(found.events))  # it may have been killed just before that
            raise RunFolderError(f"{folder}: the run has ended ({ended.outcome}: {ended.reason}); nothing to resume")
        with assemble(config, _restored_world(config, found)) as workplace:
            return workplace.resume(config, kept, found, watchers=watchers, ask=ask, stop=stop, clock=clock)


def _restored_world(config: RunConfig, found: Found) -> TabletopWorld | None:
    if found.snapshot is None:
        return None
    with reading_snapshot(found):
        snapshot = WorldSnapshot.model_validate(found.snapshot["workplace"]["world"])
        return TabletopWorld.restore(snapshot, gui=config.gui)
