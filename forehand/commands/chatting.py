"""`forehand chat`: one command after another in one world; questions are answered in place."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from forehand.assembly import assemble
from forehand.commands.running import RunOptions, new_folder, say_outcome, stop_on_interrupt, watchers
from forehand.config import ConfigError
from planner.planner import PlannerError, Question

NEVER_MIND = ("", "quit", "exit", "cancel", "never mind", "nothing", "stop", "q")
GOODBYES = ("quit", "exit", "bye", "stop", "q")


def chat_command(options: RunOptions, *, speed: float | None) -> int:
    console = Console()
    console.print("Tell the robot what to do. Ctrl-C stops it.", highlight=False)
    console.print("[bold]quit[/] or Ctrl-D ends; [bold]cancel[/] leaves a question open.", highlight=False)

    def ask(question: Question) -> str | None:  # noqa: ARG001 - the terminal view has shown it
        said = _read(console, "  answer> ")
        return None if said is None or said.lower() in NEVER_MIND else said

    with assemble(options.config()) as workplace:
        console.print(workplace.describe(), style="bright_black", highlight=False)
        while (said := _read(console, "forehand> ")) is not None and said.lower() not in GOODBYES:
            if not said:
                continue
            try:
                config = replace(options, instruction=said).config()
                folder = new_folder(config)
                with stop_on_interrupt() as stop:
                    result = workplace.run(
                        config, folder=folder, watchers=watchers(console, folder, speed), ask=ask, stop=stop
                    )
            except (ConfigError, PlannerError) as error:
                console.print(f"[red]{error}[/]", highlight=False)
                continue
            say_outcome(result, console)
    return 0


def _read(console: Console, prompt: str) -> str | None:
    try:
        return console.input(f"[bold]{prompt}[/]").strip()
    except (EOFError, KeyboardInterrupt):
        console.print()
        return None
