"""Restricted decoding on a tiny random language model: actions and nothing else, however it is decoded."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from rt2.action_tokens import ActionTokenizer
from rt2.decoding import allowed_tokens_fn
from rt2.errors import InputError

END, PAD = 1, 0
TOKENIZER = ActionTokenizer.own(60)
PLACES = TOKENIZER.allowed_ids()


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=400, **size, bos_token_id=2, eos_token_id=END, pad_token_id=PAD)
    return LlamaForCausalLM(config).eval()


def answers(model, prompt: torch.Tensor, places=PLACES, **options) -> torch.Tensor:
    """(n, tokens) of the answers alone."""
    restricted = allowed_tokens_fn(prompt.shape[1], places, END)
    mask = (prompt != PAD).long()
    written = model.generate(
        prompt, attention_mask=mask, prefix_allowed_tokens_fn=restricted, max_new_tokens=len(places) + 4, **options
    )
    return written[:, prompt.shape[1] :]


PROMPTS = torch.tensor([[PAD, PAD, 2, 5, 6], [2, 9, 10, 11, 12]])  # padded on the left


@pytest.mark.parametrize("options", [{"do_sample": False}, {"do_sample": True}, {"num_beams": 3, "do_sample": False}])
def test_an_answer_is_one_action_and_the_end(model, options):
    torch.manual_seed(1)
    written = answers(model, PROMPTS, **options)
    assert written.shape == (2, 9)
    assert written[:, 8].tolist() == [END, END]
    action = TOKENIZER.decode(written[:, :8].numpy())
    assert action.shape == (2, 8)
    assert np.isin(action[:, 0], (0.0, 1.0)).all()
    assert np.isin(written[:, 0], (60, 315)).all()


def test_unrestricted_it_would_write_other_tokens(model):
    written = model.generate(PROMPTS, attention_mask=(PROMPTS != PAD).long(), max_new_tokens=8, do_sample=False)
    assert not np.isin(written[:, 5:].numpy(), TOKENIZER.ids).all()


def test_greedy_takes_the_likeliest_allowed_token(model):
    prompt = PROMPTS[1:]
    written = answers(model, prompt, do_sample=False)[0]
    given = prompt[0]
    for place, tokens in enumerate(PLACES):
        with torch.no_grad():
            scores = model(given[None]).logits[0, -1]
        likeliest = max(tokens, key=lambda token: float(scores[token]))
        assert int(written[place]) == likeliest
        given = torch.cat([given, written[place : place + 1]])


def test_a_chunk_of_actions(model):
    written = answers(model, PROMPTS, PLACES * 2, do_sample=False)
    assert written.shape == (2, 17)
    assert TOKENIZER.decode(written[:, :16].reshape(2, 2, 8).numpy()).shape == (2, 2, 8)


def test_prompts_of_embeddings_count_no_tokens(model):
    embedded = model.get_input_embeddings()(PROMPTS[1:])
    restricted = allowed_tokens_fn(0, PLACES, END)
    written = model.generate(
        inputs_embeds=embedded,
        attention_mask=torch.ones(1, 5, dtype=torch.long),
        prefix_allowed_tokens_fn=restricted,
        max_new_tokens=9,
        do_sample=False,
    )
    assert written.tolist() == answers(model, PROMPTS[1:], do_sample=False).tolist()


@pytest.mark.parametrize(
    ("length", "places", "told"),
    [(-1, PLACES, "a prompt of -1 tokens"), (3, (), "no token is allowed"), (3, ((5,), ()), r"at places \[1\] of 2")],
)
def test_what_cannot_be_answered_is_refused(length, places, told):
    with pytest.raises(InputError, match=told):
        allowed_tokens_fn(length, places, END)


def test_a_prompt_shorter_than_said_is_refused(model):
    restricted = allowed_tokens_fn(9, PLACES, END)
    with pytest.raises(InputError, match="said to have 9 tokens, but has only 5"):
        model.generate(PROMPTS[1:], prefix_allowed_tokens_fn=restricted, max_new_tokens=9)
