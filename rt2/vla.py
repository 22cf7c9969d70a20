"""The VLA protocol: what every vision-language-action model answers to, whatever is inside, and loading one.

Not for: robots; the executor turns observations into ActInputs and actions back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rt2.action_contract import ActionContract
from rt2.errors import CheckpointError, InputError

Prompt: TypeAlias = Any  # whatever a VLA's `encode` returns; only that VLA reads it

KIND_FILE = "forehand.json"


@dataclass(frozen=True)
class ActInput:
    """One decision's input. images: camera → (h, w, 3) uint8 at the contract's sizes; state: (S,) float32, SI units."""

    images: Mapping[str, NDArray[np.uint8]]
    state: NDArray[np.float32]
    prompt: Prompt


class VLA(Protocol):
    """Maps pictures, state and a sentence to actions in the units of its contract."""

    contract: ActionContract

    def encode(self, sentence: str) -> Prompt:
        """A skill's sentence, once per call. Raises PromptError for one that is empty, over-long or unreadable."""
        ...

    def act(self, inputs: Sequence[ActInput]) -> NDArray[np.float32]:
        """(n, chunk, 8) greedy actions: terminate 0 or 1, metres, radians, closedness; for no inputs n is 0.

        Raises InputError for inputs it was not made for, CheckpointError where its weights give no numbers.
        """
        ...


def load_vla(folder: str | Path, *, device: str = "cpu") -> VLA:
    """The model of a checkpoint folder, ready to act.

    Raises CheckpointError, naming the path and what is wrong, and InputError for a device that there is not.
    """
    from rt2.small import load_small

    folder = Path(folder)
    check_torch_device(device)
    if not folder.is_dir():
        raise CheckpointError(f"no checkpoint folder at {folder}")
    kind = _kind(folder)
    if kind == "small":
        return load_small(folder, device=device)
    if kind == "backbone":
        from rt2.backbones.checkpoint import load_backbone

        return load_backbone(folder, device=device)
    raise CheckpointError(f"{folder / KIND_FILE}: no kind of checkpoint '{kind}'; have: small, backbone")


def check_torch_device(name: str) -> None:
    """Raises InputError, naming those there are, for a device of torch's that there is not."""
    import torch

    try:
        kind = torch.device(name).type
    except (RuntimeError, TypeError):
        kind = ""
    if kind not in ("cpu", "cuda"):
        raise InputError(f"no device {name!r}; have: cpu, cuda")
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError(f"no device '{name}' here: torch sees no CUDA; have: cpu")


def _kind(folder: Path) -> str:
    path = folder / KIND_FILE
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["kind"])
    except FileNotFoundError:
        found = ", ".join(sorted(p.name for p in folder.iterdir())[:8]) or "nothing"
        raise CheckpointError(
            f"{folder}: not a checkpoint of Forehand: it lacks {KIND_FILE} (found: {found})"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error
