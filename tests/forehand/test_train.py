"""`forehand train`: recipes, what is refused and how, and a training that is killed and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from executor.learning.labels import LAYOUT
from executor.learning.on_policy import OnPolicyRun, append_run
from forehand.cli import main
from forehand.config import ConfigError
from forehand.training.config import TrainConfig
from forehand.training.curves import Curves
from forehand.training.folder import claimed, disk_shortage
from forehand.training.on_policy_rates import on_policy_rates
from forehand.training.reading import differences, read_recipe, recipe_names, recipe_path
from rt2.training.frames import Frames, write_shard
from rt2.training.trainer import Progress
from rt2.vla import load_vla
from skills.rates import Rate

FOREHAND = str(Path(sys.executable).parent / "forehand")
LONGEST_WAIT_S = 240.0
TINY = ["train", "tiny", "--set", "robot.workers=0", "--set", "training.text_share=0", "--set", "robot.frames=given"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def frames(count: int) -> Frames:
    rng = np.random.default_rng(0)
    made = np.zeros(count, LAYOUT.dtype)
    for name in LAYOUT.cameras:
        made[f"image.{name}"] = rng.integers(0, 256, made[f"image.{name}"].shape)
    made["state"] = rng.normal(size=made["state"].shape)
    made["sentence"] = b"pick up the red block"
    return made


# recipes


@pytest.mark.parametrize("name", recipe_names())
def test_each_recipe_can_be_read_and_says_what_it_is(name: str) -> None:
    assert read_recipe(recipe_path(name)).description


def test_the_shipped_recipe_fits_two_hours_and_two_cores() -> None:
    config = read_recipe(recipe_path("rt2-small"))
    assert config.training.minutes is not None
    assert config.training.minutes <= 115
    assert config.robot.workers == 1
    assert config.training.text_share > 0
    assert len(config.robot.collect.skills) == 7


def test_robot_only_is_the_same_without_vision_language_data() -> None:
    ours, alone = (read_recipe(recipe_path(name)).model_dump() for name in ("rt2-small", "robot-only"))
    changed = {line.partition(":")[0] for line in differences(ours, alone)}
    assert changed == {"name", "description", "training.text_share", "vision_language.examples"}


def test_settings_of_the_studies_can_be_set() -> None:
    changes = [
        "training.loss.pointing=0", "training.told_share=1.0", "robot.collect.policy_share=0", "model.language=minilm",
        "robot.collect.skills=[pick, press]", "training.minutes=10",
    ]  # fmt: skip
    config = read_recipe(recipe_path("rt2-small"), changes)
    assert config.training.loss.pointing == 0
    assert config.training.told_share == 1
    assert config.robot.collect.policy_share == 0
    assert config.model.language == "minilm"
    assert config.robot.collect.skills == ("pick", "press")


# what is refused

WRONG = {
    "a field that is none": (
        "training: {minutes: 5, bach: 3}",
        r"my.yaml:1: training.bach: no such field; did you mean 'batch'",
    ),
    "on its line": (
        "model: {}\ntraining:\n  minutes: 5\n  batch: few\n",
        r"my.yaml:4: training.batch: .*\(got 'few'\)",
    ),
    "deep": (
        "training: {minutes: 1}\nrobot:\n  collect:\n    worlds: 3\n",
        r"my.yaml:4: robot.collect.worlds: no such field",
    ),
    "in a list": (
        "training: {minutes: 1}\nvision_language:\n  datasets:\n  - {source: a}\n  - {source: b, wieght: 2}\n",
        r"my.yaml:5: vision_language.datasets.1.wieght: no such field; did you mean 'weight'",
    ),
    "no budget": ("training: {batch: 3}", r"my.yaml:1: training: a training needs a budget"),
    "no frames": ("training: {minutes: 1}\nrobot: {workers: 0}", r"my.yaml:2: robot: no robot frames"),
    "text from nowhere": ("training: {minutes: 1, text_share: 0.2}", r"neither examples nor datasets"),
    "not YAML": ("training: [", r"my.yaml: not YAML: .* line 1"),
    "not a mapping": ("- 1", r"a training is a mapping with the fields .*robot"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_recipe_is_refused_with_field_and_line(content: str, said: str) -> None:
    Path("my.yaml").write_text(content, "utf-8")
    with pytest.raises(ConfigError, match=said):
        read_recipe(Path("my.yaml"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("training.minuts=3", "--set training.minuts: no such field; did you mean 'minutes'"),
        ("training.minutes", "expected FIELD.FIELD=VALUE"),
        ("training.minutes=-1", r"--set training.minutes: .*greater than 0"),
        ("training.minutes.x=1", "there are no fields in 'training.minutes'"),
    ],
)
def test_a_wrong_change_is_refused(change: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_recipe(recipe_path("quick"), [change])


REFUSED = {
    "unknown recipe": (["train", "rt2-smal"], "did you mean 'rt2-small'"),
    "no file": (["train", "my/own.yaml"], "recipes that ship: quick, "),
    "nothing": (["train"], "which training"),
    "nothing to resume": (["train", "tiny", "--resume", "--folder", "x"], "no training to go on with"),
    "no frames there": ([*TINY, "--folder", "x"], "no frames (*.npy) in given"),
    "no dataset": (["train", "tiny", "--set", "robot.datasets=[nowhere]", "--folder", "x"], "nowhere"),
    "unknown device": (["train", "tiny", "--device", "tpu"], "no device 'tpu'; have: cpu, cuda"),
    "unknown skill": (["train", "tiny", "--set", "robot.collect.skills=[pic]", "--folder", "x"], "did you mean 'pick'"),
    "unknown number": (
        ["train", "tiny", "--set", "training.loss.emphasis={far: 2}", "--folder", "x"],
        "no auxiliary number 'far'; have",
    ),
    "half a late part": (["train", "tiny", "--set", "training.late_batch=32", "--folder", "x"], "go together"),
    "tuning of nothing": (["train", "tiny", "--set", "tuning.rank=4"], "tuning is for model.backbone"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_refused_with_one_message_and_nothing_left(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["forehand", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    shown = capsys.readouterr().err
    assert left.value.code == 2
    assert said in shown
    assert "Traceback" not in shown
    assert list(Path().iterdir()) == []


def test_too_few_frames_and_nobody_to_collect_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shard(Path("given"), frames(10))
    monkeypatch.setattr("sys.argv", ["forehand", *TINY, "--folder", "x"])
    with pytest.raises(SystemExit):
        main()
    assert "10 robot frames are given, but training.least_frames is 40" in capsys.readouterr().err


def test_a_folder_belongs_to_one_training_in_one_process() -> None:
    config = read_recipe(recipe_path("tiny"))
    with claimed(Path("run"), config) as begun:
        assert not begun
        with pytest.raises(ConfigError, match="running there already"), claimed(Path("run"), config):
            pass
    with claimed(Path("run"), config) as begun:
        assert begun
    other = read_recipe(recipe_path("tiny"), ["training.batch=4", "robot.collect.seed=1"])
    with pytest.raises(ConfigError, match=r"training.batch: was 8, is 4") as refused, claimed(Path("run"), other):
        pass
    assert "robot.collect.seed: was 0, is 1" in str(refused.value)


def test_a_short_disk_is_told_before(tmp_path: Path) -> None:
    config = read_recipe(recipe_path("quick"), ["robot.collect.most_frames_total=10000000000"])
    assert "of disk are free" in (disk_shortage(tmp_path, config) or "")
    assert disk_shortage(tmp_path, config.model_copy(update={"robot": TrainConfig.model_validate(
        {"training": {"minutes": 1}, "robot": {"workers": 0, "frames": "x"}}).robot})) is None  # fmt: skip


# what is kept


def test_what_a_killed_process_logged_beyond_its_last_save_is_cut_off(tmp_path: Path) -> None:
    curves = Curves(tmp_path, 0)
    assert curves.has_board
    for samples in (8, 16, 24):
        curves.add(Progress(samples, samples // 8, 0.1, 1.0, 9.0, 8.0, 40, {"action": 1.0}), {"pick": Rate.of(1, 2)}, 1)
    curves.close()
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"samples": 3')
    Curves(tmp_path, 16).close()
    kept = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["samples"] for line in kept] == [8, 16]
    assert kept[0]["on_policy"] == {"pick": {"k": 1, "n": 2}}
    assert any((tmp_path / "tensorboard").iterdir())


def test_on_policy_rates_count_the_last_seconds_of_collecting(tmp_path: Path) -> None:
    for ended, skill, succeeded in ((1010.0, "pick", False), (1020.0, "pick", True), (1030.0, "press", False)):
        append_run(tmp_path, OnPolicyRun(ended, skill, succeeded, "terminated", 9, "000001"))
    with (tmp_path / "on_policy.jsonl").open("a") as file:
        file.write('{"time": 40, "sk')
    rates = on_policy_rates(tmp_path, 15.0)
    assert {skill: (rate.k, rate.n) for skill, rate in rates.items()} == {"pick": (1, 1), "press": (0, 1)}


# a whole training


WHOLE = [*TINY, "--set", "training.samples=480", "--set", "training.save_s=0.1", "--folder", "run"]


def interrupted(number: signal.Signals, least_samples: int) -> tuple[int, str]:
    """Exit code and output of a training that gets a signal once it has saved so many samples."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [FOREHAND, *WHOLE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    deadline = time.monotonic() + LONGEST_WAIT_S
    while saved_samples() < least_samples and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(number)
    shown = process.communicate(timeout=LONGEST_WAIT_S)[0]
    return process.returncode, shown


