"""TextExample: pictures, a prompt and the words to answer; and reading them from any Hugging Face image-text dataset.

Not for: robot frames (rt2.training.frames), or where examples of the tabletop come from (they arrive as records).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
Kind: TypeAlias = Literal["ask", "locate", "caption"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CAPTION_PROMPT = "describe the picture"
NAMED_THINGS = 2  # how many things of a prompt `points` has room for


class ExampleError(ValueError):
    """A dataset that cannot be read, or lacks a column; the message names what there is."""


@dataclass(frozen=True)
class TextExample:
    """One vision-language example.

    images: camera name, or "image" for a picture from elsewhere → (h, w, 3) uint8.
    kind: what the prompt asks for; answer: of "ask" a word or two, of "caption" a sentence, of "locate" the place in
    the front picture as two integers "x y" of 0..255, left to right and top to bottom.
    cells: camera → label grid as in robot frames (rt2.training.frames); points: camera → (NAMED_THINGS, 3) float32, for
    the things that the prompt names, in that order: visible centre x, y in 0..1 and 1, or three zeros.
    """

    images: Mapping[str, Picture]
    kind: Kind
    prompt: str
    answer: str
    cells: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    points: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ExampleError(f"no kind of prompt '{self.kind}'; have: {', '.join(KINDS)}")
        for name, image in self.images.items():
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise ExampleError(f"image '{name}' is {image.dtype} of shape {image.shape}; expected (h, w, 3) uint8")


def read_image_text(
    name_or_folder: str | Path,
    *,
    image_column: str = "image",
    question_column: str | None = "question",
    answer_column: str = "answer",
    split: str = "train",
    limit: int | None = None,
    size: tuple[int, int] | None = None,
) -> Iterator[TextExample]:
    """The examples of a Hugging Face dataset, in its order, one after the other: only what is taken is read.

    name_or_folder: a name on the hub ("owner/name"), or a folder: what `save_to_disk` wrote, pictures with a
    metadata.jsonl, or any other layout that `datasets.load_dataset` knows.
    question_column: None where the answers are captions. Of a list of answers the first is taken.
    size: (width, height) in pixels to which pictures are scaled; what their shape leaves free is black.
    Raises ExampleError, before the first example, for a dataset, split or column that is not there; and at an example
    whose picture or text is none. Needs the extra `vl`.
    """
    if limit is not None and limit < 1:
        raise ExampleError(f"limit must be at least 1, not {limit}")
    rows = iter(_rows(str(name_or_folder), split))
    wanted = [c for c in (image_column, question_column, answer_column) if c is not None]
    first = _first(rows, str(name_or_folder), wanted)
    return _examples(_with_first(first, rows), (image_column, question_column, answer_column), limit, size)


def _rows(source: str, split: str) -> Iterable[Mapping[str, Any]]:
    try:
        import datasets
    except ImportError as error:
        raise ExampleError("reading image-text datasets needs the extra 'vl': pip install 'forehand[vl]'") from error
    folder = Path(source)
    try:
        if not folder.is_dir():
            return _stream(datasets.load_dataset(source, split=split, streaming=True))
        if (folder / "dataset_dict.json").is_file():
            saved = datasets.load_from_disk(source)
            if split not in saved:
                raise ExampleError(f"{source}: no split '{split}'; have: {', '.join(saved)}")
            return _stream(saved[split])
        if (folder / "state.json").is_file():
            return _stream(datasets.load_from_disk(source))
        return _stream(datasets.load_dataset(source, split=split, streaming=True))
    except ExampleError:
        raise
    except Exception as error:  # the hub client and each builder have errors of their own
        raise ExampleError(f"no readable dataset '{source}' with a split '{split}': {error}") from error


def _stream(dataset: Any) -> Iterable[Mapping[str, Any]]:
    rows: Iterable[Mapping[str, Any]] = dataset
    return rows


def _first(rows: Iterator[Mapping[str, Any]], source: str, wanted: Sequence[str]) -> Mapping[str, Any]:
    try:
        first = next(rows)
    except StopIteration:
        raise ExampleError(f"{source}: no examples in it") from None
    for column in wanted:
        if column not in first:
            raise ExampleError(f"{source}: no column '{column}'; have: {', '.join(first)}")
    return first


def _with_first(first: Mapping[str, Any], rest: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    yield first
    yield from rest


def _examples(
    rows: Iterator[Mapping[str, Any]],
    columns: tuple[str, str | None, str],
    limit: int | None,
    size: tuple[int, int] | None,
) -> Iterator[TextExample]:
    image_column, question_column, answer_column = columns
    for number, row in enumerate(islice(rows, limit)):
        image = _picture(row[image_column], size, f"example {number}, column '{image_column}'")
        answer = _text(row[answer_column], f"example {number}, column '{answer_column}'")
        if question_column is None:
            yield TextExample({"image": image}, "caption", CAPTION_PROMPT, answer)
        else:
            question = _text(row[question_column], f"example {number}, column '{question_column}'")
            yield TextExample({"image": image}, "ask", question, answer)


def _picture(value: Any, size: tuple[int, int] | None, where: str) -> Picture:
    from PIL import Image, ImageOps

    try:
        image = (value if isinstance(value, Image.Image) else Image.fromarray(np.asarray(value))).convert("RGB")
    except (TypeError, ValueError, AttributeError, KeyError, OSError) as error:
        raise ExampleError(f"{where}: not a picture but {type(value).__name__}: {error}") from error
    return np.asarray(image if size is None else ImageOps.pad(image, size, Image.Resampling.BILINEAR), dtype=np.uint8)


def _text(value: Any, where: str) -> str:
    if isinstance(value, list | tuple) and value:
        value = value[0]
    if not isinstance(value, str) or not value.strip():
        raise ExampleError(f"{where}: expected text, or a list of texts, not {value!r:.60}")
    return " ".join(value.split())
