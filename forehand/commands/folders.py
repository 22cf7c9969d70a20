"""`forehand resume` and `forehand replay`: going on with a run folder, and showing it again."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from forehand.commands.running import resume_and_finish
from forehand.event_log import read_log
from forehand.run_view import RunView
from forehand.runs import LOG
from forehand.terminal import told

LONGEST_PAUSE_S = 3.0  # a person watching a replay need not sit through a model that took a minute to answer


def resume_command(folder: Path, *, video: bool, speed: float | None, as_json: bool) -> int:
    return resume_and_finish(folder, video=video, speed=speed, as_json=as_json)


def replay_command(folder: Path, *, speed: float | None) -> int:
    console = Console()
    view = RunView()
    last_s: float | None = None
    for event in read_log(folder / LOG).events:
        now_s = event.robot_time_s if event.robot_time_s is not None else last_s
        if speed is not None and last_s is not None and now_s is not None:
            time.sleep(min(LONGEST_PAUSE_S, max(0.0, now_s - last_s) / speed))
        last_s = now_s
        line = view.apply(event)
        if line is not None:
            console.print(told(line), soft_wrap=True)
    return 0
