"""A vision-language model as the VLA: it answers RT-2's question with action tokens of its own vocabulary.

RT-2 (arXiv 2307.15818, section 3.2). Once a skill: the sentence becomes tokens, pictures' placeholders written out.
Once a decision: pictures through the vision tower, one pass over the prompt, then a token after the other from its
cache, only action tokens allowed. Not for: learning (rt2.backbones.tuning) or folders (rt2.backbones.checkpoint).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import GenerationConfig

from rt2.action_contract import ActionContract
from rt2.action_tokens import ActionTokenizer
from rt2.backbones.batches import Row, batch_tensors, on_model
from rt2.backbones.prompting import Picture, Prompting, TokenPrompt
from rt2.decoding import allowed_tokens_fn
from rt2.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from rt2.vla import ActInput, Prompt


class VLMBackbone:
    """Implements rt2.vla.VLA. model: of AutoModelForImageTextToText, maybe inside peft's wrapper."""

    def __init__(self, model: Any, prompting: Prompting, contract: ActionContract) -> None:
        self.model, self.prompting, self.contract = model, prompting, contract
        self.actions = ActionTokenizer.from_contract(contract)
        self._sizes = [(camera.width, camera.height) for camera in contract.cameras.values()]

    def encode(self, sentence: str) -> TokenPrompt:
        """The prompt for one skill call. Raises PromptError for empty or over-long text."""
        return self.prompting.action_prompt(sentence, self._sizes)

    def act(self, inputs: Sequence[ActInput]) -> NDArray[np.float32]:
        """(n, 1, 8) actions in physical units, greedy, all n in one batch.

        Raises InputError for images or a state that the contract does not describe, CheckpointError where the weights
        give no numbers.
        """
        if not inputs:
            return np.zeros((0, 1, len(self.contract.dimensions)), np.float32)
        rows = [self.row(i.images, i.state, i.prompt) for i in inputs]
        return self.actions.decode(self.answer(rows))[:, None].astype(np.float32)

    def ask(self, images: Sequence[Picture], question: str, *, longest: int = 32) -> str:
        """What the model answers a question about pictures (h, w, 3) in words; at most `longest` tokens."""
        pictures = self.prompting.pictures(images)
        prompt = self.prompting.prompt(question_text(question), [(p.shape[1], p.shape[0]) for p in pictures])
        tokenizer = self.prompting.processor.tokenizer
        made = self._generate([Row(prompt, pictures)], longest, eos_token_id=tokenizer.eos_token_id)
        sequences = made.sequences
        return str(tokenizer.decode(sequences[0, len(prompt.ids) :], skip_special_tokens=True)).strip()

    def row(
        self, images: Mapping[str, Picture], state: NDArray[np.float32], prompt: Prompt, answer: Sequence[int] = ()
    ) -> Row:
        """One moment as the model reads it. Raises InputError as `act` does."""
        if not isinstance(prompt, TokenPrompt):
            raise InputError(f"the prompt is a {type(prompt).__name__}; it must come from this model's encode()")
        views = [self._view(name, images) for name in self.contract.cameras]
        if np.shape(state) != (len(self.contract.state),) or not np.isfinite(state).all():
            raise InputError(f"the state must be {len(self.contract.state)} finite numbers; got {state!r}")
        whole = prompt.with_inserted(self.prompting.state_ids(state))
        return Row(whole, self.prompting.pictures(views), tuple(answer))

    def answer(self, rows: Sequence[Row]) -> NDArray[np.int64]:
        """(n, 8) action tokens that the model answers with."""
        places = self.actions.allowed_ids()
        prompt_length = max(len(row.prompt.ids) for row in rows)
        never = places[0][0]  # stands where an end would: generation stops at the last place, before it
        made = self._generate(
            rows, len(places), prefix_allowed_tokens_fn=allowed_tokens_fn(prompt_length, places, never)
        )
        if not all(bool(torch.isfinite(logits).all()) for logits in made.logits):
            raise CheckpointError("the model's answer is not a number: its weights are broken")
        tokens: NDArray[np.int64] = made.sequences[:, prompt_length:].cpu().numpy()
        return tokens

    @torch.inference_mode()
    def _generate(self, rows: Sequence[Row], longest: int, **options: Any) -> Any:
        settings: Any = GenerationConfig
        tensors = batch_tensors(self.prompting, rows, "left")
        self.model.eval()
        return self.model.generate(
            **on_model(tensors, self.model),
            generation_config=settings(
                max_new_tokens=longest,
                do_sample=False,
                output_logits=True,
                return_dict_in_generate=True,
                pad_token_id=self.prompting.pad_id,
            ),
            **options,
        )

    def _view(self, name: str, images: Mapping[str, Picture]) -> Picture:
        camera = self.contract.cameras[name]
        if name not in images:
            raise InputError(f"no image of camera '{name}'; have: {', '.join(images) or 'none'}")
        image, wanted = images[name], (camera.height, camera.width, 3)
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.shape != wanted:
            have = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
            raise InputError(f"the image of camera '{name}' must be uint8 {wanted}; got {have}")
        return image


def question_text(question: str) -> str:
    """A question about pictures in the words in which RT-2 asks for actions."""
    return f"Q: {question.strip()} A:"