def saved_samples() -> int:
    state = Path("run/trainer.pt")
    return torch.load(state, weights_only=True)["counts"]["samples"] if state.exists() else 0


@pytest.mark.timeout(600)
def test_stopped_and_killed_it_goes_on_and_ends_with_a_checkpoint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shard(Path("given"), frames(60))
    code, shown = interrupted(signal.SIGINT, 1)
    stopped = saved_samples()
    assert code == 130, shown
    assert f"stopped at {stopped} samples; the same command goes on" in shown

    code, shown = interrupted(signal.SIGKILL, stopped + 1)
    killed = saved_samples()
    assert code == -signal.SIGKILL, shown
    assert "going on with tiny" in shown
    assert stopped < killed < 480

    monkeypatch.setattr("sys.argv", ["forehand", *WHOLE])
    for said in ("going on with tiny", "this training is finished"):
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == 0
        assert said in capsys.readouterr().out
    logged = [json.loads(line)["samples"] for line in Path("run/log.jsonl").read_text().splitlines()]
    assert logged == sorted(set(logged))
    assert logged[-1] == saved_samples() == 480
    checkpoint = Path("run/checkpoint")
    assert load_vla(checkpoint).contract.state == LAYOUT.state
    facts = json.loads((checkpoint / "training.json").read_text())
    assert (facts["samples"], facts["recipe"], facts["robot_frames"]) == (480, "tiny", 60)
    card = (checkpoint / "README.md").read_text()
    assert yaml.safe_load(card.split("---")[1])["license"] == "apache-2.0"
    assert "| samples | 480 in 60 steps |" in card
    ours, theirs = (read_recipe(Path("run") / name).model_dump() for name in ("config.yaml", "checkpoint/train.yaml"))
    assert differences(ours, theirs) == []
