"""Pictures whose action depends on picture and sentence, and what it takes to tune a tiny backbone on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rt2.action_contract import ActionContract, standard_dimensions
from rt2.backbones.adapter import VLMBackbone
from rt2.backbones.tune_config import TuneConfig
from rt2.camera_contract import CameraContract
from rt2.training.frames import FrameLayout, Frames, ShardReader, write_shard
from rt2.vla import ActInput

STATE = ("tool_x", "tool_y", "opening")
SIZES = {"front": (48, 48), "wrist": (32, 24)}
COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220)}
LAYOUT = FrameLayout(cameras=SIZES, state=STATE, auxiliary=(), cell_names=())


def backbone_contract() -> ActionContract:
    mount = {"view_deg": 50.0, "eye_m": (1.0, 0.0, 0.7), "target_m": (0.4, 0.0, 0.0), "up": (0.0, 0.0, 1.0)}
    cameras = {n: CameraContract.model_validate({"width": w, "height": h, **mount}) for n, (w, h) in SIZES.items()}
    return ActionContract(dimensions=standard_dimensions(), vocabulary="own", cameras=cameras, state=STATE)


def demonstrations(pictures: int = 16, seed: int = 0) -> Frames:
    """(2 · pictures,) frames: each picture twice, with a sentence for the one and for the other block in it.

    The state says nothing; which action is right is in the picture, and which block is meant in the sentence.
    """
    random = np.random.default_rng(seed)
    frames = np.zeros(2 * pictures, LAYOUT.dtype)
    for place in range(pictures):
        image = np.full((48, 48, 3), random.integers(60, 256, 3), np.uint8)
        corners = (random.integers(0, 18, 2), random.integers(22, 36, 2))
        for (x, y), paint in zip(corners, COLOURS.values(), strict=True):
            image[y : y + 12, x : x + 12] = paint
        for colour, (x, y) in zip(COLOURS, corners, strict=True):
            frame = frames[2 * place + list(COLOURS).index(colour)]
            frame["image.front"], frame["image.wrist"] = image, image[12:36, 8:40]
            frame["state"] = (0.4, 0.0, 0.08)
            frame["sentence"] = f"pick up the {colour} block".encode()
            turn = random.uniform(-0.25, 0.25)
            frame["action"] = (x % 2, x / 360 - 0.05, y / 360 - 0.05, -0.03, 0.0, 0.0, turn, y % 2)
    return frames


def shards(folder: Path, frames: Frames) -> ShardReader:
    write_shard(folder, frames)
    reader = ShardReader(folder, frames.dtype)
    reader.refresh()
    return reader


def tune_config(base: Path, **changes: Any) -> TuneConfig:
    usual = {"backbone": str(base), "device": "cpu", "batch": 32, "learning_rate": 1e-2, "warmup": 5, "state": "none"}
    return TuneConfig.model_validate({**usual, **changes})


def act_inputs(backbone: VLMBackbone, frames: Frames) -> list[ActInput]:
    return [
        ActInput(
            images={name: frame[f"image.{name}"] for name in SIZES},
            state=frame["state"],
            prompt=backbone.encode(bytes(frame["sentence"]).decode()),
        )
        for frame in frames
    ]


def decoded_exactly(backbone: VLMBackbone, frames: Frames, actions: Sequence[Any]) -> NDArray[np.bool_]:
    """(n, 8) where an action (n, 1, 8) is what its frame's bins decode to."""
    wanted = backbone.actions.from_bins(backbone.actions.to_bins(frames["action"]))
    return np.isclose(np.asarray(actions)[:, 0], wanted, atol=1e-6)
