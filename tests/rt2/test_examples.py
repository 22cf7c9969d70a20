"""Reading image-text datasets: every local layout, order and content kept, errors that name what there is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rt2.training.examples import CAPTION_PROMPT, ExampleError, TextExample, read_image_text

datasets = pytest.importorskip("datasets")

QUESTIONS = ("what colour is it?", "is it  blue?", "is it green?")
ANSWERS = ("red", "no", "no")
SHADES = (0, 100, 200)


def _pictures() -> list[Image.Image]:
    return [Image.new("RGB", (12, 8), (shade, 10, 20)) for shade in SHADES]


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    lines = []
    for k, picture in enumerate(_pictures()):
        picture.save(folder / f"{k}.png")
        lines.append(json.dumps({"file_name": f"{k}.png", "question": QUESTIONS[k], "answer": ANSWERS[k]}))
    (folder / "metadata.jsonl").write_text("\n".join(lines))
    return folder


def _saved(folder: Path, *, splits: bool = False) -> Path:
    columns = {"picture": _pictures(), "text": [[a, "other"] for a in ANSWERS]}
    saved = datasets.Dataset.from_dict(columns).cast_column("picture", datasets.Image())
    (datasets.DatasetDict({"test": saved}) if splits else saved).save_to_disk(folder)
    return folder


def test_pictures_with_metadata(image_folder: Path) -> None:
    examples = list(read_image_text(image_folder))
    assert [e.prompt for e in examples] == ["what colour is it?", "is it blue?", "is it green?"]
    assert [e.answer for e in examples] == list(ANSWERS)
    assert [e.kind for e in examples] == ["ask"] * 3
    for example, shade in zip(examples, SHADES, strict=True):
        assert example.images["image"].shape == (8, 12, 3)
        assert (example.images["image"] == (shade, 10, 20)).all()


def test_limit_and_size(image_folder: Path) -> None:
    examples = list(read_image_text(image_folder, limit=2, size=(96, 64)))
    assert [e.images["image"].shape for e in examples] == [(64, 96, 3)] * 2
    assert [int(e.images["image"][0, 0, 0]) for e in examples] == [0, 100]


@pytest.mark.parametrize("splits", [False, True])
def test_what_save_to_disk_wrote_read_as_captions(tmp_path: Path, splits: bool) -> None:
    folder = _saved(tmp_path / "saved", splits=splits)
    examples = list(
        read_image_text(folder, image_column="picture", question_column=None, answer_column="text", split="test")
    )
    assert [(e.kind, e.prompt, e.answer) for e in examples] == [("caption", CAPTION_PROMPT, a) for a in ANSWERS]
    assert [int(e.images["image"][0, 0, 0]) for e in examples] == list(SHADES)


def test_a_missing_column_is_named_with_those_there_are(image_folder: Path) -> None:
    with pytest.raises(ExampleError, match=r"no column 'query'; have: image, question, answer"):
        read_image_text(image_folder, question_column="query")


def test_a_missing_split_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match="no split 'train'; have: test"):
        read_image_text(_saved(tmp_path / "saved", splits=True), image_column="picture", answer_column="text")


def test_a_split_no_folder_has(image_folder: Path) -> None:
    with pytest.raises(ExampleError, match="with a split 'validation'"):
        read_image_text(image_folder, split="validation")


def test_a_dataset_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(ExampleError, match="no readable dataset 'no/such/folder'"):
        read_image_text("no/such/folder")


def test_text_where_a_picture_should_be(image_folder: Path) -> None:
    with pytest.raises(ExampleError, match="example 0, column 'question': not a picture but str"):
        list(read_image_text(image_folder, image_column="question"))


def test_a_folder_without_examples(tmp_path: Path) -> None:
    with pytest.raises(ExampleError):
        read_image_text(tmp_path)


def test_a_limit_of_none(image_folder: Path) -> None:
    with pytest.raises(ExampleError, match="at least 1"):
        read_image_text(image_folder, limit=0)


def test_an_example_checks_its_kind_and_pictures() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ExampleError, match="have: ask, locate, caption"):
        TextExample({"image": picture}, "tell", "", "")  # type: ignore[arg-type]
    with pytest.raises(ExampleError, match=r"image 'front' is float64 of shape \(8, 8\)"):
        TextExample({"front": np.zeros((8, 8))}, "ask", "", "")  # type: ignore[dict-item]
