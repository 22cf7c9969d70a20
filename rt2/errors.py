"""What the VLA refuses, by who has to act: whoever made the checkpoint, the inputs, or the sentence."""

from __future__ import annotations

from collections.abc import Sequence


class VLAError(ValueError):
    """Base of everything that the VLA refuses; the message is one that a person can act on."""


class CheckpointError(VLAError):
    """The checkpoint is missing, truncated, foreign or holds numbers that are none; the message names the path."""


class InputError(VLAError):
    """Images, state, actions or tokens that the VLA cannot take; the message names the offending entry."""


class PromptError(VLAError):
    """A sentence that is empty, longer than the VLA was made for, or holds what it cannot read."""


class ContractMismatch(VLAError):  # noqa: N818 - a finding about two sides, not a fault of one
    """The checkpoint was trained for another robot. differences: one sentence each, both sides printed."""

    def __init__(self, differences: Sequence[str]) -> None:
        self.differences = tuple(differences)
        super().__init__("the checkpoint does not fit the robot:\n" + "\n".join(f"  - {d}" for d in self.differences))

    def __reduce__(self) -> tuple[type[ContractMismatch], tuple[tuple[str, ...]]]:
        return type(self), (self.differences,)  # from one process to another
