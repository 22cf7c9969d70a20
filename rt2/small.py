"""rt2-small as a VLA: a checkpoint folder ↔ network, processor and contract, and greedy decoding of actions.

Not for: the network itself (rt2.modeling) or how it is trained (rt2.training).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging as transformers_logging

from rt2.action_contract import ActionContract
from rt2.action_tokens import ActionTokenizer
from rt2.configuration import FROZEN_WEIGHTS, RT2Config
from rt2.errors import CheckpointError, InputError, VLAError
from rt2.language import Heard
from rt2.minilm import load_minilm
from rt2.modeling import ACTION_TOKENS, RT2ForConditionalGeneration, Seen
from rt2.processing import RT2Processor
from rt2.prompts import checked_sentence
from rt2.vla import KIND_FILE, ActInput

Decoding: TypeAlias = Literal["parallel", "one-by-one"]

AutoConfig.register(RT2Config.model_type, RT2Config)
AutoModel.register(RT2Config, RT2ForConditionalGeneration)
AutoModelForImageTextToText.register(RT2Config, RT2ForConditionalGeneration)
AutoProcessor.register(RT2Config, RT2Processor)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class SmallPrompt:
    """A sentence as heard: tokens (t, text_width) and meaning (text_width,)."""

    tokens: Tensor
    meaning: Tensor


class SmallVLA:
    """rt2-small behind the VLA protocol. decoding: all 8 tokens in one pass, or one by one."""

    def __init__(
        self,
        model: RT2ForConditionalGeneration,
        processor: RT2Processor,
        contract: ActionContract,
        *,
        decoding: Decoding = "parallel",
    ) -> None:
        self.model = model
        self.model.train(False)
        self.processor = processor
        self.contract = contract
        self.decoding = decoding
        self._tokens = ActionTokenizer.own(processor.action_start, contract.dimensions, contract.bins)
        self._allowed = torch.tensor([d.is_flag for d in contract.dimensions])

    @torch.inference_mode()
    def encode(self, sentence: str) -> SmallPrompt:
        """Raises PromptError for an empty or over-long sentence."""
        ids, mask = self.processor.whole_prompt(checked_sentence(sentence))
        heard = self.model.listen(ids.to(self.model.device), mask.to(self.model.device))
        return SmallPrompt(heard.tokens[0], heard.meaning[0])

    @torch.inference_mode()
    def act(self, inputs: Sequence[ActInput]) -> NDArray[np.float32]:
        """(n, 1, 8). Raises InputError for pictures or state of another size, type or not finite."""
        device = self.model.device
        pictures = self.processor.pictures(_stacked(inputs))
        state = torch.from_numpy(np.stack([self._checked(x.state) for x in inputs]))
        heard = _batched([x.prompt for x in inputs])
        seen = self.model.look({k: v.to(device) for k, v in pictures.items()}, state.to(device), heard)
        bins = self.decode(seen).cpu().numpy()
        return self._tokens.from_bins(bins)[:, None].astype(np.float32)

    def decode(self, seen: Seen) -> Tensor:
        """(b, 8) greedy bins. Raises CheckpointError where the weights give no numbers."""
        if self.decoding == "parallel":
            return self._chosen(self.model.action_logits(seen), slice(None))
        return self._one_by_one(seen)

    def _one_by_one(self, seen: Seen) -> Tensor:
        memories, past = self.model.memories(seen), None
        before = torch.full((len(seen.queries), ACTION_TOKENS), -1, device=seen.queries.device)
        bins = []
        for k in range(ACTION_TOKENS):
            token = self.model.action_inputs(seen, before)[:, k : k + 1]
            hidden, past = self.model.decode_next(token, seen, memories, past)
            bins.append(self._chosen(self.model.action_head(hidden), slice(k, k + 1)))
            if k + 1 < ACTION_TOKENS:
                before[:, k + 1] = bins[-1][:, 0] + self.model.config.action_start
        return torch.cat(bins, dim=1)

    def _chosen(self, logits: Tensor, dimensions: slice) -> Tensor:
        """The likeliest bin of each dimension; a flag has only the first and the last."""
        if not bool(torch.isfinite(logits).all()):
            raise CheckpointError("the network gives numbers that are none: its weights are broken")
        best = logits.argmax(-1)
        last = logits.shape[-1] - 1
        flag = torch.where(logits[..., -1] > logits[..., 0], last, 0)
        return torch.where(self._allowed[dimensions].to(best.device), flag, best)

    def _checked(self, state: NDArray[np.float32]) -> NDArray[np.float32]:
        names = self.contract.state
        if state.shape != (len(names),):
            raise InputError(f"state must have {len(names)} entries ({', '.join(names)}), got shape {state.shape}")
        broken = [name for name, value in zip(names, state, strict=True) if not np.isfinite(value)]
        if broken:
            raise InputError(f"state is not finite: {', '.join(broken)}")
        return state.astype(np.float32)


def _stacked(inputs: Sequence[ActInput]) -> dict[str, NDArray[np.uint8]]:
    """Camera → (n, h, w, 3). Raises InputError where the inputs differ in cameras or sizes."""
    if not inputs:
        raise InputError("no inputs to act on")
    first = inputs[0].images
    for given in inputs:
        shapes = {name: (image.shape, image.dtype) for name, image in given.images.items()}
        if shapes != {name: (image.shape, image.dtype) for name, image in first.items()}:
            raise InputError(f"inputs of one batch differ in their pictures: {shapes}")
    return {name: np.stack([x.images[name] for x in inputs]) for name in first}


def _batched(prompts: Sequence[SmallPrompt]) -> Heard:
    if len(prompts) == 1:
        tokens = prompts[0].tokens[None]
        return Heard(
            tokens, torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device), prompts[0].meaning[None]
        )
    longest = max(len(p.tokens) for p in prompts)
    first = prompts[0].tokens
    tokens = first.new_zeros(len(prompts), longest, first.shape[1])
    mask = torch.zeros(len(prompts), longest, dtype=torch.bool, device=first.device)
    for k, prompt in enumerate(prompts):
        tokens[k, : len(prompt.tokens)] = prompt.tokens
        mask[k, : len(prompt.tokens)] = True
    return Heard(tokens, mask, torch.stack([p.meaning for p in prompts]))


def on_device(model: RT2ForConditionalGeneration, device: str) -> RT2ForConditionalGeneration:
    moved: RT2ForConditionalGeneration = model.to(torch.device(device))  # type: ignore[arg-type]  # wrapped untyped
    return moved


def save_small(folder: Path, vla: SmallVLA) -> None:
    """Weights, configuration, processor and contract into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    vla.model.save_pretrained(folder)
    vla.processor.save_pretrained(folder)
    vla.contract.save(folder)
    (folder / KIND_FILE).write_text(json.dumps({"kind": "small", "decoding": vla.decoding}) + "\n", encoding="utf-8")


