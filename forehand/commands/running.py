"""`forehand run` and `forehand graph run`: from options to a run, its folder's pictures, and an exit code."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType

from rich.console import Console

from executor.stop import StopToken
from forehand.assembly import resume_run, start_run
from forehand.config import ConfigError, LanguageModelConfig, RunConfig
from forehand.results import RunResult
from forehand.scenes import read_scene, scene_objects
from forehand.suites import Task
from forehand.terminal import TerminalView
from forehand.tracing import TraceRecorder
from forehand.watching import Watcher
from robots.tabletop.scene_spec import SceneSpec
from skills.checking import check_goal
from skills.goal import Goal
from skills.library import SkillLibrary
from skills.skill_graph import SkillGraph

EXIT_CODE = {"succeeded": 0, "failed": 1, "clarify": 3, "impossible": 4, "stopped": 130}


@dataclass(frozen=True)
class RunOptions:
    """What a person asked for on the command line, before it is checked."""

    instruction: str
    scene: str
    goal: str | None
    seed: int
    planner: str | None
    policy: str
    perception: str
    detector: str
    faults: str
    open_loop: bool
    skill_files: tuple[Path, ...]
    model: str | None = None
    base_url: str | None = None
    prompts: Path | None = None
    record_replies: Path | None = None
    replay_replies: Path | None = None
    gui: bool = False
    false_positive_rate: float = 0.0
    false_negative_rate: float = 0.0
    timeout_s: float = 60.0
    checkpoint: Path | None = None

    def config(self, graph: SkillGraph | None = None) -> RunConfig:
        """The checked record. Raises pydantic.ValidationError, SceneError, LiteralSyntaxError or LiteralError."""
        if self.goal is not None and self.instruction.strip():
            raise ConfigError("give an instruction or --goal, not both: they might not mean the same")
        scene = read_scene(self.scene)
        goal = Goal.parse(self.goal) if self.goal is not None else None
        if goal is not None:
            check_goal(goal, scene_objects(scene), library_with(self.skill_files).predicates)
        return self._checked(scene, self.instruction, goal, graph)

    def template(self, task: Task) -> RunConfig:
        """The record that evaluation fills in for every task of a suite."""
        return self._checked(task.scene, task.instruction, None, None)

    def _checked(self, scene: SceneSpec, instruction: str, goal: Goal | None, graph: SkillGraph | None) -> RunConfig:
        return RunConfig.model_validate(
            {
                "instruction": instruction,
                "goal": goal,
                "graph": graph,
                "scene": scene,
                "seed": self.seed,
                "planner": self.planner_name,
                "policy": self.policy,
                "checkpoint": self.checkpoint.resolve() if self.checkpoint is not None else None,
                "perception": self.perception,
                "detector": self.detector,
                "false_positive_rate": self.false_positive_rate,
                "false_negative_rate": self.false_negative_rate,
                "faults": self.faults,
                "closed_loop": not self.open_loop,
                "skill_files": tuple(path.resolve() for path in self.skill_files),
                "gui": self.gui,
                "language_model": self.language_model,
            }
        )

    @property
    def planner_name(self) -> str:
        return self.planner or ("search" if self.goal is not None else "language")

    @property
    def language_model(self) -> LanguageModelConfig:
        return LanguageModelConfig(
            model=self.model,
            base_url=self.base_url,
            prompts=self.prompts,
            replies=self.replay_replies,
            record=self.record_replies,
            timeout_s=self.timeout_s,
        )


def library_with(skill_files: Iterable[Path]) -> SkillLibrary:
    library = SkillLibrary()
    for file in skill_files:
        library = library.with_file(file)
    return library


def run_command(
    options: RunOptions,
    *,
    graph: SkillGraph | None = None,
    out: Path | None,
    video: bool,
    speed: float | None,
    as_json: bool,
) -> int:
    config = options.config(graph)
    folder = out or new_folder(config)
    console = Console(stderr=as_json, quiet=as_json)
    with stop_on_interrupt() as stop:
        result = start_run(config, folder=folder, watchers=watchers(console, folder, speed), stop=stop)
    return finish(result, folder, console, video=video, as_json=as_json)


def resume_and_finish(folder: Path, *, video: bool, speed: float | None, as_json: bool) -> int:
    console = Console(stderr=as_json, quiet=as_json)
    with stop_on_interrupt() as stop:
        result = resume_run(folder, watchers=watchers(console, folder, speed), stop=stop)
    return finish(result, folder, console, video=video, as_json=as_json)


def watchers(console: Console, folder: Path, speed: float | None) -> list[Watcher]:
    return [TerminalView(console, pace=speed), TraceRecorder(folder)]


def finish(result: RunResult, folder: Path, console: Console, *, video: bool, as_json: bool) -> int:
    """Draw what the folder keeps, say how it went, and return the exit code."""
    from forehand.pictures import draw_run

    drawn = draw_run(folder, console, video=video and result.outcome != "stopped")
    if as_json:
        print(result.model_dump_json(indent=2))
    else:
        say_outcome(result, console)
        console.print(f"[bright_black]{drawn}[/]", soft_wrap=True, highlight=False)
    return EXIT_CODE[result.outcome]


def say_outcome(result: RunResult, console: Console) -> None:
    colour = {"succeeded": "green", "clarify": "yellow", "impossible": "yellow"}.get(result.outcome, "red")
    console.print(f"\n[bold {colour}]{result.outcome}[/]: {result.reason}", soft_wrap=True, highlight=False)
    if result.goal_reached is not None:
        truth = "the goal was reached" if result.goal_reached else "the goal was not reached"
        console.print(f"true state of the simulator: {truth}", highlight=False)


def new_folder(config: RunConfig) -> Path:
    """runs/TIME-WORDS, not yet made."""
    said = config.instruction or (config.graph.name if config.graph else "") or "goal"
    words = "-".join(re.findall(r"[a-z0-9]+", said.lower())[:6])
    stem = Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{words}"
    candidates = (stem, *(stem.with_name(f"{stem.name}-{n}") for n in range(2, 1000)))
    return next(path for path in candidates if not path.exists())


@contextmanager
def stop_on_interrupt() -> Iterator[StopToken]:
    """Ctrl-C stops the robot within one control step and ends the run as stopped; a second one ends the program."""
    stop = StopToken()

    def handle(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        if stop.is_set:
            raise KeyboardInterrupt
        print("\nstopping …", file=sys.stderr)
        stop.set("a person stopped it" if signum == signal.SIGINT else "the system asked it to end")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
