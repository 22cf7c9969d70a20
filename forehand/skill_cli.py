"""The command line of skills that are learned: `forehand skill …`. As light as forehand.cli, of which it is a part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forehand.defaults import SHIPPED_CHECKPOINT

skill_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Teach a trained model a skill of your own.")


@skill_app.callback()
def skills() -> None:
    """Teach a trained model a skill of your own."""


@skill_app.command("learn", epilog="Example: forehand skill learn examples/skills/turn.py --out checkpoints/turn")
def learn(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The skill: a Python file, as in docs/adding-a-skill.md.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The new checkpoint: a folder that is not there yet.")],
    checkpoint: Annotated[
        Path,
        typer.Option(
            "--checkpoint", help="The rt2-small that is to learn it [the one that ships].", show_default=False
        ),
    ] = SHIPPED_CHECKPOINT,
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to train.")] = 45.0,
    demos: Annotated[
        Path | None, typer.Option("--demos", help="A LeRobot dataset of the skill, in place of the file's expert.")
    ] = None,
    frames: Annotated[
        Path | None, typer.Option("--frames", help="The frames folder of the old training, to be replayed, too.")
    ] = None,
    skill: Annotated[
        list[Path] | None, typer.Option("--skill", help="A skill file that it was taught before; may be repeated.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Frames, logs and state go here [runs/learn-NAME].")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="cpu or cuda [cuda where there is one].")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the training to change; may be repeated.")
    ] = None,
) -> None:
    """Teach a trained model one more skill, with practice of the old ones beside it, live progress and time left.

    The same command goes on where a killed or stopped one was. Exit codes: 0 finished, 2 usage, 130 stopped.
    """
    from forehand.commands.skill_learn import Asked, learn_command

    asked = Asked(
        file, checkpoint, out, minutes, tuple(skill or ()), demos, frames, folder, device, tuple(change or ())
    )
    raise typer.Exit(learn_command(asked))
