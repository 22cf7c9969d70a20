"""rt2-small behind transformers' Auto classes: `import rt2.auto`, and AutoConfig, AutoModel and AutoProcessor know it.

Forehand itself loads checkpoints through rt2.vla, which is quicker: these classes import much of transformers.
Not for: what they wrap (rt2.modeling, rt2.processing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForImageTextToText,
    AutoProcessor,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
)
from transformers.utils.generic import ModelOutput

from rt2.configuration import RT2Config
from rt2.modeling import RT2Network
from rt2.processing import SmallProcessor


@dataclass
class ActionLogits(ModelOutput):
    """logits (b, 8, bins) of the action tokens, each told nothing of the others."""

    logits: Tensor | None = None


class RT2ForConditionalGeneration(PreTrainedModel):  # type: ignore[no-untyped-call]
    """RT2Network as transformers has models; called with what RT2Processor makes."""

    config_class = RT2Config
    config: RT2Config
    main_input_name = "pictures"
    base_model_prefix = "network"

    def __init__(self, config: RT2Config) -> None:
        super().__init__(config)
        self.network = RT2Network(config)
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        """Every layer has initialised itself."""

    def forward(self, prompt: Tensor, mask: Tensor, pictures: dict[str, Tensor], state: Tensor) -> ActionLogits:
        """What RT2Processor makes of sentences, pictures and state → the action tokens in one pass."""
        return ActionLogits(self.network(prompt, mask, pictures, state))


class RT2Processor(SmallProcessor, ProcessorMixin):
    """SmallProcessor as transformers has processors, which reads off a signature what a processor's file may set."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        cameras: Mapping[str, Sequence[int]],
        most_prompt_tokens: int = 48,
        language: str = "learned",
        **kwargs: Any,
    ) -> None:
        SmallProcessor.__init__(self, tokenizer, cameras, most_prompt_tokens, language)
        ProcessorMixin.__init__(self, tokenizer, **kwargs)  # type: ignore[no-untyped-call]


AutoConfig.register(RT2Config.model_type, RT2Config)
AutoModel.register(RT2Config, RT2ForConditionalGeneration)
AutoModelForImageTextToText.register(RT2Config, RT2ForConditionalGeneration)
AutoProcessor.register(RT2Config, RT2Processor)  # type: ignore[no-untyped-call]
