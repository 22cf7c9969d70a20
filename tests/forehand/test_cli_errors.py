"""What a person gets for bad input: one clear line on stderr, exit code 2, nothing half-written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from llm_loopback import LoopbackEndpoint, Reply, completion, refusal

from forehand.cli import main

SCENE = "{objects: [red block, blue bowl, drawer]}"
CYCLE = "steps: [{id: a, do: pick(red block), after: [b]}, {id: b, do: place_in(blue bowl), after: [a]}]"
UNBOUNDED = "steps: [{id: a, repeat: {steps: [{id: b, do: open(drawer)}]}, until: open(drawer)}]"
UNMET = "steps: [{id: a, do: place_in(blue bowl)}]"
UNKNOWN_SKILL = "steps: [{id: a, do: grab(red block)}]"
UNKNOWN_OBJECT = "steps: [{id: a, do: pick(green block)}]"
NO_GOAL = "[{id: a, scene: {objects: [red block]}, instruction: x, expect: goal}]"
ASKING = "{id: a, scene: two-blocks, instruction: x, expect: clarify}"
TWICE = f"[{ASKING}, {ASKING}]"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    (tmp_path / "scene.yaml").write_text(SCENE, "utf-8")


def refused(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What stderr says; the folder must be as it was."""
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    monkeypatch.setattr("sys.argv", ["forehand", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    return shown.err


BAD_INPUT = {
    "unknown scene": (["run", "pick up the red block", "--scene", "kitchn"], "did you mean 'kitchen-corner'"),
    "no instruction": (["run", "", "--scene", "scene.yaml"], "nothing to do"),
    "100 kB of instruction": (["run", "pick up the red block " * 4800, "--scene", "scene.yaml"], "4000 characters"),
    "unknown object": (["run", "--goal", "holding(green block)", "--scene", "scene.yaml"], "no object 'green block'"),
    "unknown literal": (["run", "--goal", "inside(red block)", "--scene", "scene.yaml"], "no literal 'inside'"),
    "broken literal": (["run", "--goal", "in(red block", "--scene", "scene.yaml"], "expected a form like"),
    "wrong type": (["run", "--goal", "open(red block)", "--scene", "scene.yaml"], "drawer"),
    "unknown planner": (["plan", "x", "--planner", "magic"], "'search', 'language' or 'llm'"),
    "unknown faults": (["run", "x", "--faults", "bad"], "standard"),
    "unknown suite": (["eval", "nothing"], "tabletop-long"),
    "no run folder": (["resume", "nowhere"], "no run folder"),
    "no graph file": (["graph", "check", "none.yaml"], "none.yaml"),
    "no skill file": (["plan", "x", "--skill", "none.py"], "no skill file"),
    "unknown schema": (["schema", "runs"], "did you mean 'run'"),
    "checkpoint of the expert": (["run", "x", "--policy", "expert", "--checkpoint", "."], "is for policy rt2"),
    "no checkpoint": (["run", "x", "--policy", "rt2", "--checkpoint", "none"], "no checkpoint"),
    "no endpoint": (["plan", "x", "--planner", "llm"], "OPENAI_BASE_URL"),
}


@pytest.mark.parametrize(("arguments", "said"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_arguments(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(arguments, monkeypatch, capsys)


BAD_FILES = {
    "cycle": (["graph", "run", "file.yaml"], CYCLE, "cycle|circle"),
    "unbounded repeat": (["graph", "check", "file.yaml"], UNBOUNDED, "at_most"),
    "precondition": (["graph", "run", "file.yaml"], UNMET, "holding"),
    "unknown skill": (["graph", "check", "file.yaml"], UNKNOWN_SKILL, "no skill 'grab'"),
    "unknown object": (["graph", "check", "file.yaml"], UNKNOWN_OBJECT, "no object 'green block'"),
    "not a suite": (["eval", "file.yaml"], "steps: []", "a suite is a list of tasks"),
    "not YAML": (["eval", "file.yaml"], "[}", "not YAML"),
    "empty suite": (["eval", "file.yaml"], "", "a suite is a list of tasks"),
    "goal task without goal": (["eval", "file.yaml"], NO_GOAL, "needs a goal"),
    "same id twice": (["eval", "file.yaml"], TWICE, "two tasks are called 'a'"),
    "bad scene": (["scene", "show", "file.yaml"], "objects: [mauve block]", "mauve"),
    "no scene": (["scene", "show", "file.yaml"], "[1, 2]", "objects"),
}


@pytest.mark.parametrize(("arguments", "content", "said"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files(
    arguments: list[str], content: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file.yaml").write_text(content, "utf-8")
    scene = ["--scene", "scene.yaml"] if arguments[0] == "graph" else []
    assert re.search(said, refused([*arguments, *scene], monkeypatch, capsys))


BAD_ENDPOINTS = {
    "answers 401": refusal(401, "bad key"),
    "answers 400": refusal(400, "no"),
    "half a JSON": completion('{"reasoning": "x", "goal": ["in(red'),
    "an object that is not there": completion({"reasoning": "x", "goal": ["in(pink block, blue bowl)"], "steps": []}),
    "an HTML page": Reply(b"<html>busy</html>", headers={"Content-Type": "text/html"}),
    "10 MB": Reply(b"x" * 10_000_000),
}


@pytest.mark.parametrize("reply", BAD_ENDPOINTS.values(), ids=BAD_ENDPOINTS)
def test_bad_endpoints_leave_nothing_behind(
    reply: Reply, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with LoopbackEndpoint(reply) as endpoint:
        arguments = [
            "run",
            "put the red block in the blue bowl",
            "--planner",
            "llm",
            "--scene",
            "scene.yaml",
            "--policy",
            "expert",
        ]
        assert refused([*arguments, "--base-url", endpoint.url, "--json"], monkeypatch, capsys)


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file, not a folder", "utf-8")
    arguments = [
        "run",
        "pick up the red block",
        "--scene",
        "scene.yaml",
        "--policy",
        "expert",
        "--out",
        str(taken / "run"),
    ]
    assert "taken" in refused(arguments, monkeypatch, capsys)
