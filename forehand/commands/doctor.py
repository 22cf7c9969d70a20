"""`forehand doctor`: what is installed, what works on this machine, and which endpoint answers."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

CORE = (
    "av", "langchain", "langchain-openai", "lark", "networkx", "openai", "pybullet", "pydantic", "torch",
    "transformers",
)  # fmt: skip
EXTRAS = {"test": "pytest", "bench": "panda-gym"}
MARK = {"ok": "[green]✓[/]", "missing": "[red]✗[/]", "note": "[yellow]-[/]"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. status: ok, missing (something needed does not work) or note (optional)."""

    what: str
    status: Literal["ok", "missing", "note"]
    detail: str


def doctor_command(base_url: str | None, *, as_json: bool) -> int:
    """Exit code 1 where something that Forehand needs does not work."""
    findings = [*_packages(), *(_tried(name, check) for name, check in CHECKS), *_endpoint(base_url)]
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        table = Table("", "what", "finding", title=f"Python {platform.python_version()} on {sys.platform}")
        for finding in findings:
            table.add_row(MARK[finding.status], escape(finding.what), escape(finding.detail))
        Console().print(table)
    return 1 if any(finding.status == "missing" for finding in findings) else 0


def _packages() -> list[Finding]:
    found = []
    for name in CORE:
        try:
            found.append(Finding(name, "ok", version(name)))
        except PackageNotFoundError:
            found.append(Finding(name, "missing", f"not installed; run: pip install {name}"))
    for extra, name in EXTRAS.items():
        try:
            found.append(Finding(f"extra '{extra}'", "ok", f"{name} {version(name)}"))
        except PackageNotFoundError:
            found.append(Finding(f"extra '{extra}'", "note", f"not installed; run: pip install 'forehand[{extra}]'"))
    return found


def _tried(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # whatever is broken here is what a person came to hear
        return Finding(name, "missing", f"{type(error).__name__}: {error}")


def _simulator() -> Finding:
    from robots.tabletop.scene_spec import SceneSpec
    from robots.tabletop.world import TabletopWorld

    with TabletopWorld(SceneSpec(objects=("red block",)), 0) as world:
        height_m = world.physical_state().objects["red block"].position_m[2]
    standing = abs(height_m - 0.02) < 0.005
    return Finding("simulator", "ok" if standing else "missing", f"a block rests at {height_m:.3f} m")


def _display() -> Finding:
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        return Finding("display", "note", "none: --gui cannot open a window, everything else works")
    return Finding("display", "ok", os.environ.get("DISPLAY", "native"))


def _encoder() -> Finding:
    import av

    return Finding("video encoder", "ok", f"h264: {av.codec.Codec('h264', 'w').name}")


CHECKS: tuple[tuple[str, Callable[[], Finding]], ...] = (
    ("simulator", _simulator),
    ("display", _display),
    ("video encoder", _encoder),
)


def _endpoint(base_url: str | None) -> list[Finding]:
    from planner.llm.model_list import check_endpoint

    url = base_url or os.environ.get("OPENAI_BASE_URL")
    if url is None and not os.environ.get("OPENAI_API_KEY"):
        missing = "no OPENAI_BASE_URL or OPENAI_API_KEY; planners search and language need none"
        return [Finding("language model", "note", missing)]
    status = check_endpoint(base_url)
    shown = ", ".join(status.models) or status.error
    return [Finding(f"language model at {status.url}", "ok" if status.models else "note", shown)]
