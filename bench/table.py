"""Writes docs/benchmarks.md from one interleaved run: `python -m bench.table [--rounds 60] [--out FILE]`.

Not for: single cases in detail (pytest-benchmark does that).
"""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path

from rich.progress import track

from bench import cases
from bench.timing import WARM_UP, interleaved_ms, middle_half, typical

OUT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
WANTED_RATIO = 3.5

HEAD = """# Speed of the simulated robot

Written by `make bench` (`python -m bench.table`). All cases of the table ran in one process, one call of each in turn,
{rounds} rounds, so that what slows the machine slows all alike. Processor time, which is time on the wall where nothing
else runs, as medians with the middle half of the calls in brackets.
Scene `{scene}`; {machine}.

| case | ms | of a control step with two views |
|---|---|---|
"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    with cases.our_cases() as ours, cases.panda_gym_cases() as theirs:
        rounds = track(range(options.rounds + WARM_UP), "Measuring", transient=True)
        times = interleaved_ms({**ours, **theirs}, rounds)
    text = written(times, options.rounds)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    print(text)


def written(times: dict[str, list[float]], rounds: int) -> str:
    """The page, from milliseconds by case."""
    ms = {name: typical(values) for name, values in times.items()}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [HEAD.format(rounds=rounds, scene=cases.SCENE, machine=machine).rstrip("\n")]
    for name, values in times.items():
        low, high = middle_half(values)
        lines.append(f"| {name} | {ms[name]:.2f} ({low:.2f}–{high:.2f}) | {ms[name] / ms[cases.STEP]:.2f} |")
    return "\n".join([*lines, "", *_against_panda_gym(ms), *_what_bounds(ms), ""])


def _against_panda_gym(ms: dict[str, float]) -> list[str]:
    if cases.PANDA_GYM not in ms:
        return ["panda-gym is not installed here (extra `bench`), so there is no comparison.", ""]
    ratio = ms[cases.PANDA_GYM] / ms[cases.STEP]
    return [
        "## Against panda-gym",
        "",
        f"A control step here, two views drawn, is **{ratio:.1f} times as fast** as panda-gym's step with one view of "
        f"the same size (the aim is {WANTED_RATIO}{'' if ratio >= WANTED_RATIO else ', which this run missed'}).",
        f"Without any view, panda-gym's step takes {ms[cases.PANDA_GYM_BLIND]:.2f} ms for 0.04 simulated seconds, ours "
        f"{ms[cases.STEP_BLIND]:.2f} ms for 0.1. Both draw with Bullet's TinyRenderer on the CPU "
        f'(`{cases.PANDA_GYM_TASK}`, `renderer="Tiny"`); the difference is what is drawn: panda-gym shows the arm\'s '
        "full meshes (about 100,000 faces) and a textured plane, our own cameras the arm's collision hulls (3,440).",
        "",
    ]


def _what_bounds(ms: dict[str, float]) -> list[str]:
    view = ms[cases.VIEWS["front"]]
    pixels = (ms[cases.LARGE_VIEW] - view) / 3  # four times the pixels, the same geometry
    geometry = view - pixels
    two_views = ms[cases.STEP] - ms[cases.STEP_BLIND]
    rest = ms[cases.WORLD_STEP] - ms[cases.RAW]
    above = ms[cases.STEP_BLIND] - ms[cases.WORLD_STEP]
    step = ms[cases.STEP]
    parts = {
        "physics (raw stepSimulation)": ms[cases.RAW],
        "kinematics, motor targets, contact sensing": rest,
        "envelope and proprioception": above,
        "geometry of the two views": two_views * geometry / view,
        "pixels of the two views": two_views * pixels / view,
    }
    largest = max(parts, key=lambda name: parts[name])
    return [
        "## What bounds a control step",
        "",
        "| part | ms | share |",
        "|---|---|---|",
        *(f"| {name} | {part:.2f} | {part / step:.0%} |" for name, part in parts.items()),
        "",
        f"It is bound by {largest}. The parts are differences of medians, so they need not add up exactly; pixels and "
        "geometry are told apart by drawing the front view at four times the pixels.",
        f"A step with two views takes {step / ms[cases.RAW]:.1f} times as long as raw stepSimulation alone, "
        f"one without views {ms[cases.STEP_BLIND] / ms[cases.RAW]:.1f} times.",
        f"Pictures for people are drawn afterwards, {ms[cases.VIDEO_FRAME]:.0f} ms each.",
    ]


if __name__ == "__main__":
    main()
