"""The command line before anything heavy is loaded."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

FOREHAND = str(Path(sys.executable).parent / "forehand")
COMMANDS = (
    "run",
    "plan",
    "chat",
    "eval",
    "resume",
    "replay",
    "calibrate",
    "instructions",
    "train",
    "doctor",
    "schema",
    "graph run",
    "skill learn",
)


def cpu_seconds(*command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_takes_little_more_than_the_library_of_the_command_line() -> None:
    """Processor time, as a ratio in one run: a busy machine stretches both (0.17 s and 0.1 s on a quiet one)."""
    ratios = [cpu_seconds(FOREHAND, "--help") / cpu_seconds(sys.executable, "-c", "import typer") for _ in range(5)]
    assert statistics.median(ratios) < 2.5


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['forehand', '--help']\n"
        "from forehand.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'torch', 'transformers', 'langchain', 'pybullet', 'pydantic', 'rich.console', 'networkx'}\n"
        "sys.exit(','.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_shows_an_example(command: str) -> None:
    shown = subprocess.run([FOREHAND, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
    assert f"Example: forehand {command}" in shown
