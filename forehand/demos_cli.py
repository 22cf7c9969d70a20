"""The command line of demonstrations: `forehand demos …`. As light as forehand.cli, of which it is a part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

demos_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Record demonstrations as a LeRobot dataset, and look at them."
)

DatasetFolder = Annotated[Path, typer.Argument(metavar="DIR", help="A LeRobot v3.0 dataset: a folder.")]
SkillNames = Annotated[str | None, typer.Option("--skills", help="Only these, as in pick,place_in [all].")]


@demos_app.command("collect", epilog="Example: forehand demos collect --episodes 200 --out demos/first")
def collect(
    out: Annotated[Path, typer.Option("--out", "-o", help="The dataset: a new folder, or one to go on with.")],
    episodes: Annotated[int, typer.Option(min=1, help="How many there are to be in the dataset at the end.")] = 200,
    skills: SkillNames = None,
    scene: Annotated[
        str, typer.Option("--scene", "-s", help="A scene's name, a YAML file, or random: another one each time.")
    ] = "random",
    noise: Annotated[float, typer.Option(min=0, max=1, help="Share of steps at which the hand misses.")] = 0.25,
    seed: Annotated[int, typer.Option(min=0, help="Decides worlds and noise; another one adds other worlds.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes [one a core].")] = None,
    skill: Annotated[
        list[Path] | None, typer.Option("--skill", help="A file with a skill of your own; may be repeated.")
    ] = None,
) -> None:
    """Have scripted experts demonstrate skills, with noise, and write what cameras and hand saw as a LeRobot dataset.

    Stopped (Ctrl-C, or killed), the dataset is whole; the same command goes on where it was.
    """
    from forehand.commands.demos import collect_command

    raise typer.Exit(
        collect_command(
            out, episodes=episodes, skills=skills, scene=scene, noise=noise, seed=seed, workers=workers,
            skill_files=tuple(skill or ()),
        )
    )  # fmt: skip


@demos_app.command("show", epilog="Example: forehand demos show demos/first --episode 3")
def show(
    folder: DatasetFolder,
    episode: Annotated[int | None, typer.Option(min=0, help="Write this one as a video.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The video [NAME-episode-K.mp4].")] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Play it here in the terminal instead.")] = False,
) -> None:
    """What is in a dataset, skill by skill; with --episode, all cameras of that one as a video."""
    from forehand.commands.demos import show_command

    raise typer.Exit(show_command(folder, episode=episode, out=out, terminal=terminal))
