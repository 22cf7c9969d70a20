"""Which of a model's tokens stand for actions, chosen before it is fine-tuned.

Not for: the schemes themselves (rt2.action_tokens).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

from rt2.action_contract import Dimension
from rt2.action_tokens import ActionTokenizer
from rt2.backbones.prompting import Prompting
from rt2.errors import InputError

Scheme: TypeAlias = Literal["integers", "overwrite", "openvla"]


def choose_actions(
    scheme: Scheme, prompting: Prompting, dimensions: Sequence[Dimension], bins: int, texts: Iterable[str]
) -> ActionTokenizer:
    """Action tokens in the vocabulary of prompting's tokenizer.

    "overwrite" takes the tokens least used in `texts` (prompts and answers of the training data, whole, as a word's
    token may hold the space before it) and in the state's text. Raises InputError where the vocabulary has no room for
    the scheme.
    """
    tokenizer = prompting.processor.tokenizer
    if scheme == "integers":
        return ActionTokenizer.integers(tokenizer, dimensions, bins)
    if scheme == "overwrite":
        counts = _counts(tokenizer, prompting, texts)
        return ActionTokenizer.overwriting(tokenizer, dimensions, counts=counts, bins=bins)
    actions = ActionTokenizer.openvla(tokenizer.vocab_size, dimensions, bins)
    special = sorted({*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}.intersection(actions.ids.tolist()))
    if special:
        raise InputError(f"the last {bins} tokens hold special ones ({special[:8]}); use 'overwrite' instead")
    return actions


def _counts(tokenizer: Any, prompting: Prompting, texts: Iterable[str]) -> Counter[int]:
    counts = Counter(prompting.reserved_ids())
    for text in texts:
        counts.update(tokenizer.encode(text, add_special_tokens=False))
    return counts
