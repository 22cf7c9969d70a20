"""Language towers: a sentence → tokens for the decoder's memory, and one vector that tells vision what to look for.

`LearnedTower` is trained from nothing on token ids; `PretrainedTower` projects the features of a frozen sentence
encoder (rt2.minilm). Not for: tokenising, or what prompts look like (rt2.prompts).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rt2.configuration import RT2Config
from rt2.layers import EncoderLayer
from rt2.prompts import KINDS


@dataclass(frozen=True)
class Heard:
    """tokens (b, t, text_width), mask (b, t) True for real tokens, meaning (b, text_width)."""

    tokens: Tensor
    mask: Tensor
    meaning: Tensor


class LearnedTower(nn.Module):
    """An embedding and one transformer layer."""

    def __init__(self, config: RT2Config) -> None:
        super().__init__()
        width = config.text_width
        self.words = nn.Embedding(config.vocab_size, width)
        self.places = nn.Parameter(torch.randn(config.most_prompt_tokens, width) * 0.02)
        self.layer = EncoderLayer(width, 4)
        self.weigh = nn.Linear(width, 1)
        nn.init.normal_(self.words.weight, std=0.5)

    def forward(self, ids: Tensor, mask: Tensor) -> Heard:
        """ids (b, t), mask (b, t)."""
        tokens = self.layer(self.words(ids) + self.places[: ids.shape[1]], mask)
        return Heard(tokens, mask, _pooled(tokens, self.weigh(tokens), mask))


class PretrainedTower(nn.Module):
    """Projects what a frozen encoder heard: the whole sentence at place 0, its words after it.

    The sentence goes into the meaning directly too: it is what such an encoder was trained to make comparable.
    """

    def __init__(self, config: RT2Config) -> None:
        super().__init__()
        width = config.text_width
        self.sentence = nn.Linear(config.language_features, width)
        self.project = nn.Linear(config.language_features, width)
        self.kinds = nn.Parameter(torch.randn(len(KINDS), width) * 0.5)
        self.layer = EncoderLayer(width, 4)
        self.weigh = nn.Linear(width, 1)

    def forward(self, features: Tensor, mask: Tensor) -> Heard:
        """features (b, t, language_features + kinds): the encoder's, and a mark for the prompt's kind; mask (b, t)."""
        heard, kind = features[..., : -len(KINDS)], features[..., -len(KINDS) :]
        whole = self.sentence(heard[:, :1])
        tokens = torch.cat((whole, self.project(heard[:, 1:])), dim=1) + kind @ self.kinds
        tokens = self.layer(tokens, mask)
        return Heard(tokens, mask, _pooled(tokens, self.weigh(tokens), mask) + whole[:, 0])


def _pooled(tokens: Tensor, weights: Tensor, mask: Tensor) -> Tensor:
    share = weights.squeeze(-1).masked_fill(~mask, -1e4).softmax(-1)
    return (share.unsqueeze(1) @ tokens).squeeze(1)
