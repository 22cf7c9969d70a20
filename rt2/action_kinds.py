"""The kind of an action, in one word of 13: it ends; or its hand goes down, stays level or rises, aside or not, shut or
not.

rt2-small decides it before the tokens, and tells it to all of them. Tokens that are chosen in one pass, each for
itself, cannot agree: where it may be right to rise or to go on, half of them stay for the one and half for the other,
and the robot stands still. Not for: anything outside rt2-small; what is executed are the tokens.
"""

from __future__ import annotations

from torch import Tensor

KINDS = 13
ENDS = 0
_TERMINATE, _X, _Y, _Z, _GRIPPER = 0, 1, 2, 3, 7  # in RT-2's order of an action's numbers
_LITTLE = 0.1  # share of half a range: less counts as staying
_SHUT = 0.9  # share of the gripper's range


def kinds_of(bins: Tensor, count: int) -> Tensor:
    """(b, 8) bins out of `count` → (b,) kinds, 0 to 12; 0 is an action that terminates."""
    way = bins.float() * (2 / (count - 1)) - 1  # -1..1 over each range
    across = (way[:, (_X, _Y)].abs() > _LITTLE).any(-1)
    upward = (way[:, _Z] > _LITTLE).long() - (way[:, _Z] < -_LITTLE).long() + 1
    shut = way[:, _GRIPPER] > 2 * _SHUT - 1
    kind: Tensor = 1 + 4 * upward + 2 * across.long() + shut.long()
    return kind.where(way[:, _TERMINATE] < 0, ENDS)
