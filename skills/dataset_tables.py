"""Parquet tables of a dataset: frames, episodes and tasks, between numpy and files that appear only when whole.

Not for: what the columns mean (skills.dataset_format).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skills.dataset_format import TASKS, DatasetError

HOW_TO_INSTALL = "datasets of demonstrations need pyarrow: pip install 'forehand[train]'"


def arrow() -> Any:
    """pyarrow with its parquet module. Raises DatasetError saying how to install it."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise DatasetError(HOW_TO_INSTALL) from error
    return pyarrow


def whole(path: Path, write: Callable[[Path], object]) -> Path:
    """Have `write` fill a file beside `path` and return it: `os.replace` then puts it in place in one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    write(partial)
    return partial


def write_json(path: Path, data: object) -> None:
    os.replace(whole(path, lambda p: p.write_text(json.dumps(data, indent=2) + "\n", "utf-8")), path)


def read_json(path: Path) -> Any:
    """Raises DatasetError for a file that is missing or cut short."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing") from error
    except ValueError as error:
        raise DatasetError(f"{path}: no JSON, perhaps cut short: {error}") from error


def column(values: NDArray[Any]) -> Any:
    """(n,) as a column of scalars, (n, d) as one of fixed-size lists."""
    pa = arrow()
    flat = pa.array(values.reshape(-1))
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def write_row_groups(path: Path, tables: Iterable[Any]) -> None:
    """One row group a table, so that an episode can be read without its neighbours."""
    pq = arrow().parquet
    writer = None
    for table in tables:
        writer = writer or pq.ParquetWriter(path, table.schema, compression="snappy")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def write_episode_rows(path: Path, rows: Sequence[Mapping[str, Any]], types: Mapping[str, str]) -> None:
    """Every row has the same keys. A None is a missing value of the type that such a column has in other rows.

    types: of columns that may hold nothing but None ("bool", "int64", "string"): files of a dataset agree on them.
    """
    pa = arrow()
    table = pa.Table.from_pylist([dict(row) for row in rows])
    for name, kind in types.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table.column(name).cast(pa.type_for_alias(kind)))
    pa.parquet.write_table(table, path, compression="snappy")


def read_table(path: Path, columns: Sequence[str] | None = None) -> Any:
    """columns: read those of them that are there; None for all.

    Raises DatasetError for a file that is missing, cut short or no Parquet file.
    """
    pa = arrow()
    try:
        there = pa.parquet.read_schema(path).names
        wanted = there if columns is None else [name for name in columns if name in there]
        return pa.parquet.read_table(path, columns=wanted, partitioning=None)
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing") from error
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{path}: no whole Parquet file: {error}") from error


def cells(table: Any, name: str, path: Path) -> list[Any]:
    """(n,) of a column, as they are. path: of the table. Raises DatasetError for a column that is not there."""
    values: list[Any] = _column(table, name, path).to_pylist()
    return values


def numbers(table: Any, name: str, path: Path, width: int = 1) -> NDArray[Any]:
    """(n, width) of a column of lists of numbers, or of numbers where width is 1. path: of the table.

    Raises DatasetError for a column that is not there, holds something else, nothing, or lists of another length.
    """
    pa = arrow()
    rows = _column(table, name, path).combine_chunks()
    is_list = pa.types.is_list(rows.type) or pa.types.is_large_list(rows.type) or pa.types.is_fixed_size_list(rows.type)
    flat = rows.flatten() if is_list else rows
    if not (pa.types.is_integer(flat.type) or pa.types.is_floating(flat.type)):
        raise DatasetError(f"{path}: column '{name}' holds {rows.type}; expected {width} numbers a row")
    widths = set(pa.compute.list_value_length(rows).unique().to_pylist()) if is_list else {1}
    if rows.null_count or flat.null_count:
        raise DatasetError(f"{path}: column '{name}' has nulls; expected {width} numbers a row")
    if widths - {width}:
        raise DatasetError(f"{path}: column '{name}' has rows of {sorted(widths)} numbers; expected {width}")
    return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(len(rows), width)


def _column(table: Any, name: str, path: Path) -> Any:
    if name not in table.column_names:
        has = ", ".join(arrow().parquet.read_schema(path).names)
        raise DatasetError(f"{path}: no column '{name}'; has: {has}")
    return table.column(name)


def read_tasks(folder: Path) -> dict[int, str]:
    """Sentences by task_index; one that is null is left out.

    Raises DatasetError where the index or the sentences are missing, or two have one index.
    """
    pa, path = arrow(), folder / TASKS
    table = read_table(path)
    index = numbers(table, "task_index", path)[:, 0].astype(int).tolist()
    if len(set(index)) < len(index):
        raise DatasetError(f"{path}: column 'task_index' has a number twice")
    texts = [f.name for f in table.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    usual = ["task", *(table.schema.pandas_metadata or {}).get("index_columns", ())]
    text = next((name for name in usual if name in texts), texts[0] if len(texts) == 1 else "task")
    return {k: task for k, task in zip(index, cells(table, text, path), strict=True) if isinstance(task, str)}


def write_tasks(path: Path, tasks: Mapping[int, str]) -> None:
    """tasks: by task_index. As pandas would write a frame indexed by sentence; LeRobot reads it with pandas."""
    pa = arrow()

    def described(name: str, kind: str, stored: str) -> dict[str, Any]:
        return {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": stored, "metadata": None}

    about = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [described("task_index", "int64", "int64"), described("task", "unicode", "object")],
        "pandas_version": "2.0.0",
    }
    index, sentences = pa.array(tasks, pa.int64()), pa.array(tasks.values(), pa.string())
    table = pa.table({"task_index": index, "task": sentences})
    pa.parquet.write_table(table.replace_schema_metadata({"pandas": json.dumps(about)}), path, compression="snappy")
