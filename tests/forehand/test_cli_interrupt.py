"""Ctrl-C on the command line: the robot stops at once, the run can be gone on with, the exit code is 130."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from forehand.event_log import read_log
from forehand.events import SkillEnded

FOREHAND = str(Path(sys.executable).parent / "forehand")
SAID = "put every block in the bowl of its colour"
LONGEST_WAIT_S = 60.0


def test_ctrl_c_stops_the_robot_and_the_run_can_be_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    arguments = [
        "run",
        SAID,
        "--scene",
        "kitchen-corner",
        "--policy",
        "expert",
        "--out",
        str(folder),
        "--speed",
        "1",
        "--no-video",
        "--json",
    ]
    running = subprocess.Popen([FOREHAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + LONGEST_WAIT_S
    trace = folder / "trace.jsonl"
    while not (trace.exists() and trace.stat().st_size > 0) and time.monotonic() < deadline:
        time.sleep(0.05)
    frames = len(trace.read_text("utf-8").splitlines())
    running.send_signal(signal.SIGINT)
    shown, _ = running.communicate(timeout=LONGEST_WAIT_S)
    assert running.returncode == 130
    assert json.loads(shown)["outcome"] == "stopped"
    ended = [event for event in read_log(folder / "events.jsonl").events if isinstance(event, SkillEnded)]
    assert ended[-1].ended_by == "stopped"
    assert len(trace.read_text("utf-8").splitlines()) <= frames + 3  # a step under way, one that was due, one of grace
    resumed = [FOREHAND, "resume", str(folder), "--no-video", "--json"]
    done = subprocess.run(resumed, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["goal_reached"] is True
    assert not (folder / "video.mp4").exists()
