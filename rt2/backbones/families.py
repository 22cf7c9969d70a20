"""What differs between families of vision-language models, as one table; a family that is not in it takes the last row.

Not for: telling models apart anywhere else; the rest of the package asks this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Views: TypeAlias = Literal["separate", "tiled"]


@dataclass(frozen=True)
class Family:
    """How one family wants its prompt.

    views: "separate" where a prompt may hold several images, "tiled" where all views become one picture.
    chat: whether the prompt goes through the processor's chat template, if it has one. answer_type: the token type id
    of an answer's tokens, for models that have token types.
    """

    views: Views
    chat: bool
    answer_type: int = 0


FAMILIES: Mapping[str, Family] = {
    "llava": Family(views="separate", chat=False),
    # Token type 0 is the prefix, in which every token sees every other; an answer is causal (arXiv 2407.07726).
    "paligemma": Family(views="separate", chat=False, answer_type=1),
}
ANY_OTHER = Family(views="tiled", chat=True)


def family_of(model_type: str) -> Family:
    """The row for a Hugging Face model type such as "llava"."""
    return FAMILIES.get(model_type, ANY_OTHER)
