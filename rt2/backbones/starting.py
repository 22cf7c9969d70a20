"""Where a fine-tuning run begins: at a base model, made ready to be tuned, or where the same run was interrupted.

LoRA (arXiv 2106.09685) on every linear layer, through peft; tokens that are overwritten get rows of their own to learn.
Not for: the training loop.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rt2.action_contract import ActionContract
from rt2.backbones.adapter import VLMBackbone, question_text
from rt2.backbones.checkpoint import BackboneCard, open_base
from rt2.backbones.mixture import FrameSource, survey
from rt2.backbones.prompting import Prompting, StateRanges, action_question
from rt2.backbones.tune_config import TuneConfig
from rt2.backbones.versions import latest_version, read_version
from rt2.backbones.vocabulary import choose_actions
from rt2.errors import InputError
from rt2.training.examples import TextExample


@dataclass(frozen=True)
class Start:
    """A trainable backbone, its card, steps done, and the optimiser's state after them, if any are."""

    backbone: VLMBackbone
    card: BackboneCard
    step: int
    optimizer: dict[str, Any] | None


def resume_or_start(
    config: TuneConfig, contract: ActionContract, frames: FrameSource, texts: Sequence[TextExample], folder: Path
) -> Start:
    """The newest version in `folder` if there is one, else the base model. Raises InputError for another run."""
    version = latest_version(folder)
    if version is None:
        return _fresh(config, contract, frames, texts)
    backbone, card, optimizer = read_version(folder, version)
    before = (card.base, card.adapt, backbone.contract.vocabulary, card.states is not None)
    now = (config.backbone, config.adapt, config.scheme, config.state == "text")
    if before != now:
        raise InputError(f"{folder} holds a run of {before}, not of {now}; choose another folder")
    kept = {"vocabulary": contract.vocabulary, "token_ids": contract.token_ids}  # which the tuning itself decides
    if backbone.contract.model_copy(update=kept) != contract:
        raise InputError(f"{folder} holds a run for another action contract; choose another folder")
    return Start(backbone, card, version, optimizer)


def _fresh(config: TuneConfig, contract: ActionContract, frames: FrameSource, texts: Sequence[TextExample]) -> Start:
    model, processor = open_base(config.backbone, config.weights)
    states, sentences = survey(frames, contract)
    ranges = StateRanges.covering(states) if config.state == "text" and len(states) else None
    prompting = Prompting(processor, model.config, views=config.views, states=ranges)
    asked = [*map(action_question, sentences), *(question_text(t.prompt) for t in texts)]
    words = [*asked, *(t.answer for t in texts)]
    actions = choose_actions(config.scheme, prompting, contract.dimensions, contract.bins, words)
    ids = tuple(actions.ids.tolist())
    decided = {"vocabulary": config.scheme, "token_ids": ids}
    contract = ActionContract.model_validate(contract.model_dump() | decided)  # the scheme may not suit it
    card = BackboneCard(
        adapt=config.adapt,
        base=config.backbone,
        model_type=model.config.model_type,
        weights=config.weights,
        views=prompting.views,
        states=ranges,
    )
    if config.adapt == "lora":
        model = _with_lora(model, config, ids)
    return Start(VLMBackbone(model, prompting, contract), card, 0, None)


def _with_lora(model: Any, config: TuneConfig, action_ids: Sequence[int]) -> Any:
    from peft import LoraConfig, get_peft_model

    adapters = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        target_modules="all-linear",
        trainable_token_indices=None if config.scheme == "integers" else _token_rows(model, action_ids),
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # of transformers, about its own use by peft
        return get_peft_model(model, adapters)


def _token_rows(model: Any, ids: Sequence[int]) -> dict[str, list[int]]:
    """Rows to learn, by module: of the input embeddings and, unless it shares them, of the output layer."""
    inputs, outputs = model.get_input_embeddings(), model.get_output_embeddings()
    learnt = [inputs] if outputs is None or outputs.weight is inputs.weight else [inputs, outputs]
    return {name: list(ids) for name, module in model.named_modules() if any(module is m for m in learnt)}
