"""TextTask: learning from vision-language examples: answering, captioning and locating, through the same decoder.

Not for: robot frames (rt2.training.trainer), or where examples come from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from rt2.modeling import RT2Network
from rt2.processing import SmallProcessor, padded
from rt2.prompts import PromptKind
from rt2.training.batches import Prompts
from rt2.training.examples import Picture, TextExample
from rt2.training.frames import CELL_PIXELS, IGNORED_CELL
from rt2.training.losses import LossWeights, grounding_loss, pointing_loss, text_loss
from rt2.training.mixture import ExampleMixture
from rt2.vocabulary import location_token, token_id

COMMON_CELLS = 4  # background, table, robot and cabinet come first among the cells' names


class TextTask:
    """Draws batches of examples and scores the network on them. A picture under no camera's name is seen by the first
    camera's trunk, scaled to its size; cameras that an example lacks are told to be absent."""

    def __init__(self, examples: ExampleMixture, processor: SmallProcessor) -> None:
        self._examples, self._processor = examples, processor
        self._prompts = Prompts(processor)

    def __len__(self) -> int:
        return len(self._examples)

    def refresh(self) -> int:
        """Look for examples that have come since; how many there are."""
        return self._examples.refresh()

    def losses(
        self,
        model: RT2Network,
        rng: np.random.Generator,
        batch: int,
        names: Sequence[Tensor],
        weights: LossWeights,
    ) -> dict[str, Tensor]:
        """Parts of the loss on `batch` examples drawn, unweighted, those of weight 0 left out.

        names: prompt and mask of the cells' names.
        """
        chosen = self._examples.draw(rng, batch)
        device, cameras = model.device, list(model.config.cameras)
        prompt, mask = self._prompts.mixed([(e.prompt, prompt_kind(e)) for e in chosen])
        said, following, real = (x.to(device) for x in self._answers(chosen, model.config.most_answer_tokens))
        pictures, present = self._pictures(chosen, cameras)
        heard = model.listen(prompt.to(device), mask.to(device))
        state = torch.zeros(len(chosen), len(model.config.state), device=device)
        seen = model.look({c: p.to(device) for c, p in pictures.items()}, state, heard, present.to(device))
        parts = {"text": text_loss(model.text_logits(seen, said), following, real)}
        sizes = {
            c: (self._processor.cameras[c][1] // CELL_PIXELS, self._processor.cameras[c][0] // CELL_PIXELS)
            for c in cameras
        }
        if weights.pointing:
            points = _first_points(chosen, cameras)
            each = [pointing_loss(seen.pointing[c], points[c].to(device), *sizes[c]) for c in cameras]
            parts["pointing"] = torch.stack(each).mean()
        if weights.grounding:
            meanings, cells = model.listen(*names).meaning, self._cells(chosen, cameras)
            each = [
                grounding_loss(model.cell_logits(seen, c, meanings), cells[c].to(device), COMMON_CELLS) for c in cameras
            ]
            parts["grounding"] = torch.stack(each).mean()
        return parts

    def _answers(self, examples: Sequence[TextExample], most: int) -> tuple[Tensor, Tensor, Tensor]:
        """(b, n) what was said before each token, (b, n) each token, (b, n) True for real ones; cut after `most`."""
        tokenizer = self._processor.tokenizer
        following, real = padded([answer_ids(e, self._processor)[:most] for e in examples], tokenizer.pad_token_id)
        begin = torch.full((len(examples), 1), tokenizer.bos_token_id)
        return torch.cat((begin, following[:, :-1]), dim=1), following, real

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


def _first_points(examples: Sequence[TextExample], cameras: Sequence[str]) -> dict[str, Tensor]:
    """Camera → (b, 3) where the first thing that each prompt names is seen; not visible where nothing is known."""
    points = {c: np.zeros((len(examples), 3), np.float32) for c in cameras}
    for k, example in enumerate(examples):
        for camera, places in example.points.items():
            points[camera][k] = places[0]
    return {c: torch.from_numpy(p) for c, p in points.items()}


def prompt_kind(example: TextExample) -> PromptKind:
    """A caption is asked for like anything else that is words."""
    return "locate" if example.kind == "locate" else "ask"


def answer_ids(example: TextExample, processor: SmallProcessor) -> list[int]:
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
    return np.asarray(ImageOps.pad(Image.fromarray(image), (width, height), Image.Resampling.BILINEAR))
