"""The four kinds of prompt.

After RT-2's interleaved formats (arXiv 2307.15818, section 3): one text goes in, and the kind decides what can
come out.
Not for: how words become ids (rt2.vocabulary).
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from rt2.errors import PromptError

PromptKind: TypeAlias = Literal["act", "plan", "ask", "locate"]
KINDS: tuple[PromptKind, ...] = get_args(PromptKind)
LONGEST_SENTENCE = 300  # characters; a skill's sentence has some thirty


def checked_sentence(sentence: str) -> str:
    """The sentence in lower case with single spaces. Raises PromptError for an empty or over-long one, or no text."""
    if not isinstance(sentence, str):
        raise PromptError(f"a sentence must be text, not {type(sentence).__name__}")
    if any("\ud800" <= letter <= "\udfff" for letter in sentence):
        raise PromptError(f"a sentence must be text that can be written as UTF-8, not {sentence[:60]!r}")
    tidy = " ".join(sentence.lower().split())
    if not tidy:
        raise PromptError("an empty sentence tells the VLA nothing; expected a command like 'pick up the red block'")
    if len(tidy) > LONGEST_SENTENCE:
        raise PromptError(
            f"a sentence of {len(tidy)} characters; a skill's sentence has at most {LONGEST_SENTENCE} "
            "(long instructions are for the planner)"
        )
    return tidy
