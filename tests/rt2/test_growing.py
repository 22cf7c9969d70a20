"""Growing a trained network: nothing old changes, not in a single bit, and what is new can be learned and saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_rt2 import tiny_processor, tiny_vla

from rt2.growing import grown
from rt2.small import SmallVLA, load_small, save_small
from rt2.vla import ActInput
from rt2.vocabulary import make_tokenizer, with_words

STATE = ("tool_x", "tool_y")
CAMERAS = {"front": (32, 24), "wrist": (16, 16)}
OLD_WORDS = ("pick", "up", "the", "red", "block")
SENTENCE = "pick up the red block"
NEW_WORDS, NEW_CELLS = ("turn", "left", "Pick"), ("red block", "white pointer")


@pytest.fixture(scope="module")
def vla() -> SmallVLA:
    processor = tiny_processor(OLD_WORDS, CAMERAS, most_prompt_tokens=20)
    return tiny_vla(processor, STATE, cell_names=["table", "red block"])


@pytest.fixture(scope="module")
def taller(vla: SmallVLA) -> SmallVLA:
    return grown(vla, NEW_WORDS, NEW_CELLS)


def pictures() -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(3)
    return {
        name: torch.from_numpy(rng.integers(0, 256, (2, h, w, 3), dtype=np.uint8)) for name, (w, h) in CAMERAS.items()
    }


@torch.inference_mode()
def told(vla: SmallVLA, sentence: str = SENTENCE) -> dict[str, torch.Tensor]:
    """Everything that the network says of two observations."""
    heard = vla.model.listen(*vla.processor.prompts([sentence, sentence]))
    seen = vla.model.look(pictures(), torch.linspace(-1, 1, 4).reshape(2, 2), heard)
    names = vla.model.listen(*vla.processor.prompts(["table", "red block"], "ask")).meaning
    said = torch.tensor([[2, 5], [2, 530]])
    return {
        "memory": seen.memory, "auxiliary": seen.auxiliary, **{f"points {c}": p for c, p in seen.pointing.items()},
        "action": vla.model.action_logits(seen), "action told": vla.model.action_logits(seen, said.repeat(1, 4)),
        "text": vla.model.text_logits(seen, said), "cells": vla.model.cell_logits(seen, "front", names),
    }  # fmt: skip


def test_before_training_every_old_output_is_the_same_bit_for_bit(vla: SmallVLA, taller: SmallVLA) -> None:
    before, after = told(vla), told(taller)
    size = len(vla.processor.tokenizer)
    after["text"] = after["text"][..., :size]
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]), name


def test_no_new_word_is_answered_before_training(vla: SmallVLA, taller: SmallVLA) -> None:
    after = told(taller)["text"]
    assert after.shape[-1] == len(vla.processor.tokenizer) + 4
    assert bool((after.argmax(-1) < len(vla.processor.tokenizer)).all())


def test_new_words_get_ids_at_the_end_and_are_no_longer_spelled_out(vla: SmallVLA, taller: SmallVLA) -> None:
    old, new = vla.processor.tokenizer, taller.processor.tokenizer
    assert old.get_vocab().items() <= new.get_vocab().items()
    assert sorted(new.get_vocab().keys() - old.get_vocab().keys()) == ["left", "pointer", "turn", "white"]
    ids = taller.processor.prompts(["turn the white pointer left"])[0][0].tolist()
    assert len(ids) == 6
    assert taller.processor.prompts([SENTENCE])[0][0].tolist() == vla.processor.prompts([SENTENCE])[0][0].tolist()
    assert taller.model.config.cell_names == ["table", "red block", "white pointer"]
    assert taller.processor.most_prompt_tokens == vla.processor.most_prompt_tokens


def test_new_words_are_told_apart_and_all_of_it_can_be_trained(taller: SmallVLA) -> None:
    known = len(taller.processor.tokenizer)
    rows = taller.model.state_dict()["language.words.weight"][known - 4 :]
    assert float(torch.cdist(rows, rows)[~torch.eye(4, dtype=torch.bool)].min()) > 1.0
    assert all(parameter.requires_grad for parameter in taller.model.parameters())


def test_a_grown_network_survives_saving(taller: SmallVLA, tmp_path: Path) -> None:
    save_small(tmp_path, taller)
    loaded = load_small(tmp_path)
    sentence = "turn the white pointer left"
    again = told(loaded, sentence)
    for name, tensor in told(taller, sentence).items():
        torch.testing.assert_close(tensor, again[name], rtol=0, atol=1e-5)
    state, images = np.zeros(2, np.float32), {c: p[0].numpy() for c, p in pictures().items()}
    assert loaded.act([ActInput(images, state, loaded.encode(sentence))]).shape == (1, 1, 8)


def test_the_original_is_left_alone(vla: SmallVLA) -> None:
    before = {name: tensor.clone() for name, tensor in vla.model.state_dict().items()}
    other = grown(vla, ["more"], [])
    with torch.no_grad():
        for parameter in other.model.parameters():
            parameter.add_(1.0)
    assert vla.model.config.cell_names == ["table", "red block"]
    assert all(torch.equal(tensor, before[name]) for name, tensor in vla.model.state_dict().items())


@settings(deadline=None, max_examples=20)
@given(st.lists(st.text(st.characters(categories=("L", "N")), max_size=8), max_size=5))
def test_known_sentences_are_read_as_before_whatever_words_come(words: list[str]) -> None:
    old = make_tokenizer(OLD_WORDS)
    new = with_words(old, words)
    assert old(SENTENCE)["input_ids"] == new(SENTENCE)["input_ids"]
    assert sorted(new.get_vocab().values()) == list(range(len(new)))
    assert make_tokenizer(OLD_WORDS).get_vocab() == old.get_vocab()
