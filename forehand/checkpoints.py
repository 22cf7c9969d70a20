"""Which checkpoint drives a run: found, fingerprinted, and pinned into the run's configuration.

Not for: reading a checkpoint (rt2.vla) or wiring its policy (forehand.assembly).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from forehand.config import ConfigError, RunConfig
from forehand.defaults import SHIPPED_CHECKPOINT
from rt2.errors import CheckpointError

WEIGHTS = "*.safetensors"
SHOWN_DIGITS = 12


def pinned(config: RunConfig) -> RunConfig:
    """The configuration with the path and the weights' SHA-256 of the checkpoint that it runs, where it runs one.

    Raises CheckpointError where there is none, ConfigError where the weights are not those that were pinned before.
    """
    if config.policy != "rt2":
        return config
    folder = (config.checkpoint or SHIPPED_CHECKPOINT).resolve()
    digest = weights_sha256(folder)
    if config.checkpoint_sha256 not in (None, digest):
        raise ConfigError(
            f"{folder}: its weights have changed since the run began: SHA-256 {digest[:SHOWN_DIGITS]}…, "
            f"then {(config.checkpoint_sha256 or '')[:SHOWN_DIGITS]}…"
        )
    return config.model_copy(update={"checkpoint": folder, "checkpoint_sha256": digest})


def weights_sha256(folder: Path) -> str:
    """Of the one file that small checkpoints have, of all in order for larger ones. Raises CheckpointError."""
    files = sorted(folder.glob(WEIGHTS))
    if not files:
        raise CheckpointError(
            f"{folder}: no checkpoint (it has no {WEIGHTS}); name one with --checkpoint, or let the scripted expert "
            "drive with --policy expert"
        )
    digest = hashlib.sha256()
    for path in files:
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def checkpoint_words(config: RunConfig) -> str:
    """Path and fingerprint of a pinned configuration's checkpoint; empty where no checkpoint drives."""
    if config.checkpoint is None:
        return ""
    return f"{config.checkpoint} (SHA-256 {(config.checkpoint_sha256 or 'unknown')[:SHOWN_DIGITS]})"
