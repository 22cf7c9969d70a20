"""Files of text examples: compact shards in which pictures that several examples share are stored once.

Not for: datasets of others (rt2.training.examples reads them).
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from rt2.training.examples import ExampleError, TextExample

SUFFIX = ".npz"
TEXTS = "texts"


def write_examples_shard(folder: Path, examples: Sequence[TextExample], name: str | None = None) -> Path:
    """Put examples into one new file of `folder`, whole or not at all. name: without suffix; by default a fresh one.

    Arrays are recognised as shared by identity: examples about one look at a scene hold the same arrays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = {}
    keys: dict[int, str] = {}

    def stored(named: Mapping[str, NDArray[Any]]) -> dict[str, str]:
        for array in named.values():
            if id(array) not in keys:
                keys[id(array)] = f"a{len(keys)}"
                arrays[keys[id(array)]] = array
        return {camera: keys[id(array)] for camera, array in named.items()}

    records = [
        {
            "kind": e.kind,
            "prompt": e.prompt,
            "answer": e.answer,
            "images": stored(e.images),
            "cells": stored(e.cells),
            "points": {camera: np.asarray(points).tolist() for camera, points in e.points.items()},
        }
        for e in examples
    ]
    arrays[TEXTS] = np.frombuffer(json.dumps(records).encode(), np.uint8)
    whole = shard_path(folder, name or uuid.uuid4().hex)
    partial = folder / f".{whole.name}.partial"
    with partial.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    os.replace(partial, whole)
    return whole


def shard_path(folder: Path, name: str) -> Path:
    """Where the shard of that name is, or would be."""
    return folder / f"{name}{SUFFIX}"


def read_examples(folder: Path) -> Iterator[TextExample]:
    """The examples of all shards, by file name; those of one look share their arrays.

    Raises ExampleError where there are none, and for a file that is no shard.
    """
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    if not paths:
        raise ExampleError(f"{folder}: no examples (*{SUFFIX}) in it")
    for path in paths:
        yield from read_shard(path)


def read_shard(path: Path) -> list[TextExample]:
    """The examples of one file. Raises ExampleError where it is none."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        records = json.loads(arrays.pop(TEXTS).tobytes())
        return [_example(record, arrays) for record in records]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ExampleError(f"{path}: not a file of text examples: {error}") from error


def _example(record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> TextExample:
    return TextExample(
        images={camera: arrays[key] for camera, key in record["images"].items()},
        kind=record["kind"],
        prompt=record["prompt"],
        answer=record["answer"],
        cells={camera: arrays[key] for camera, key in record["cells"].items()},
        points={camera: np.array(points, np.float32) for camera, points in record["points"].items()},
    )
