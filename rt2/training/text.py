"""TextTask: learning from vision-language examples: answering, captioning and locating, through the same decoder.

Not for: robot frames (rt2.training.trainer), or where examples come from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from rt2.modeling import RT2ForConditionalGeneration
from rt2.processing import RT2Processor, padded
from rt2.prompts import PromptKind
from rt2.training.batches import Prompts
from rt2.training.examples import Picture, TextExample
from rt2.training.frames import CELL_PIXELS, IGNORED_CELL
from rt2.training.losses import grounding_loss, text_loss
from rt2.vocabulary import location_token, token_id

COMMON_CELLS = 4


class TextTask:
    """Draws batches of examples and scores the network on them. A picture under no camera's name is seen by the first
    camera's trunk, scaled to its size; cameras that an example lacks are told to be absent."""

    def __init__(self, examples: Sequence[TextExample], processor: RT2Processor, batch: int) -> None:
        if not examples:
            raise ValueError("no vision-language examples to learn from")
        self._examples, self._processor, self._batch = examples, processor, batch
        self._prompts = Prompts(processor)

    def losses(
        self, model: RT2ForConditionalGeneration, rng: np.random.Generator, names: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Parts of the loss on one random batch; names: prompt and mask of the cells' names."""
        chosen = [self._examples[int(k)] for k in rng.integers(0, len(self._examples), self._batch)]
        device = model.device
        rows = [self._processor.prompt_ids(e.prompt, prompt_kind(e)) for e in chosen]
        prompt, mask = padded(rows, self._processor.tokenizer.pad_token_id)
        answers = [answer_ids(e, self._processor) for e in chosen]
        following, real = padded(answers, self._processor.tokenizer.pad_token_id)
        said = torch.cat(
            (torch.full((len(chosen), 1), self._processor.tokenizer.bos_token_id), following[:, :-1]), dim=1
        )
        pictures, present = self._pictures(chosen, list(model.config.cameras))
        heard = model.listen(prompt.to(device), mask.to(device))
        state = torch.zeros(len(chosen), len(model.config.state), device=device)
        seen = model.look({c: p.to(device) for c, p in pictures.items()}, state, heard, present.to(device))
        parts = {"text": text_loss(model.text_logits(seen, said.to(device)), following.to(device), real.to(device))}
        cells = self._cells(chosen, list(model.config.cameras))
        meanings = model.listen(*names).meaning
        each = [
            grounding_loss(model.cell_logits(seen, c, meanings), grid.to(device), COMMON_CELLS)
            for c, grid in cells.items()
        ]
        parts["grounding"] = torch.stack(each).mean()
        return parts

    def _pictures(self, examples: Sequence[TextExample], cameras: list[str]) -> tuple[dict[str, Tensor], Tensor]:
        sizes = {c: self._processor.cameras[c] for c in cameras}
        pictures = {c: np.zeros((len(examples), h, w, 3), np.uint8) for c, (w, h) in sizes.items()}
        present = torch.zeros(len(examples), len(cameras) + 1, dtype=torch.bool)
        for k, example in enumerate(examples):
            for name, image in example.images.items():
                camera = name if name in cameras else cameras[0]
                pictures[camera][k] = scaled(image, *sizes[camera])
                present[k, cameras.index(camera)] = True
        return {c: torch.from_numpy(p) for c, p in pictures.items()}, present

    def _cells(self, examples: Sequence[TextExample], cameras: list[str]) -> dict[str, Tensor]:
        grids = {}
        for camera in cameras:
            width, height = self._processor.cameras[camera]
            shape = (len(examples), height // CELL_PIXELS, width // CELL_PIXELS)
            grid = np.full(shape, IGNORED_CELL, np.int64)
            for k, example in enumerate(examples):
                if camera in example.cells:
                    grid[k] = example.cells[camera]
            grids[camera] = torch.from_numpy(grid.reshape(len(examples), -1))
        return grids


def prompt_kind(example: TextExample) -> PromptKind:
    return "locate" if example.kind == "locate" else "ask"


def answer_ids(example: TextExample, processor: RT2Processor) -> list[int]:
    """The answer's ids and the end: words, or for 'locate' two location tokens."""
    tokenizer = processor.tokenizer
    if example.kind == "locate":
        ids = [token_id(tokenizer, location_token(int(number))) for number in example.answer.split()]
    else:
        ids = tokenizer(example.answer, add_special_tokens=False)["input_ids"]
    return [*ids, tokenizer.eos_token_id]


def scaled(image: Picture, width: int, height: int) -> Picture:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
