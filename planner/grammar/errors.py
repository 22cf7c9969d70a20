"""What can come between an instruction and its goal: a bad input, a question to ask, an impossibility."""

from __future__ import annotations

from collections.abc import Sequence

REPHRASE = "Please say it in other words."


class InstructionError(ValueError):
    """The input is no instruction at all: empty, or far too long."""


class NeedsAnswer(Exception):  # noqa: N818 - not an error: the dialogue goes on
    """Understanding stops until the person says more. choices: possible answers, may be empty."""

    def __init__(self, text: str, choices: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.choices = tuple(choices)


class CannotBe(Exception):  # noqa: N818 - not an error: an answer
    """Understood, and no arrangement of this scene can satisfy it; the message says why."""