def load_small(folder: Path, *, device: str = "cpu", decoding: Decoding | None = None) -> SmallVLA:
    """decoding: by default what it was trained for.

    Raises CheckpointError, naming the folder, for missing, truncated, foreign or broken files.
    """
    contract = ActionContract.load(folder)
    try:
        with _quietly():
            processor = RT2Processor.from_pretrained(folder)
            loaded: Any = RT2ForConditionalGeneration.from_pretrained(
                folder, dtype=torch.float32, output_loading_info=True, local_files_only=True
            )
    except VLAError:
        raise
    except Exception as error:
        raise CheckpointError(f"{folder}: cannot be loaded: {type(error).__name__}: {error}") from error
    model, found = loaded
    odd = [f"{name} ({what.removesuffix('_keys')})" for what, names in found.items() for name in map(str, names)]
    if odd:
        raise CheckpointError(f"{folder}: weights do not fit the network: {', '.join(sorted(odd)[:3])}")
    broken = [name for name, tensor in model.state_dict().items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise CheckpointError(f"{folder}: weights that are not numbers: {', '.join(broken[:3])}")
    _check_language(folder, model.config, processor)
    _check_contract(folder, model.config, processor, contract)
    return SmallVLA(on_device(model, device), processor, contract, decoding=decoding or _trained_for(folder))


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the loader's bars and reports: what is wrong is said by one error."""
    before = transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)


def _check_language(folder: Path, config: RT2Config, processor: RT2Processor) -> None:
    """Raises CheckpointError unless prompts will be heard as they were in training, by an encoder that is at hand."""
    if processor.language != config.language:
        raise CheckpointError(
            f"{folder}: the network listens with the language tower '{config.language}', "
            f"its processor prepares prompts for '{processor.language}'"
        )
    known = FROZEN_WEIGHTS.get(config.language)
    if config.language_sha256 != known:
        raise CheckpointError(
            f"{folder}: trained with language weights of sha256 {config.language_sha256}; have those of {known}"
        )
    if known is not None:
        load_minilm()


def _check_contract(folder: Path, config: RT2Config, processor: RT2Processor, contract: ActionContract) -> None:
    """Raises CheckpointError unless network, processor and contract speak of the same pictures, state and actions."""
    cameras = {name: (camera.width, camera.height) for name, camera in contract.cameras.items()}
    start = config.action_start
    for what, network, others in (
        ("cameras", _sizes(config.cameras), (_sizes(processor.cameras), cameras)),
        ("state", tuple(config.state), (contract.state,)),
        ("bins", config.bins, (contract.bins,)),
        ("numbers of an action", ACTION_TOKENS, (len(contract.dimensions),)),
        ("action tokens from", start, (processor.action_start, *contract.token_ids[:1])),
    ):
        for other in others:
            if other != network:
                raise CheckpointError(f"{folder}: its parts do not fit: {what}: the network's {network}, told {other}")


def _sizes(cameras: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(size) for name, size in cameras.items()}


def _trained_for(folder: Path) -> Decoding:
    kind = folder / KIND_FILE
    said = json.loads(kind.read_text(encoding="utf-8")) if kind.exists() else {}
    return "one-by-one" if said.get("decoding") == "one-by-one" else "parallel"
