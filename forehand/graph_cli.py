"""The command line of graphs that you wrote: `forehand graph …`. As light as forehand.cli, of which it is a part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forehand.cli_options import (
    AsJson,
    Checkpoint,
    Faults,
    GoalText,
    GraphFile,
    Gui,
    OpenLoop,
    PolicyName,
    Scene,
    Seed,
    SkillFiles,
    Speed,
    Video,
)
from forehand.defaults import DEFAULT_POLICY, DEFAULT_SCENE

graph_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Run, check or draw a skill graph you wrote.")


@graph_app.command("run", epilog="Example: forehand graph run tidy.yaml --scene kitchen-corner")
def graph_run(
    file: GraphFile,
    scene: Scene = DEFAULT_SCENE,
    goal: GoalText = None,
    seed: Seed = 0,
    policy: PolicyName = DEFAULT_POLICY,
    checkpoint: Checkpoint = None,
    faults: Faults = "none",
    open_loop: OpenLoop = False,
    skill: SkillFiles = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The run folder [runs/TIME-WORDS].")] = None,
    video: Video = True,
    speed: Speed = None,
    gui: Gui = False,
    json: AsJson = False,
) -> None:
    """Check a graph against a scene and run it in closed loop. Exit codes as in run."""
    from forehand.commands.graphs import check_graph
    from forehand.commands.running import RunOptions, run_command
    from skills.graph_files import load_graph

    graph = load_graph(file)
    check_graph(graph, scene, seed, tuple(skill or ()))
    options = RunOptions(
        "", scene, goal, seed, "search", policy, "oracle", "scene", faults, open_loop, tuple(skill or ()), gui=gui,
        checkpoint=checkpoint,
    )  # fmt: skip
    raise typer.Exit(run_command(options, graph=graph, out=out, video=video, speed=speed, as_json=json))


@graph_app.command("check", epilog="Example: forehand graph check tidy.yaml --scene kitchen-corner")
def graph_check(file: GraphFile, scene: Scene = DEFAULT_SCENE, seed: Seed = 0, skill: SkillFiles = None) -> None:
    """Say whether a graph can work in a scene, and if not, which step cannot and why. Exit code 0 or 2."""
    from forehand.commands.graphs import check_command

    raise typer.Exit(check_command(file, scene, seed, tuple(skill or ())))


@graph_app.command("draw", epilog="Example: forehand graph draw tidy.yaml --out tidy.svg")
def graph_draw(
    file: GraphFile,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write SVG here [draw in the terminal].")] = None,
) -> None:
    """Draw a graph as SVG or in the terminal."""
    from forehand.commands.graphs import draw_command

    raise typer.Exit(draw_command(file, out))
