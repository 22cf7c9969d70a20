"""The published schemas: the files in docs are what the code says, and what commands print fits them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from forehand.commands.schemas import SCHEMAS, schema_text

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "schemas"
FOREHAND = str(Path(sys.executable).parent / "forehand")
EXPERT = ("--policy", "expert")
SUITE = """
- {id: easy, scene: two-blocks, instruction: put the red block in the green bowl, goal: ["in(red block, green bowl)"]}
- {id: which, scene: two-blocks, instruction: pick up the block, expect: clarify}
- {id: none, scene: two-blocks, instruction: put the pink block in the green bowl, expect: impossible}
"""


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_file_in_docs_is_current(name: str) -> None:
    published = (PUBLISHED / f"{name}.schema.json").read_text("utf-8")
    assert published == schema_text(name) + "\n", (
        f"write it anew: forehand schema {name} > docs/schemas/{name}.schema.json"
    )


def printed(name: str, folder: Path, *arguments: str, exit_code: int = 0) -> dict:  # type: ignore[type-arg]
    done = subprocess.run([FOREHAND, *arguments, "--json"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == exit_code, done.stderr
    record = json.loads(done.stdout)
    jsonschema.validate(record, json.loads(schema_text(name)))
    return record


def test_what_run_prints_and_logs_fits(tmp_path: Path) -> None:
    wanted = "put the red block in the green bowl and pick up the blue block"
    record = printed("run", tmp_path, "run", wanted, "--scene", "two-blocks", *EXPERT, "--out", "kept", "--no-video")
    assert (record["outcome"], record["goal_reached"]) == ("succeeded", True)
    assert [record[part] for part in ("planner", "policy", "perception", "detector")] == [
        "language", "expert", "oracle", "scene",
    ]  # fmt: skip
    calls = [step["call"] for step in record["steps"]]
    assert calls == ["pick(red block)", "place_in(green bowl)", "pick(blue block)"]
    assert all(step["attempts"][-1]["verdict"]["status"] == "succeeded" for step in record["steps"])
    for line in (tmp_path / "kept" / "events.jsonl").read_text("utf-8").splitlines():
        jsonschema.validate(json.loads(line), json.loads(schema_text("event")))
    assert json.loads((tmp_path / "kept" / "result.json").read_text("utf-8")) == record
    for name in ("report.html", "graph.svg", "trace.jsonl", "run.json"):
        assert (tmp_path / "kept" / name).stat().st_size > 0


@pytest.mark.parametrize(
    ("instruction", "outcome", "exit_code"),
    [
        ("put the red block in the green bowl", "succeeded", 0),
        ("pick up the block", "clarify", 3),
        ("put the pink block in the green bowl", "impossible", 4),
    ],
)
def test_what_plan_prints_fits(instruction: str, outcome: str, exit_code: int, tmp_path: Path) -> None:
    record = printed("plan", tmp_path, "plan", instruction, "--scene", "two-blocks", exit_code=exit_code)
    assert record["outcome"] == outcome
    if record["graph"] is not None:
        jsonschema.validate(record["graph"], json.loads(schema_text("graph")))


@pytest.mark.parametrize("extra", [(), ("--plan-only",)], ids=["with a robot", "plan only"])
def test_what_eval_prints_fits(extra: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE, "utf-8")
    record = printed("eval", tmp_path, "eval", "suite.yaml", "--workers", "1", *EXPERT, *extra)
    assert {key: record["success"][key] for key in ("n", "k", "rate")} == {"n": 3, "k": 3, "rate": 1.0}
    assert record["success"]["wilson95"] == pytest.approx([0.4385, 1.0], abs=1e-4)
