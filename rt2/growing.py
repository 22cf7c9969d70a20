"""Growing a trained rt2-small: new words and new names for what cells show, at the end, everything else as it was.

Before any further training the grown network answers bit for bit as the old one did, to sentences of words that the
old one knew. Not for: the training that follows (rt2.training.trainer).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from rt2.modeling import RT2Network
from rt2.processing import SmallProcessor
from rt2.small import SmallVLA
from rt2.vocabulary import with_words

HEARD_SPREAD = 0.5  # of a word's numbers where nothing is known of it, as rt2.language begins


def grown(vla: SmallVLA, words: Iterable[str], cell_names: Sequence[str], *, seed: int = 0) -> SmallVLA:
    """A copy of `vla` that also knows these words whole, and these names of what a cell of a picture may show.

    What it knows already is left out. seed: decides the first numbers of the new words.
    """
    old, config = vla.model, copy.deepcopy(vla.model.config)
    tokenizer = with_words(vla.processor.tokenizer, {*words, *(word for name in cell_names for word in name.split())})
    processor = SmallProcessor(
        tokenizer,
        cameras=vla.processor.cameras,
        most_prompt_tokens=vla.processor.most_prompt_tokens,
        language=vla.processor.language,
    )
    config.vocab_size = len(tokenizer)
    config.cell_names = [*config.cell_names, *(name for name in cell_names if name not in config.cell_names)]
    model = RT2Network(config)
    model.load_state_dict(_grown_weights(old, config.vocab_size, seed))
    return SmallVLA(model.to(old.device), processor, vla.contract, decoding=vla.decoding)


def _grown_weights(old: RT2Network, vocabulary: int, seed: int) -> dict[str, Tensor]:
    state = old.state_dict()
    for key, new in (("language.words.weight", _heard_rows), ("embed.weight", _said_rows)):
        if key in state:  # a frozen encoder hears by features
            state[key] = torch.cat((state[key], new(state[key], vocabulary - len(state[key]), seed)))
    return state


def _heard_rows(known: Tensor, count: int, seed: int) -> Tensor:
    """A word heard for the first time must differ from all others, or it could not be told from them."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(count, known.shape[1], generator=generator) * HEARD_SPREAD).to(known)


def _said_rows(known: Tensor, count: int, seed: int) -> Tensor:  # noqa: ARG001 - nothing is drawn
    """A word that has yet to be said is the mean of all: never the likeliest, so no answer changes."""
    return known.mean(0, keepdim=True).expand(count, -1)
