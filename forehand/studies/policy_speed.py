"""How fast a policy decides on one core: without pictures, with both views rendered, in batches, and its start.

    python -m forehand.studies.policy_speed --checkpoint DIR

Times are medians of single decisions. On a busy machine wall time says more of the others than of the policy; CPU time
is the time of one undisturbed core, because everything runs in one thread. Not for: how good it is.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import torch

from executor.policies.rt2 import Rt2Policy
from executor.robot_contract import tabletop_contract
from forehand.checkpoints import weights_sha256
from forehand.defaults import SHIPPED_CHECKPOINT
from forehand.errors import told_in_one_message
from forehand.scenes import read_scene
from robots.robot import Action
from robots.tabletop.robot import TabletopRobot
from robots.tabletop.world import TabletopWorld
from rt2.small import SmallVLA
from rt2.vla import VLA, load_vla
from skills.skill import SkillCall

PAGE = Path("docs") / "policy-speed.md"
SCENE, SENTENCE = "kitchen-corner", "pick up the red block"
CALL = SkillCall("pick", ("red block",))
WARM_UP = 5
BATCH = 8


@dataclass(frozen=True)
class Timing:
    """What was timed, and median seconds for each decision: by the clock on the wall and by the processor's."""

    what: str
    wall_s: float
    cpu_s: float

    @property
    def row(self) -> str:
        times = f"{self.wall_s * 1e3:.2f} | {1 / self.wall_s:.0f} | {self.cpu_s * 1e3:.2f} | {1 / self.cpu_s:.0f}"
        return f"| {self.what} | {times} |"


def timed(what: str, work: Callable[[], object], times: int, decisions: int = 1) -> Timing:
    """Medians over `times` calls of work, each of which makes so many decisions."""
    for _ in range(WARM_UP):
        work()
    wall, cpu = [], []
    for _ in range(times):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        wall.append((time.perf_counter() - clock) / decisions)
        cpu.append((time.process_time() - processor) / decisions)
    return Timing(what, statistics.median(wall), statistics.median(cpu))


def timings(vla: VLA, times: int) -> list[Timing]:
    sizes = {name: (camera.width, camera.height) for name, camera in vla.contract.cameras.items()}
    policy = Rt2Policy(vla, tabletop_contract(sizes))
    policy.begin(CALL, SENTENCE)
    with TabletopWorld(read_scene(SCENE), 0) as world:
        robot = TabletopRobot(world, cameras=policy.cameras, image_size=policy.image_sizes)
        seen = robot.observe()
        asked = [policy.inputs(seen)] * BATCH

        def step() -> None:
            policy.act(robot.observe())
            robot.apply(Action())

        found = [timed("decision, pictures given", lambda: policy.act(seen), times)]
        if isinstance(vla, SmallVLA):
            usual, vla.decoding = vla.decoding, "one-by-one"
            found.append(timed("decision, pictures given, 8 tokens one by one", lambda: policy.act(seen), times))
            vla.decoding = usual
        return [
            *found,
            timed("decision and both views rendered", lambda: policy.act(robot.observe()), times),
            timed("whole control step: views, decision, envelope, physics", step, times),
            timed(f"decision, pictures given, {BATCH} in a batch", lambda: vla.act(asked), times, BATCH),
            timed("sentence (once a skill)", lambda: vla.encode(SENTENCE), times),
        ]


def start_s(folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds from the folder to the first decision's prompt, everything being imported."""
    clock, processor = time.perf_counter(), time.process_time()
    load_vla(folder).encode(SENTENCE)
    return time.perf_counter() - clock, time.process_time() - processor


def page(folder: Path, started: tuple[float, float], found: Sequence[Timing], command: str) -> str:
    busy = os.getloadavg()[0]
    return "\n".join(
        [
            "# Speed of the policy",
            "",
            f"`{folder.name}`, weights SHA-256 `{weights_sha256(folder)}`; one thread; measured on {date.today()} with "
            f"`{command}` on {os.cpu_count()} cores with a load of {busy:.1f}.",
            "",
            f"From the folder to a policy that is ready, after import: {started[0]:.2f} s ({started[1]:.2f} s of CPU).",
            "",
            "| what | ms | a second | ms of CPU | a second of CPU |",
            "|---|---|---|---|---|",
            *(timing.row for timing in found),
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m forehand.studies.policy_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--checkpoint", type=Path, default=SHIPPED_CHECKPOINT)
    parser.add_argument("--times", type=int, default=200, help="decisions of each kind (default 200)")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE}")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    folder = given.checkpoint.resolve()
    started = start_s(folder)
    asked = sys.argv[1:] if arguments is None else arguments
    command = shlex.join(["python", "-m", "forehand.studies.policy_speed", *asked])
    text = page(folder, started, timings(load_vla(folder), given.times), command)
    print(text)
    if given.write:
        PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    with told_in_one_message():
        main()
