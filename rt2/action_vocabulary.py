"""Which tokens of a vocabulary stand for action bins: RT-2's two schemes for a language model's own tokens.

RT-2 (arXiv 2307.15818, section 3.2): PaLI-X has a token for each integer and uses those of 0..255 as they are; PaLM-E
has none, so the 256 least used tokens are overwritten. Not for: numbers to bins (rt2.action_tokens).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rt2.errors import InputError

Ids = NDArray[np.int64]


class TextTokenizer(Protocol):
    """What is asked of a Hugging Face tokenizer."""

    @property
    def all_special_ids(self) -> list[int]: ...
    @property
    def added_tokens_decoder(self) -> Mapping[int, Any]: ...
    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]: ...
    def __len__(self) -> int: ...


def integer_ids(tokenizer: TextTokenizer, bins: int = 256) -> Ids:
    """(bins,) token of each integer 0..bins-1 as it is, bare or, where that is one token, after a space.

    Raises InputError naming the integers that are not single tokens of their own.
    """
    forms = [_single_tokens(tokenizer, [f"{lead}{number}" for number in range(bins)]) for lead in ("", " ")]
    ids = max(forms, key=len)
    if len(ids) < bins:
        refused = [number for number in range(bins) if number not in ids]
        shown = ", ".join(map(str, refused[:12])) + (", …" if len(refused) > 12 else "")
        raise InputError(
            f"{len(refused)} of the integers 0..{bins - 1} are no single tokens of this tokenizer: {shown}; "
            "use the vocabulary 'overwrite' instead"
        )
    return np.array([ids[number] for number in range(bins)], dtype=np.int64)


def least_used_ids(tokenizer: TextTokenizer, counts: Mapping[int, int] | None = None, bins: int = 256) -> Ids:
    """(bins,) ascending ids to overwrite: the least counted ones, equal ones from the end of the vocabulary.

    counts: how often each id occurs in some corpus; ids that are not in it never do. Without counts these are the last
    ids. Special and added tokens (<image>, <loc0001>, …) are never overwritten. Raises InputError if too few are left.
    """
    counts = counts or {}
    kept = _reserved(tokenizer)
    free = [token for token in range(len(tokenizer)) if token not in kept]
    if len(free) < bins:
        raise InputError(f"{bins} tokens are to be overwritten, but only {len(free)} are not special in this tokenizer")
    free.sort(key=lambda token: (counts.get(token, 0), -token))
    return np.array(sorted(free[:bins]), dtype=np.int64)


def chosen_ids(tokenizer: TextTokenizer, ids: Sequence[int], bins: int = 256) -> Ids:
    """(bins,) the given ids, in the given order. Raises InputError unless they may be overwritten and are distinct."""
    if len(ids) != bins or len(set(ids)) != bins:
        raise InputError(f"expected {bins} different token ids to overwrite, got {len(ids)}, {len(set(ids))} different")
    added = tokenizer.added_tokens_decoder
    special = {*tokenizer.all_special_ids, *(token for token in added if added[token].special)}
    wrong = [token for token in ids if token in special or not 0 <= token < len(tokenizer)]
    if wrong:
        raise InputError(f"tokens {wrong[:8]} cannot be overwritten: special, or not in 0..{len(tokenizer) - 1}")
    return np.array(ids, dtype=np.int64)


def _reserved(tokenizer: TextTokenizer) -> set[int]:
    return {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}


def _single_tokens(tokenizer: TextTokenizer, texts: Iterable[str]) -> dict[int, int]:
    """Place of a text → its token, for the texts that are one token which is not special and no other text's."""
    special = set(tokenizer.all_special_ids)
    found: dict[int, int] = {}
    taken: set[int] = set()
    for place, text in enumerate(texts):
        ids = tokenizer.encode(text, add_special_tokens=False)
        if len(ids) == 1 and ids[0] not in special and ids[0] not in taken:
            found[place] = ids[0]
            taken.add(ids[0])
    return found
