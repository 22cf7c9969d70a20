"""A tiny member of each family learns 32 demonstrations by heart, by LoRA and whole, in each scheme, and keeps them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from backbone_cases import act_inputs, backbone_contract, decoded_exactly, demonstrations, shards, tune_config

from rt2.backbones.tiny import write_tiny_backbone
from rt2.backbones.tuning import TuneProgress, tune
from rt2.training.examples import TextExample
from rt2.vla import load_vla

FRAMES = demonstrations()
DARK, LIGHT = np.full((48, 48, 3), 20, np.uint8), np.full((48, 48, 3), 235, np.uint8)
TEXTS = [
    TextExample({"image": DARK}, "ask", "is it dark?", "yes"),
    TextExample({"image": LIGHT}, "ask", "is it dark?", "no"),
]
FULL, LORA = {"adapt": "full", "learning_rate": 4e-3}, {"adapt": "lora", "learning_rate": 1e-2}
CASES = {
    "llava-overwrite-full-with-questions": ("llava", {**FULL, "scheme": "overwrite", "text_share": 0.1}),
    "llava-openvla-lora": ("llava-clip", {**LORA, "scheme": "openvla"}),
    "paligemma-integers-full": ("paligemma", {**FULL, "scheme": "integers", "state": "text"}),
    "paligemma-overwrite-lora": ("paligemma", {**LORA, "scheme": "overwrite"}),
}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", CASES)
def test_thirty_two_demonstrations_are_learnt_to_the_bin_and_survive_saving(case: str, tmp_path: Path) -> None:
    family, options = CASES[case]
    base = write_tiny_backbone(family, tmp_path / "base")
    config = tune_config(base, steps=150, until_loss=0.015, **options)
    texts = TEXTS if "questions" in case else []
    log: list[TuneProgress] = []
    tuned = tune(config, backbone_contract(), shards(tmp_path / "frames", FRAMES), texts, tmp_path / "run", log.append)
    inputs = act_inputs(tuned, FRAMES)
    actions = tuned.act(inputs)
    assert actions.shape == (32, 1, 8)
    assert decoded_exactly(tuned, FRAMES, actions).all(), log[-1]
    assert tuned.contract.vocabulary == config.scheme
    latest = (tmp_path / "run/policy/latest").read_text().strip()
    again = load_vla(tmp_path / "run/policy" / latest)
    assert np.array_equal(again.act(act_inputs(again, FRAMES)), actions)
    for text in texts:
        assert tuned.ask(list(text.images.values()), text.prompt) == text.answer
