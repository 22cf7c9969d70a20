"""Tiny, randomly initialised members of the tested families, whole with processor: to try the whole path in seconds.

They know nothing; the hub's models of the same families take the same path.
`python -m rt2.backbones.tiny llava FOLDER` writes one.
Not for: controlling a robot without fine-tuning.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, cast

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForImageTextToText,
    LlavaConfig,
    LlavaProcessor,
    PaliGemmaConfig,
    PaliGemmaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

SIDE_PIXELS, PATCH_PIXELS = 32, 16
PATCHES = (SIDE_PIXELS // PATCH_PIXELS) ** 2
HIDDEN = 64
SPECIAL = ("<pad>", "<s>", "</s>")  # ids 0, 1, 2
TOKENS = 1200
SIZE = {"height": SIDE_PIXELS, "width": SIDE_PIXELS}
IDS: Mapping[str, Any] = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
VISION: Mapping[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": SIDE_PIXELS,
    "patch_size": PATCH_PIXELS,
}
LANGUAGE: Mapping[str, Any] = {
    "hidden_size": HIDDEN,
    "intermediate_size": 2 * HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.1,  # about 1/sqrt(HIDDEN); the usual 0.02 is for wide models and hardly passes signals here
    **IDS,
}


def write_tiny_backbone(family: str, folder: Path, *, seed: int = 0) -> Path:
    """A model of `family` in `folder`, for `from_pretrained`. Raises ValueError for a family not in FAMILIES."""
    if family not in FAMILIES:
        raise ValueError(f"no tiny backbone '{family}'; have: {', '.join(sorted(FAMILIES))}")
    config, processor = FAMILIES[family]()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = cast(Any, AutoModelForImageTextToText).from_config(config)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    """Byte-level BPE over numbers and a few sentences; each integer 0..255 is one token, as PaLI-X has them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    numbers = [str(n) for n in range(256)]
    words = "Q: what action should the robot take to pick up the red block? A: put it down in blue bowl, yes no, state"
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(numbers), "\n".join(numbers), *[words] * 9], trainer)
    pad, begin, end = SPECIAL
    return cast(Any, PreTrainedTokenizerFast)(tokenizer_object=tokenizer, pad_token=pad, bos_token=begin, eos_token=end)


def _llava(vision: Mapping[str, Any], images: Any, strategy: Literal["default", "full"]) -> tuple[Any, Any]:
    tokenizer, processors = _tokenizer(), cast(Any, LlavaProcessor)
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    extra = 1 if strategy == "default" else 0  # CLIP's class token, which "default" leaves out again
    processor = processors(
        images,
        tokenizer,
        patch_size=PATCH_PIXELS,
        vision_feature_select_strategy=strategy,
        num_additional_image_tokens=extra,
    )
    config = LlavaConfig(
        vision_config={**vision, **VISION},
        text_config={"model_type": "llama", "vocab_size": len(tokenizer), "num_key_value_heads": 2, **LANGUAGE},
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=PATCHES,
        vision_feature_layer=-1,
        vision_feature_select_strategy=strategy,
    )
    return config, processor


def _llava_siglip() -> tuple[Any, Any]:
    vision = {"model_type": "siglip_vision_model", "vision_use_head": False}
    return _llava(vision, SiglipImageProcessorPil(size=SIZE), "full")


def _llava_clip() -> tuple[Any, Any]:
    images = CLIPImageProcessorPil(size={"shortest_edge": SIDE_PIXELS}, crop_size=SIZE)
    return _llava({"model_type": "clip_vision_model"}, images, "default")


def _paligemma() -> tuple[Any, Any]:
    images, processors = cast(Any, SiglipImageProcessorPil)(size=SIZE), cast(Any, PaliGemmaProcessor)
    images.image_seq_length = PATCHES
    processor = processors(images, _tokenizer())
    vision = {"model_type": "siglip_vision_model", "vision_use_head": False, "projection_dim": HIDDEN, **VISION}
    language = {"model_type": "gemma", "num_key_value_heads": 1, "head_dim": 16, **LANGUAGE}
    config = PaliGemmaConfig(
        vision_config=vision,
        text_config={**language, "vocab_size": len(processor.tokenizer)},
        image_token_index=processor.image_token_id,
        projection_dim=HIDDEN,
        hidden_size=HIDDEN,
        **IDS,
    )
    return config, processor


FAMILIES: Mapping[str, Callable[[], tuple[Any, Any]]] = {
    "llava": _llava_siglip,
    "llava-clip": _llava_clip,
    "paligemma": _paligemma,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a tiny randomly initialised vision-language model.")
    parser.add_argument("family", choices=sorted(FAMILIES))
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    print(write_tiny_backbone(arguments.family, arguments.folder))


if __name__ == "__main__":
    main()
