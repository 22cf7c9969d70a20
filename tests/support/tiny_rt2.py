"""rt2-small with a tiny network that was never trained, and a contract that fits its cameras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from rt2.action_contract import ActionContract, standard_dimensions
from rt2.camera_contract import CameraContract
from rt2.configuration import RT2Config
from rt2.modeling import RT2Network
from rt2.processing import SmallProcessor
from rt2.small import SmallVLA
from rt2.vocabulary import make_tokenizer

SIZES = {
    "width": 32, "layers": 1, "heads": 2, "text_width": 32, "fine_channels": 8, "coarse_channels": 16, "slots": 2,
    "auxiliary": ["far"],
}  # fmt: skip

Cameras = Mapping[str, tuple[int, int]]


def tiny_contract(cameras: Cameras, state: Sequence[str]) -> ActionContract:
    """Cameras of these sizes (width, height), all standing at one place."""
    views = {
        name: CameraContract(
            width=width, height=height, view_deg=50, eye_m=(1, 0, 1), target_m=(0.4, 0, 0), up=(0, 0, 1), link=None
        )
        for name, (width, height) in cameras.items()
    }
    return ActionContract(dimensions=standard_dimensions(), vocabulary="own", cameras=views, state=tuple(state))


def tiny_processor(words: Iterable[str], cameras: Cameras, **settings: Any) -> SmallProcessor:
    return SmallProcessor(make_tokenizer(words), cameras=cameras, **settings)


def tiny_vla(
    processor: SmallProcessor,
    state: Sequence[str],
    *,
    contract: ActionContract | None = None,
    seed: int = 0,
    **config: Any,
) -> SmallVLA:
    """Random weights of this seed. contract: by default one that fits; config: what of RT2Config is to differ."""
    torch.manual_seed(seed)
    settings = {
        "cameras": processor.cameras, "state": list(state), "vocab_size": len(processor.tokenizer),
        "action_start": processor.action_start, "location_start": processor.location_start, **SIZES, **config,
    }  # fmt: skip
    sizes = {name: (width, height) for name, (width, height) in processor.cameras.items()}
    model = RT2Network(RT2Config(**settings))
    return SmallVLA(model, processor, contract or tiny_contract(sizes, state))
