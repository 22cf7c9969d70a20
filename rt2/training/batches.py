"""Batches: frames and text examples as tensors.

Not for: which examples come when (rt2.training.mixture) or what is learned from them (rt2.training.losses).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rt2.action_tokens import ActionTokenizer
from rt2.processing import SmallProcessor, stacked
from rt2.prompts import PromptKind
from rt2.training.frames import Frames

MOST_KEPT = 50_000  # prompts; half a gigabyte of what the frozen encoder heard


@dataclass(frozen=True)
class RobotBatch:
    """pictures: camera → (b, h, w, 3) uint8; state (b, S); prompt and mask (b, t); bins (b, 8); points: camera →
    (b, 3); cells: camera → (b, cells); auxiliary (b, A)."""

    pictures: dict[str, Tensor]
    state: Tensor
    prompt: Tensor
    mask: Tensor
    bins: Tensor
    points: dict[str, Tensor]
    cells: dict[str, Tensor]
    auxiliary: Tensor


class Prompts:
    """Prompts as the network's language tower reads them, made once each: the frozen encoder is slow."""

    def __init__(self, processor: SmallProcessor) -> None:
        self._processor = processor
        self._known: dict[tuple[str, PromptKind], Tensor] = {}

    def __call__(self, sentences: Sequence[str], kind: PromptKind) -> tuple[Tensor, Tensor]:
        """(b, t) ids or (b, t, features), and their mask."""
        return self.mixed([(sentence, kind) for sentence in sentences])

    def mixed(self, prompts: Sequence[tuple[str, PromptKind]]) -> tuple[Tensor, Tensor]:
        """The same for prompts of several kinds."""
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._known]
        if new:
            if len(self._known) + len(new) > MOST_KEPT:
                self._known.clear()
                new = list(dict.fromkeys(prompts))
            self._known.update(zip(new, self._processor.prompt_rows(new), strict=True))
        return stacked([self._known[prompt] for prompt in prompts])


def robot_batch(frames: Frames, prompts: Prompts, tokens: ActionTokenizer, cameras: Sequence[str]) -> RobotBatch:
    """(b,) structured frames → tensors."""
    sentences = [bytes(s).decode("utf-8", "ignore") for s in frames["sentence"]]
    prompt, mask = prompts(sentences, "act")
    return RobotBatch(
        pictures={c: torch.from_numpy(np.ascontiguousarray(frames[f"image.{c}"])) for c in cameras},
        state=torch.from_numpy(np.ascontiguousarray(frames["state"])),
        prompt=prompt,
        mask=mask,
        bins=torch.from_numpy(tokens.to_bins(frames["action"])),
        points={c: torch.from_numpy(np.ascontiguousarray(frames[f"point.{c}"])) for c in cameras},
        cells={c: torch.from_numpy(frames[f"cells.{c}"].reshape(len(frames), -1).astype(np.int64)) for c in cameras},
        auxiliary=torch.from_numpy(np.ascontiguousarray(frames["auxiliary"])),
    )


def recoloured(pictures: dict[str, Tensor], strength: float, generator: torch.Generator) -> dict[str, Tensor]:
    """Float pictures 0..255 with brightness and each colour's share changed at random: lamps differ, tasks do not."""
    changed = {}
    for name, picture in pictures.items():
        count = len(picture)
        gain = 1 + strength * (2 * torch.rand(count, 1, 1, 3, generator=generator) - 1) * 0.5
        gain = gain * (1 + strength * (2 * torch.rand(count, 1, 1, 1, generator=generator) - 1))
        changed[name] = (picture.float() * gain.to(picture.device)).clamp(max=255)
    return changed
