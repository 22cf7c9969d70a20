"""Decoding that cannot leave the action tokens: what an act prompt may be answered with, one token after another.

RT-2 (arXiv 2307.15818, section 3.2) restricts decoding to action tokens where the prompt asks for an action. Not for:
turning the tokens into numbers (rt2.action_tokens).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rt2.errors import InputError

if TYPE_CHECKING:
    import torch


def allowed_tokens_fn(
    prompt_length: int, places: Sequence[Sequence[int]], end_id: int
) -> Callable[[int, torch.Tensor], list[int]]:
    """For `prefix_allowed_tokens_fn` of transformers' `generate`: one token of each place in turn, then end_id.

    prompt_length: tokens that the decoder is given, padding included, so it is one number for a batch padded on the
    left; 0 where generate is given inputs_embeds alone. places: the tokens allowed at each place of the answer,
    `ActionTokenizer.allowed_ids()`, repeated for a chunk of actions. Give generate max_new_tokens=len(places) + 1, or
    len(places) to save the last step. Raises InputError for a place at which no token is allowed.
    """
    if prompt_length < 0:
        raise InputError(f"a prompt of {prompt_length} tokens")
    empty = [place for place, tokens in enumerate(places) if not tokens]
    if empty or not places:
        raise InputError(f"no token is allowed at places {empty} of {len(places)}")
    allowed = [*(list(tokens) for tokens in places), [end_id]]

    def allowed_next(_row: int, tokens: torch.Tensor) -> list[int]:
        place = len(tokens) - prompt_length
        if place < 0:
            raise InputError(f"the prompt was said to have {prompt_length} tokens, but has only {len(tokens)}")
        return allowed[min(place, len(allowed) - 1)]

    return allowed_next
