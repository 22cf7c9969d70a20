"""Runs that a checkpoint drives: which one is recorded, and what cannot drive is refused before anything moves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import get_args

import pytest
from fake_vla import fake_contract
from safetensors.torch import load_file, save_file
from tiny_rt2 import tiny_processor, tiny_vla

from executor.learning.labels import LAYOUT
from executor.vla_inputs import IMAGE_SIZES, STATE
from forehand.assembly import POLICIES, start_run
from forehand.checkpoints import pinned, weights_sha256
from forehand.cli import main
from forehand.config import ConfigError, RunConfig
from forehand.defaults import DEFAULT_POLICY, PolicyName
from forehand.evaluation import evaluate_suite
from forehand.event_log import read_log
from forehand.events import RunStarted
from forehand.report import report_html
from forehand.suites import load_suite
from rt2.errors import CheckpointError
from rt2.small import save_small

GRAPH = {"steps": [{"id": "a", "do": "press(button)"}]}
SCENE = {"objects": ["red block", "button", "lamp"]}


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole checkpoint of a tiny network that was never trained."""
    processor = tiny_processor(["press", "the", "button", "pick", "up", "red", "block"], IMAGE_SIZES)
    vla = tiny_vla(
        processor, STATE, contract=fake_contract(), auxiliary=list(LAYOUT.auxiliary), cell_names=list(LAYOUT.cell_names)
    )
    folder = tmp_path_factory.mktemp("checkpoint")
    save_small(folder, vla)
    return folder


def config_of(checkpoint: Path | None, **changes: object) -> RunConfig:
    asked = {"graph": GRAPH, "scene": SCENE, "policy": "rt2", "checkpoint": checkpoint, "closed_loop": False}
    return RunConfig.model_validate({**asked, **changes})


def test_a_run_records_which_checkpoint_drove(untrained: Path, tmp_path: Path) -> None:
    result = start_run(config_of(untrained), folder=tmp_path / "run")
    digest = weights_sha256(untrained)
    kept = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert (kept["policy"], kept["checkpoint"], kept["checkpoint_sha256"]) == ("rt2", str(untrained), digest)
    events = read_log(tmp_path / "run" / "events.jsonl").events
    assert isinstance(events[0], RunStarted)
    assert events[0].policy == result.policy == "rt2"
    assert events[0].checkpoint == result.checkpoint == f"{untrained} (SHA-256 {digest[:12]})"
    assert {"torch", "transformers"} <= events[0].versions.keys()
    assert str(untrained) in report_html(events, result, "<svg/>", None, [])


def test_a_run_does_not_go_on_with_other_weights(untrained: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(untrained, tmp_path / "weights"))
    config = pinned(config_of(folder))
    weights = load_file(folder / "model.safetensors")
    name = next(iter(weights))
    save_file({**weights, name: weights[name] + 1}, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match="weights have changed"):
        pinned(config)
    assert pinned(config_of(folder)).checkpoint_sha256 != config.checkpoint_sha256


def test_an_evaluation_records_which_checkpoint_drove(untrained: Path, tmp_path: Path) -> None:
    tasks = f"- {{id: a, scene: {json.dumps(SCENE)}, instruction: pick up the blue block, expect: impossible}}\n"
    (tmp_path / "suite.yaml").write_text(tasks, "utf-8")
    suite = load_suite(str(tmp_path / "suite.yaml"))
    result = evaluate_suite(suite, config_of(untrained, graph=None, instruction="x"), workers=1)
    assert result.success.k == 1
    assert result.checkpoint.startswith(str(untrained))


def test_the_names_of_policies_are_those_that_can_be_wired() -> None:
    assert set(get_args(PolicyName)) == set(POLICIES)
    assert RunConfig.model_validate({"instruction": "x", "scene": SCENE}).policy == DEFAULT_POLICY


def truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def foreign(folder: Path) -> None:
    (folder / "forehand.json").unlink()


def not_numbers(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.is_floating_point())
    save_file({**weights, name: weights[name] * float("nan")}, folder / "model.safetensors", metadata={"format": "pt"})


def another_robot(folder: Path) -> None:
    fake_contract(rate_hz=50.0, gripper="1 open, 0 closed").save(folder)


def no_contract(folder: Path) -> None:
    (folder / "action_contract.json").unlink()


BROKEN = {
    "truncated": (truncated, ["cannot be loaded"]),
    "foreign": (foreign, ["not a checkpoint", "forehand.json"]),
    "weights that are no numbers": (not_numbers, ["not numbers"]),
    "another robot": (another_robot, ["wants a control rate of 50 Hz, the robot gives 10 Hz", "'0 open, 1 closed'"]),
    "no contract": (no_contract, ["action_contract.json"]),
}


@pytest.mark.parametrize(("breaking", "told"), BROKEN.values(), ids=BROKEN)
def test_a_checkpoint_that_cannot_drive_is_one_message_and_exit_code_2(
    breaking: object, told: list[str], untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = Path(shutil.copytree(untrained, tmp_path / "broken"))
    breaking(folder)  # type: ignore[operator]
    run = tmp_path / "run"
    words = ["run", "press the button", "--policy", "rt2", "--checkpoint", str(folder), "--out", str(run), "--no-video"]
    monkeypatch.setattr("sys.argv", ["forehand", *words])
    with pytest.raises(SystemExit) as left:
        main()
    shown = capsys.readouterr()
    assert left.value.code == 2
    assert shown.out == ""
    assert shown.err.startswith("forehand: error: ")
    assert all(part in shown.err for part in told)
    assert not run.exists()


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no checkpoint.*--policy expert"):
        pinned(config_of(tmp_path))
