"""Fine-tuning as a run: killed and resumed it ends where it would have; its folders are whole or refused in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from backbone_cases import act_inputs, backbone_contract, demonstrations, shards, tune_config

from rt2.backbones.checkpoint import load_backbone
from rt2.backbones.tiny import write_tiny_backbone
from rt2.backbones.tune_config import TuneConfig
from rt2.backbones.tuning import TuneProgress, learning_rate, tune
from rt2.errors import CheckpointError, InputError
from rt2.training.frames import ShardReader
from rt2.vla import load_vla

FRAMES = demonstrations(pictures=4)


class KilledError(Exception):
    pass


def killed_after(step: int) -> Callable[[TuneProgress], None]:
    def progress(told: TuneProgress) -> None:
        if told.step == step:
            raise KilledError

    return progress


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_backbone("llava", tmp_path_factory.mktemp("base") / "llava")


@pytest.fixture(scope="module")
def tuned(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps by LoRA."""
    folder = tmp_path_factory.mktemp("run")
    tune(tune_config(base, steps=2, batch=2), backbone_contract(), shards(folder / "frames", FRAMES), [], folder)
    return folder / "policy/000002"


@pytest.mark.parametrize("adapt", ["lora", "full"])
def test_a_killed_run_resumes_and_ends_where_it_would_have(adapt: str, base: Path, tmp_path: Path) -> None:
    config = tune_config(base, adapt=adapt, steps=5, batch=4, accumulate=2, checkpoint_every=2, state="text")
    contract, frames = backbone_contract(), shards(tmp_path / "frames", FRAMES)
    whole = tune(config, contract, frames, [], tmp_path / "whole")
    with pytest.raises(KilledError):
        tune(config, contract, frames, [], tmp_path / "cut", killed_after(3))
    assert (tmp_path / "cut/policy/latest").read_text().strip() == "000002"
    steps: list[int] = []
    resumed = tune(config, contract, frames, [], tmp_path / "cut", lambda told: steps.append(told.step))
    assert steps == [3, 4, 5]
    for (name, mine), (_, theirs) in zip(whole.model.named_parameters(), resumed.model.named_parameters(), strict=True):
        assert np.array_equal(mine.detach().numpy(), theirs.detach().numpy()), name
    assert sorted(p.name for p in (tmp_path / "cut/policy").iterdir()) == ["000004", "000005", "latest"]
    assert [p.name for p in (tmp_path / "cut/state").iterdir()] == ["000005.pt"]


def test_a_stopped_run_has_saved_its_last_step_and_goes_on(base: Path, tmp_path: Path) -> None:
    config = tune_config(base, steps=3, batch=2, checkpoint_every=3)
    contract, frames, steps = backbone_contract(), shards(tmp_path / "frames", FRAMES), list[int]()
    asked = iter([False, True])
    tune(config, contract, frames, [], tmp_path / "run", lambda told: steps.append(told.step), lambda: next(asked))
    assert (tmp_path / "run/policy/latest").read_text().strip() == "000002"
    tune(config, contract, frames, [], tmp_path / "run", lambda told: steps.append(told.step))
    assert steps == [1, 2, 3]


def test_bf16_arithmetic_and_gradient_accumulation_run(base: Path, tmp_path: Path) -> None:
    config = tune_config(base, steps=1, batch=2, accumulate=2, precision="bf16", weights="bfloat16")
    told: list[TuneProgress] = []
    tuned = tune(config, backbone_contract(), shards(tmp_path / "f", FRAMES), [], tmp_path / "run", told.append)
    assert np.isfinite(told[-1].loss)
    assert tuned.act(act_inputs(tuned, FRAMES[:1])).shape == (1, 1, 8)


def test_another_runs_folder_is_not_continued(tuned: Path, base: Path, tmp_path: Path) -> None:
    frames = shards(tmp_path / "frames", FRAMES)
    with pytest.raises(InputError, match="choose another folder"):
        tune(tune_config(base, adapt="full"), backbone_contract(), frames, [], tuned.parent.parent)


def test_data_that_do_not_fit_are_refused_before_training(base: Path, tmp_path: Path) -> None:
    frames = shards(tmp_path / "frames", FRAMES)
    contract = backbone_contract()
    cameras = {"front": contract.cameras["front"], "roof": contract.cameras["wrist"]}
    with pytest.raises(InputError, match=r"no images of camera roof; they hold: image.front"):
        tune(tune_config(base), contract.model_copy(update={"cameras": cameras}), frames, [], tmp_path / "run")
    with pytest.raises(InputError, match="state has 3 entries, the contract 1"):
        tune(tune_config(base), contract.model_copy(update={"state": ("x",)}), frames, [], tmp_path / "run")
    with pytest.raises(InputError, match="nothing to learn from"):
        tune(tune_config(base), contract, ShardReader(tmp_path / "none", FRAMES.dtype), [], tmp_path / "run")
    with pytest.raises(CheckpointError, match="no vision-language model could be loaded"):
        tune(tune_config(tmp_path / "nowhere"), contract, frames, [], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_learning_rate_warms_up_and_falls_to_a_tenth() -> None:
    config = TuneConfig(backbone="x", steps=100, warmup=10, learning_rate=1.0)
    rates = [learning_rate(config, step) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0.1)


def cut(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])

    return damage


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def with_card(**changes: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        card = json.loads((folder / "backbone.json").read_text())
        (folder / "backbone.json").write_text(json.dumps({**card, **changes}))

    return damage


DAMAGES = {
    "weights cut": cut("adapter_model.safetensors"),
    "weights gone": without("adapter_model.safetensors"),
    "adapter's config cut": cut("adapter_config.json"),
    "tokenizer cut": cut("tokenizer.json"),
    "processor gone": without("processor_config.json"),
    "contract gone": without("action_contract.json"),
    "card cut": cut("backbone.json"),
    "another kind": lambda folder: (folder / "forehand.json").write_text('{"kind": "small"}'),
    "base gone": with_card(base="/nowhere/at/all"),
    "unknown entry": with_card(colour="red"),
    "another family": with_card(model_type="paligemma"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_foreign_folder_is_refused(damage: str, tuned: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tuned, tmp_path / "copy"))
    DAMAGES[damage](folder)
    with pytest.raises(CheckpointError):
        load_backbone(folder)


def test_an_adapter_is_refused_on_a_base_that_it_was_not_made_for(tuned: Path, tmp_path: Path) -> None:
    other = write_tiny_backbone("paligemma", tmp_path / "other")
    with pytest.raises(CheckpointError):
        load_backbone(tuned, base=str(other))


def test_a_base_model_that_moved_is_found_where_one_says(tuned: Path, base: Path, tmp_path: Path) -> None:
    frames = FRAMES[:2]
    before = load_vla(tuned)
    moved = Path(shutil.copytree(base, tmp_path / "moved"))
    after = load_backbone(tuned, base=str(moved))
    assert np.array_equal(before.act(act_inputs(before, frames)), after.act(act_inputs(after, frames)))  # type: ignore[arg-type]
    assert "base_model:" in (tuned / "README.md").read_text()
