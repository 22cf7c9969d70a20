"""Imports PyBullet without the line that it prints on standard error, in the middle of our own words."""

from __future__ import annotations

import os
import sys


def pybullet_without_banner() -> None:
    """PyBullet writes past Python's sys.stderr, so the descriptor itself looks away for a moment."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import pybullet  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
