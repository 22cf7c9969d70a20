"""What ends a training. Without torch, so that a command line can tell it from a bug cheaply."""

from __future__ import annotations


class TrainingError(ValueError):
    """A training that cannot go on; the message says why and what may help."""
