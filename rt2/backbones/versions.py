"""The versions that a fine-tuning run leaves: checkpoint folders, the optimiser's state, and which one is the newest.

policy/latest is written last, so it never names what is not whole. Not for: what a checkpoint holds.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch

from rt2.backbones.adapter import VLMBackbone
from rt2.backbones.checkpoint import BackboneCard, load_backbone, read_card, save_backbone
from rt2.errors import CheckpointError

KEPT = 2  # a reader may still be loading the version before the newest


def write_version(
    folder: Path, step: int, backbone: VLMBackbone, card: BackboneCard, optimizer: dict[str, Any]
) -> None:
    """Version `step` of the run in `folder`; older ones than the last KEPT go."""
    save_backbone(backbone, card, folder / "policy" / _name(step))
    state = _state_file(folder, step)
    state.parent.mkdir(parents=True, exist_ok=True)
    partial = state.with_suffix(".partial")
    torch.save(optimizer, partial)
    os.replace(partial, state)
    pointer = folder / "policy" / "latest"
    partial = pointer.with_suffix(".partial")
    partial.write_text(_name(step) + "\n", "utf-8")
    os.replace(partial, pointer)
    for old in sorted(p for p in (folder / "policy").iterdir() if p.name.isdecimal())[:-KEPT]:
        shutil.rmtree(old)
    for old in sorted(p for p in state.parent.iterdir() if p != state):
        old.unlink()


def latest_version(folder: Path) -> int | None:
    """Steps done by the newest version; None where there is none. Raises CheckpointError for an unreadable pointer."""
    pointer = folder / "policy" / "latest"
    try:
        text = pointer.read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    if not text.isdecimal():
        raise CheckpointError(f"{pointer}: names no version: {text[:40]!r}")
    return int(text)


def read_version(folder: Path, step: int) -> tuple[VLMBackbone, BackboneCard, dict[str, Any]]:
    """Version `step`, ready to learn on. Raises CheckpointError where it cannot be read."""
    policy, state = folder / "policy" / _name(step), _state_file(folder, step)
    backbone = load_backbone(policy, trainable=True)
    try:
        optimizer: dict[str, Any] = torch.load(state, weights_only=True, map_location="cpu")
    except Exception as error:  # pickle raises anything
        raise CheckpointError(f"{state}: the optimiser's state cannot be read: {error}") from error
    return backbone, read_card(policy), optimizer


def _name(step: int) -> str:
    return f"{step:06d}"


def _state_file(folder: Path, step: int) -> Path:
    return folder / "state" / f"{_name(step)}.pt"
