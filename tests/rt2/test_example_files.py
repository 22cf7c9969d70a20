"""Shards of text examples: what is written comes back, shared pictures once, broken files refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rt2.training.example_files import read_examples, write_examples_shard
from rt2.training.examples import ExampleError, TextExample


def _examples() -> list[TextExample]:
    rng = np.random.default_rng(0)
    images = {"front": rng.integers(0, 256, (16, 16, 3), np.uint8), "wrist": rng.integers(0, 256, (8, 8, 3), np.uint8)}
    cells = {"front": rng.integers(0, 9, (2, 2), np.uint8)}
    points = {"front": rng.random((2, 3), np.float32)}
    other = TextExample({"image": rng.integers(0, 256, (4, 6, 3), np.uint8)}, "caption", "describe", "a “red” block")
    return [
        TextExample(images, "ask", "is it red?", "yes", cells, points),
        TextExample(images, "locate", "where is it?", "12 255", cells, points),
        other,
    ]


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    written = _examples()
    write_examples_shard(tmp_path, written)
    read = list(read_examples(tmp_path))
    assert [(e.kind, e.prompt, e.answer) for e in read] == [(e.kind, e.prompt, e.answer) for e in written]
    for one, other in zip(read, written, strict=True):
        for arrays, expected in ((one.images, other.images), (one.cells, other.cells), (one.points, other.points)):
            assert arrays.keys() == expected.keys()
            for name, array in expected.items():
                np.testing.assert_array_equal(arrays[name], array)
                assert arrays[name].dtype == array.dtype


def test_shared_pictures_stay_shared(tmp_path: Path) -> None:
    written = _examples()
    first, second, _ = list(read_examples(write_examples_shard(tmp_path, written).parent))
    assert first.images["front"] is second.images["front"]
    once = write_examples_shard(tmp_path, written[:1], "once").stat().st_size
    often = write_examples_shard(tmp_path, written[:1] * 100, "often").stat().st_size
    assert often < 2 * once


def test_shards_are_read_by_name_and_leave_no_partial_files(tmp_path: Path) -> None:
    one, two, three = _examples()
    write_examples_shard(tmp_path, [three], "b")
    write_examples_shard(tmp_path, [one, two], "a")
    assert [e.prompt for e in read_examples(tmp_path)] == [one.prompt, two.prompt, three.prompt]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_an_empty_folder_and_a_truncated_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match="no examples"):
        list(read_examples(tmp_path))
    path = write_examples_shard(tmp_path, _examples(), "half")
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(ExampleError, match=r"half\.npz: not a file of text examples"):
        list(read_examples(tmp_path))


def test_an_array_file_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ExampleError, match="not a file of text examples"):
        list(read_examples(tmp_path))
