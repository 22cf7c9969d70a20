"""A tuned backbone as a folder: adapter or whole weights, processor, action contract, model card.

forehand.json says that it is a backbone; backbone.json says of which base model, and how prompts are written.
Not for: rt2-small's checkpoints, or the optimiser's state (rt2.backbones.tuning).
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
import warnings
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from transformers import AutoModelForImageTextToText, AutoProcessor

from rt2.action_contract import ActionContract
from rt2.backbones.adapter import VLMBackbone
from rt2.backbones.families import Views
from rt2.backbones.prompting import Prompting, StateRanges
from rt2.errors import CheckpointError

Adapt: TypeAlias = Literal["lora", "full"]
Weights: TypeAlias = Literal["float32", "bfloat16"]
KIND_FILE, KIND = "forehand.json", "backbone"
CARD_FILE = "backbone.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"


class BackboneCard(BaseModel):
    """What a folder holds beside weights. base: hub name or folder of the model that was tuned."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    format: Literal[1] = 1
    adapt: Adapt
    base: str
    model_type: str
    weights: Weights = "float32"
    views: Views
    states: StateRanges | None


def open_base(name: str, weights: Weights) -> tuple[Any, Any]:
    """(model, processor) by hub name or folder. Raises CheckpointError where there is none to load."""
    models: Any = AutoModelForImageTextToText
    try:
        model, loading = models.from_pretrained(name, dtype=getattr(torch, weights), output_loading_info=True)
    except Exception as error:  # parsers of foreign files raise anything
        raise CheckpointError(f"{name}: no vision-language model could be loaded from there: {_line(error)}") from error
    _refuse_gaps(name, loading)
    return model, _processor(name)


def save_backbone(backbone: VLMBackbone, card: BackboneCard, folder: Path) -> Path:
    """Write `folder`, whole or not at all; one that is there already is replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    try:
        _write(backbone, card, partial)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def load_backbone(
    folder: Path, *, device: str = "cpu", base: str | None = None, trainable: bool = False
) -> VLMBackbone:
    """The backbone that `save_backbone` wrote.

    base: where the base model of an adapter lies now, if not where it lay. trainable: its adapter can learn on.
    Raises CheckpointError for a folder that is no backbone, is truncated, or whose base model is not to be had.
    """
    card, contract = read_card(folder), ActionContract.load(folder)
    if card.adapt == "lora":
        model, _ = open_base(base or card.base, card.weights)
        model, processor = _with_adapter(model, folder, trainable), _processor(str(folder))
    else:
        model, processor = open_base(str(folder), card.weights)
    if model.config.model_type != card.model_type:
        raise CheckpointError(
            f"{folder}: tuned from a '{card.model_type}', but the base is a '{model.config.model_type}'"
        )
    rows = model.get_input_embeddings().weight.shape[0]
    if not contract.token_ids or max(contract.token_ids) >= rows:
        raise CheckpointError(f"{folder}: its action tokens are not in the model's vocabulary of {rows}")
    prompting = Prompting(processor, model.config, views=card.views, states=card.states)
    return VLMBackbone(model.to(device).eval(), prompting, contract)


def read_card(folder: Path) -> BackboneCard:
    """What backbone.json says. Raises CheckpointError where `folder` is no backbone's."""
    try:
        kind = json.loads((folder / KIND_FILE).read_bytes())
        card = (folder / CARD_FILE).read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder}: not a backbone's checkpoint: {_line(error)}") from error
    if kind != {"kind": KIND}:
        raise CheckpointError(f"{folder}: not a backbone's checkpoint: {KIND_FILE} says {kind}")
    try:
        return BackboneCard.model_validate_json(card)
    except ValidationError as error:
        raise CheckpointError(f"{folder / CARD_FILE}: not a backbone's card: {_line(error)}") from error


def _write(backbone: VLMBackbone, card: BackboneCard, folder: Path) -> None:
    lora = card.adapt == "lora"
    backbone.model.save_pretrained(folder, **({"save_embedding_layers": False} if lora else {}))
    backbone.prompting.processor.save_pretrained(folder)
    backbone.contract.save(folder)
    (folder / CARD_FILE).write_text(card.model_dump_json(indent=2) + "\n", "utf-8")
    (folder / "README.md").write_text(_model_card(backbone, card), "utf-8")
    (folder / KIND_FILE).write_text(json.dumps({"kind": KIND}) + "\n", "utf-8")


def _with_adapter(model: Any, folder: Path, trainable: bool) -> Any:
    from safetensors.torch import load_file

    try:
        from peft import PeftModel, get_peft_model_state_dict
    except ImportError as error:
        raise CheckpointError(f"{folder}: has low-rank adapters; they need: pip install 'forehand[vlm]'") from error
    try:
        stored = load_file(folder / ADAPTER_WEIGHTS)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning)  # of transformers, about its own use by peft
            wrapped = PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)
    except Exception as error:  # parsers of foreign files raise anything
        raise CheckpointError(f"{folder}: its adapter does not fit its base model: {_line(error)}") from error
    wanted = set(get_peft_model_state_dict(wrapped, save_embedding_layers=False))
    if wanted != set(stored):
        raise CheckpointError(f"{folder}: its adapter lacks or adds weights: {sorted(wanted ^ set(stored))[:4]}")
    return wrapped


def _processor(name: str) -> Any:
    processors: Any = AutoProcessor
    try:
        processor = processors.from_pretrained(name)
        if not (hasattr(processor, "tokenizer") and hasattr(processor, "image_processor")):
            raise ValueError(
                f"what is there is a {type(processor).__name__}, not pictures' and text's processor in one"
            )
        return processor
    except Exception as error:  # parsers of foreign files raise anything
        raise CheckpointError(f"{name}: its processor cannot be read: {_line(error)}") from error


def _refuse_gaps(name: str, loading: Any) -> None:
    for fault in ("missing_keys", "mismatched_keys"):
        if loading[fault]:
            found = ", ".join(str(k) for k in sorted(loading[fault])[:4])
            raise CheckpointError(f"{name}: {len(loading[fault])} {fault.replace('_', ' ')} in its weights: {found}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _model_card(backbone: VLMBackbone, card: BackboneCard) -> str:
    contract = backbone.contract
    rows = "\n".join(f"| {d.name} | {d.low:g} to {d.high:g} | {d.unit} |" for d in contract.dimensions)
    cameras = ", ".join(f"{name} {c.width}×{c.height}" for name, c in contract.cameras.items())
    return f"""---
base_model: {card.base}
tags: [robotics, vision-language-action]
---

# A vision-language-action model from {card.base}

A `{card.model_type}` model that answers "Q: what action should the robot take to …? A:" with one action of
{len(contract.dimensions)} tokens ({contract.vocabulary}, {contract.bins} bins). Tuned: {card.adapt}.
Cameras: {cameras} ({card.views}). State: {", ".join(contract.state) if card.states else "not used"}.
Frame {contract.frame}, {contract.rate_hz:g} Hz, gripper {contract.gripper}.

| number | range | unit |
| --- | --- | --- |
{rows}

Load it with `rt2.vla.load_vla(folder)`.
"""
