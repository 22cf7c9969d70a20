"""The command line of scenes: `forehand scene …`. As light as forehand.cli, of which it is a part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forehand.cli_options import Seed

scene_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The scenes that ship, and how one looks.")


@scene_app.command("list")
def scene_list() -> None:
    """The scenes that ship, with what stands in them."""
    from forehand.commands.scenes import list_command

    raise typer.Exit(list_command())


@scene_app.command("show", epilog="Example: forehand scene show kitchen-corner --picture kitchen.png")
def scene_show(
    scene: Annotated[str, typer.Argument(metavar="SCENE", help="A scene's name, a YAML file, or random:SEED.")],
    seed: Seed = 0,
    picture: Annotated[Path | None, typer.Option("--picture", help="Write a picture (PNG) here.")] = None,
) -> None:
    """What stands where in a scene; with --picture, how it looks."""
    from forehand.commands.scenes import show_command

    raise typer.Exit(show_command(scene, seed, picture))
