"""The command line: names, options and help. What each command does lives in forehand.commands, imported when asked.

Nothing heavy is imported here, so that `forehand --help` is instant.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from forehand.cli_options import (
    AsJson,
    BaseUrl,
    Checkpoint,
    DetectorName,
    Faults,
    GoalText,
    Gui,
    Model,
    OpenLoop,
    PerceptionName,
    PlannerName,
    PolicyName,
    Prompts,
    RecordReplies,
    ReplayReplies,
    RunFolder,
    Scene,
    Seed,
    SkillFiles,
    Speed,
    SuiteName,
    Timeout,
    Video,
)
from forehand.defaults import DEFAULT_POLICY, DEFAULT_SCENE
from forehand.demos_cli import demos_app
from forehand.graph_cli import graph_app
from forehand.scene_cli import scene_app
from forehand.skill_cli import skill_app

EXIT_USAGE = 2
EXIT_STOPPED = 130

app = typer.Typer(
    name="forehand",
    help="Plan ahead, act by hand: long-horizon instructions, planned as skill graphs and carried out by a robot.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich's help costs more time than everything else in it
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.add_typer(graph_app, name="graph")
app.add_typer(scene_app, name="scene")
app.add_typer(demos_app, name="demos")
app.add_typer(skill_app, name="skill")


@app.command(epilog='Example: forehand run "stack the red block on the green block" --scene kitchen-corner')
def run(
    instruction: Annotated[str, typer.Argument(help="What to do, in English. May be left out with --goal.")] = "",
    scene: Scene = DEFAULT_SCENE,
    goal: GoalText = None,
    seed: Seed = 0,
    planner: PlannerName = None,
    policy: PolicyName = DEFAULT_POLICY,
    checkpoint: Checkpoint = None,
    perception: PerceptionName = "oracle",
    detector: DetectorName = "scene",
    faults: Faults = "none",
    open_loop: OpenLoop = False,
    skill: SkillFiles = None,
    model: Model = None,
    base_url: BaseUrl = None,
    timeout: Timeout = 60.0,
    prompts: Prompts = None,
    record_replies: RecordReplies = None,
    replay_replies: ReplayReplies = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The run folder [runs/TIME-WORDS].")] = None,
    video: Video = True,
    speed: Speed = None,
    gui: Gui = False,
    json: AsJson = False,
) -> None:
    """Carry out an instruction (or a goal) in a scene, and keep log, graph, video and report in a run folder.

    Exit codes: 0 succeeded, 1 failed, 2 usage, 3 a question is open, 4 impossible, 130 stopped.
    """
    from forehand.commands.running import RunOptions, run_command

    options = RunOptions(
        instruction, scene, goal, seed, planner, policy, perception, detector, faults, open_loop, tuple(skill or ()),
        model, base_url, prompts, record_replies, replay_replies, gui, timeout_s=timeout, checkpoint=checkpoint,
    )  # fmt: skip
    raise typer.Exit(run_command(options, out=out, video=video, speed=speed, as_json=json))


@app.command(epilog='Example: forehand plan "sort the blocks into the bowls of their colour" --draw plan.svg')
def plan(
    instruction: Annotated[str, typer.Argument(help="What to do, in English. May be left out with --goal.")] = "",
    scene: Scene = DEFAULT_SCENE,
    goal: GoalText = None,
    seed: Seed = 0,
    planner: PlannerName = None,
    skill: SkillFiles = None,
    model: Model = None,
    base_url: BaseUrl = None,
    timeout: Timeout = 60.0,
    prompts: Prompts = None,
    record_replies: RecordReplies = None,
    replay_replies: ReplayReplies = None,
    draw: Annotated[Path | None, typer.Option("--draw", help="Write the graph as SVG to this file.")] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Write the graph as YAML or JSON to this file.")] = None,
    json: AsJson = False,
) -> None:
    """Plan only: show the goal and the skill graph, move nothing. Exit codes as in run."""
    from forehand.commands.planning import plan_command
    from forehand.commands.running import RunOptions

    options = RunOptions(
        instruction, scene, goal, seed, planner, "expert", "oracle", "scene", "none", False, tuple(skill or ()),
        model, base_url, prompts, record_replies, replay_replies, timeout_s=timeout,
    )  # fmt: skip
    raise typer.Exit(plan_command(options, draw=draw, save=save, as_json=json))


@app.command(epilog="Example: forehand chat --scene kitchen-corner")
def chat(
    scene: Scene = DEFAULT_SCENE,
    seed: Seed = 0,
    planner: PlannerName = None,
    policy: PolicyName = DEFAULT_POLICY,
    checkpoint: Checkpoint = None,
    faults: Faults = "none",
    skill: SkillFiles = None,
    model: Model = None,
    base_url: BaseUrl = None,
    timeout: Timeout = 60.0,
    prompts: Prompts = None,
    speed: Speed = None,
    gui: Gui = False,
) -> None:
    """Give one command after another; questions are answered in place, and "now put it back" is understood."""
    from forehand.commands.chatting import chat_command
    from forehand.commands.running import RunOptions

    options = RunOptions(
        "", scene, None, seed, planner, policy, "oracle", "scene", faults, False, tuple(skill or ()),
        model, base_url, prompts, None, None, gui, timeout_s=timeout, checkpoint=checkpoint,
    )  # fmt: skip
    raise typer.Exit(chat_command(options, speed=speed))


@app.command(name="eval", epilog="Example: forehand eval tabletop-long --planner search --faults standard --workers 2")
def evaluate(
    suite: SuiteName,
    episodes: Annotated[int, typer.Option(min=1, help="Runs of each task, each with its own seed.")] = 1,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes [one a core].")] = None,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Score the planner without a robot.")] = False,
    seed: Seed = 0,
    planner: PlannerName = None,
    policy: PolicyName = DEFAULT_POLICY,
    checkpoint: Checkpoint = None,
    perception: PerceptionName = "oracle",
    detector: DetectorName = "scene",
    faults: Faults = "none",
    open_loop: OpenLoop = False,
    false_positive_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Make the detector call failures successes at this rate.")
    ] = 0.0,
    false_negative_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Make the detector call successes failures at this rate.")
    ] = 0.0,
    skill: SkillFiles = None,
    model: Model = None,
    base_url: BaseUrl = None,
    timeout: Timeout = 60.0,
    prompts: Prompts = None,
    replay_replies: ReplayReplies = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Keep the run folder of every episode here.")] = None,
    json: AsJson = False,
) -> None:
    """Score a planner and a policy on a suite of tasks, with Wilson 95 % intervals.

    Asking counts as right only where the task expects clarify, refusing only where it expects impossible.
    Exit code 0 when the suite was scored, whatever the score.
    """
    from forehand.commands.evaluating import eval_command
    from forehand.commands.running import RunOptions

    options = RunOptions(
        "", "", None, seed, planner, policy, perception, detector, faults, open_loop, tuple(skill or ()),
        model, base_url, prompts, None, replay_replies, False, false_positive_rate, false_negative_rate, timeout,
        checkpoint,
    )  # fmt: skip
    raise typer.Exit(
        eval_command(options, suite, episodes=episodes, workers=workers, plan_only=plan_only, out=out, as_json=json)
    )


@app.command(epilog="Example: forehand resume runs/20260101-120000-stack")
def resume(folder: RunFolder, video: Video = True, speed: Speed = None, json: AsJson = False) -> None:
    """Go on with a run that was killed or stopped, at the step it was in. Exit codes as in run."""
    from forehand.commands.folders import resume_command

    raise typer.Exit(resume_command(folder, video=video, speed=speed, as_json=json))


@app.command(epilog="Example: forehand replay runs/20260101-120000-stack --speed 4")
def replay(folder: RunFolder, speed: Speed = 1.0) -> None:
    """Show a finished run again in the terminal, from its event log, at the pace it had."""
    from forehand.commands.folders import replay_command

    raise typer.Exit(replay_command(folder, speed=speed))


@app.command(epilog="Example: forehand calibrate --episodes 200")
def calibrate(
    detector: DetectorName = "scene",
    episodes: Annotated[int, typer.Option(min=1, help="Skill episodes: done, cut short, disturbed, wrong.")] = 200,
    seed: Seed = 0,
    false_positive_rate: Annotated[float, typer.Option(min=0, max=1)] = 0.0,
    false_negative_rate: Annotated[float, typer.Option(min=0, max=1)] = 0.0,
    json: AsJson = False,
) -> None:
    """Measure a success detector against the settled true state: false positives, false negatives, abstention."""
    from forehand.commands.calibrating import calibrate_command

    raise typer.Exit(
        calibrate_command(
            detector, episodes=episodes, seed=seed, rates=(false_positive_rate, false_negative_rate), as_json=json
        )
    )


@app.command(epilog="Example: forehand instructions --scene kitchen-corner --count 20")
def instructions(
    scene: Scene = DEFAULT_SCENE,
    count: Annotated[int, typer.Option(min=1, help="How many distinct ones.")] = 10,
    seed: Seed = 0,
    json: AsJson = False,
) -> None:
    """Generate instructions with their goals for a scene, from the grammar that the language planner reads with."""
    from forehand.commands.planning import instructions_command

    raise typer.Exit(instructions_command(scene, count=count, seed=seed, as_json=json))


@app.command(epilog="Example: forehand train quick --folder runs/first --set training.minutes=5")
def train(
    config: Annotated[
        str | None, typer.Argument(metavar="CONFIG", help="rt2-small, robot-only, quick, tiny, or a YAML file.")
    ] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="All its files go here [runs/train-NAME].")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Only go on: there must be one to go on with.")] = False,
    device: Annotated[str | None, typer.Option("--device", help="cpu or cuda [cuda where there is one].")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="A setting to change, training.minutes=10; may be repeated.")
    ] = None,
) -> None:
    """Train a VLA: robot frames collected beside it, vision-language examples, one mixture, live progress.

    The same command goes on where a killed or stopped one was. Exit codes: 0 finished, 2 usage, 130 stopped.
    """
    from forehand.commands.train import train_command

    raise typer.Exit(train_command(config, folder=folder, resume=resume, device=device, changes=tuple(change or ())))


@app.command(epilog="Example: forehand doctor --base-url http://localhost:11434/v1")
def doctor(base_url: BaseUrl = None, json: AsJson = False) -> None:
    """What is installed, what works here, and which language-model endpoint answers."""
    from forehand.commands.doctor import doctor_command

    raise typer.Exit(doctor_command(base_url, as_json=json))


@app.command(epilog="Example: forehand schema run > run.schema.json")
def schema(
    name: Annotated[str, typer.Argument(metavar="NAME", help="run, plan, eval, event, graph, goal or task.")],
) -> None:
    """Print the published JSON schema of what a command prints or reads."""
    from forehand.commands.schemas import schema_command

    raise typer.Exit(schema_command(name))


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if show:
        from forehand import __version__

        typer.echo(f"forehand {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point. An error that a person can mend is one line on stderr and exit code 2, never a traceback."""
    from forehand.packages import foreign_packages

    foreign = foreign_packages()
    if foreign:
        print(f"forehand: error: {foreign}", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(EXIT_STOPPED) from None
    except Exception as error:
        from forehand.errors import usage_message

        message = usage_message(error)
        if message is None:
            raise
        print(f"forehand: error: {message}", file=sys.stderr)
        raise SystemExit(EXIT_USAGE) from error
