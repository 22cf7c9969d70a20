"""rt2-small as a VLA: a checkpoint folder ↔ network, processor and contract, and greedy decoding of actions.

Not for: the network itself (rt2.modeling) or how it is trained (rt2.training).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CONFIG_NAME

from rt2.action_contract import ActionContract
from rt2.action_tokens import ActionTokenizer
from rt2.configuration import FROZEN_WEIGHTS, RT2Config
from rt2.dimensions import standard_dimensions
from rt2.errors import CheckpointError, InputError
from rt2.language import Heard
from rt2.minilm import load_minilm
from rt2.modeling import ACTION_TOKENS, RT2Network, Seen
from rt2.processing import SmallProcessor
from rt2.prompts import checked_sentence
from rt2.quiet import quietly
from rt2.vla import KIND_FILE, ActInput

Decoding: TypeAlias = Literal["parallel", "one-by-one"]

WEIGHTS_FILE = "model.safetensors"
MOST_STATE = 1e6  # metres, radians or newtons: no robot's
WRAPPED = "network."  # what names of weights begin with that rt2.auto has saved


@dataclass(frozen=True)
class SmallPrompt:
    """A sentence as heard: tokens (t, text_width) and meaning (text_width,)."""

    tokens: Tensor
    meaning: Tensor


class SmallVLA:
    """rt2-small behind the VLA protocol. decoding: all 8 tokens in one pass, or one by one."""

    def __init__(
        self,
        model: RT2Network,
        processor: SmallProcessor,
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
        self._flags = torch.tensor([d.is_flag for d in contract.dimensions])

    @torch.inference_mode()
    def encode(self, sentence: str) -> SmallPrompt:
        """Raises PromptError for a sentence that is empty, over-long or unreadable."""
        ids, mask = self.processor.whole_prompt(checked_sentence(sentence))
        heard = self.model.listen(ids.to(self.model.device), mask.to(self.model.device))
        return SmallPrompt(heard.tokens[0], heard.meaning[0])

    @torch.inference_mode()
    def act(self, inputs: Sequence[ActInput]) -> NDArray[np.float32]:
        """(n, 1, 8). Raises InputError for pictures, states or prompts of another kind, size or type, or not finite."""
        if not inputs:
            return np.zeros((0, 1, ACTION_TOKENS), np.float32)
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
        return torch.where(self._flags[dimensions].to(best.device), flag, best)

    def _checked(self, state: NDArray[np.float32]) -> NDArray[np.float32]:
        names = self.contract.state
        if not isinstance(state, np.ndarray):
            raise InputError(f"state must be a numpy array, not {type(state).__name__}")
        if state.shape != (len(names),):
            raise InputError(f"state must have {len(names)} entries ({', '.join(names)}), got shape {state.shape}")
        if state.dtype.kind not in "fiu":
            raise InputError(f"state must be numbers, got dtype {state.dtype}")
        broken = [name for name, value in zip(names, state, strict=True) if not np.isfinite(value)]
        if broken:
            raise InputError(f"state is not finite: {', '.join(broken)}")
        absurd = [name for name, value in zip(names, state, strict=True) if abs(value) > MOST_STATE]
        if absurd:
            raise InputError(f"state is beyond ±{MOST_STATE:g}: {', '.join(absurd)}")
        return state.astype(np.float32)


def _stacked(inputs: Sequence[ActInput]) -> dict[str, NDArray[np.uint8]]:
    """Camera → (n, h, w, 3). Raises InputError where the inputs differ in cameras or sizes, or are no pictures."""
    first = inputs[0].images
    for given in inputs:
        if not isinstance(given.prompt, SmallPrompt):
            raise InputError(f"a prompt must be what `encode` made of a sentence, not {type(given.prompt).__name__}")
        odd = [name for name, image in given.images.items() if not isinstance(image, np.ndarray)]
        if odd:
            raise InputError(f"the picture of camera '{odd[0]}' must be a numpy array of pixels")
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


def save_small(folder: Path, vla: SmallVLA) -> None:
    """Weights, configuration, processor and contract into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with quietly():
        vla.model.config.save_pretrained(folder)
        vla.processor.save(folder)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in vla.model.state_dict().items()}
    save_file(weights, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    vla.contract.save(folder)
    (folder / KIND_FILE).write_text(json.dumps({"kind": "small", "decoding": vla.decoding}) + "\n", encoding="utf-8")


def load_small(folder: Path, *, device: str = "cpu", decoding: Decoding | None = None) -> SmallVLA:
    """decoding: by default what it was trained for.

    Raises CheckpointError, naming the folder, for missing, truncated, foreign or broken files.
    """
    contract = ActionContract.load(folder)
    try:
        with quietly(), torch.random.fork_rng(devices=[]):
            processor = SmallProcessor.load(folder)
            model = RT2Network(_config(folder))
        weights = load_file(folder / WEIGHTS_FILE)
        starts = (processor.action_start, processor.location_start)
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(f"{folder}: cannot be loaded: {type(error).__name__}: {error}") from error
    if all(name.startswith(WRAPPED) for name in weights):
        weights = {name.removeprefix(WRAPPED): tensor for name, tensor in weights.items()}
    odd = _misfits(weights, model.state_dict())
    if odd:
        raise CheckpointError(f"{folder}: weights do not fit the network: {', '.join(odd[:3])}")
    broken = [name for name, tensor in weights.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise CheckpointError(f"{folder}: weights that are not numbers: {', '.join(broken[:3])}")
    model.load_state_dict(weights)
    _check_language(folder, model.config, processor)
    _check_contract(folder, model.config, processor, contract, starts)
    return SmallVLA(model.to(device), processor, contract, decoding=decoding or _trained_for(folder))


def _config(folder: Path) -> RT2Config:
    """Raises CheckpointError for another model's, ValueError and OSError for one that is missing or broken."""
    said = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
    kind = said.get("model_type") if isinstance(said, dict) else None
    if kind != RT2Config.model_type:
        raise CheckpointError(f"{folder / CONFIG_NAME}: is of a model of type {kind!r}, not '{RT2Config.model_type}'")
    config: RT2Config = RT2Config.from_dict(said)
    return config


def _misfits(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Names of weights that are missing, unexpected, of another shape or no floats, with which of these."""
    missing = [f"{name} (missing)" for name in wanted.keys() - weights.keys()]
    unexpected = [f"{name} (unexpected)" for name in weights.keys() - wanted.keys()]
    shapes = [
        f"{name} ({tuple(weights[name].shape)} instead of {tuple(wanted[name].shape)})"
        for name in wanted.keys() & weights.keys()
        if weights[name].shape != wanted[name].shape
    ]
    kinds = [f"{name} ({tensor.dtype})" for name, tensor in weights.items() if not tensor.is_floating_point()]
    return sorted([*missing, *unexpected, *shapes, *kinds])


def _check_language(folder: Path, config: RT2Config, processor: SmallProcessor) -> None:
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


def _check_contract(
    folder: Path, config: RT2Config, processor: SmallProcessor, contract: ActionContract, starts: tuple[int, int]
) -> None:
    """Raises CheckpointError unless network, processor and contract speak of the same pictures, state and actions.

    starts: the processor's first action and location token.
    """
    cameras = {name: (camera.width, camera.height) for name, camera in contract.cameras.items()}
    start, names = config.action_start, tuple(d.name for d in standard_dimensions())
    own = tuple(range(start, start + config.bins))
    for what, network, others in (
        ("cameras", _sizes(config.cameras), (_sizes(processor.cameras), cameras)),
        ("state", tuple(config.state), (contract.state,)),
        ("bins", config.bins, (contract.bins,)),
        ("numbers of an action", names, (tuple(d.name for d in contract.dimensions),)),
        ("vocabulary", "own", (contract.vocabulary,)),
        ("action and location tokens from", (start, config.location_start), (starts,)),
        ("action tokens", own, (tuple(contract.token_ids) or own,)),
        ("words", config.vocab_size, (len(processor.tokenizer),)),
    ):
        for other in others:
            if other != network:
                raise CheckpointError(f"{folder}: its parts do not fit: {what}: the network's {network}, told {other}")
    longest = processor.most_prompt_tokens
    if longest > config.most_prompt_tokens:
        raise CheckpointError(
            f"{folder}: its processor makes prompts of {longest} tokens, its network reads {config.most_prompt_tokens}"
        )


def _sizes(cameras: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(size) for name, size in cameras.items()}


def _trained_for(folder: Path) -> Decoding:
    kind = folder / KIND_FILE
    try:
        said = json.loads(kind.read_text(encoding="utf-8")).get("decoding", "parallel") if kind.exists() else "parallel"
    except (OSError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{kind}: cannot be read: {error}") from error
    if said not in get_args(Decoding):
        raise CheckpointError(f"{kind}: no decoding '{said}'; have: {', '.join(get_args(Decoding))}")
    return cast(Decoding, said)
