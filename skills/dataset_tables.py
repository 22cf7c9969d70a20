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
    """Raises DatasetError for a file that is missing, cut short or no Parquet file."""
    pa = arrow()
    try:
        return pa.parquet.read_table(path, columns=None if columns is None else list(columns), partitioning=None)
    except FileNotFoundError as error:
        raise DatasetError(f"{path} is missing") from error
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{path}: no whole Parquet file: {error}") from error


def numbers(table: Any, name: str) -> NDArray[Any]:
    """(n,) or (n, d) of a column."""
    values = table.column(name).combine_chunks()
    if hasattr(values.type, "value_type"):
        return np.asarray(values.flatten().to_numpy(zero_copy_only=False)).reshape(len(values), -1)
    return np.asarray(values.to_numpy(zero_copy_only=False))


def read_tasks(folder: Path) -> list[str]:
    """Sentences by task_index."""
    table = read_table(folder / TASKS)
    (text,) = (name for name in table.column_names if name != "task_index")
    order = np.argsort(numbers(table, "task_index"))
    sentences: list[str] = table.column(text).to_pylist()
    return [sentences[k] for k in order]


def write_tasks(path: Path, tasks: Sequence[str]) -> None:
    """As pandas would write a frame indexed by sentence; LeRobot reads it with pandas."""
    pa = arrow()

    def described(name: str, kind: str, stored: str) -> dict[str, Any]:
        return {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": stored, "metadata": None}

    about = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": [described("task_index", "int64", "int64"), described("task", "unicode", "object")],
        "pandas_version": "2.0.0",
    }
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())})
    pa.parquet.write_table(table.replace_schema_metadata({"pandas": json.dumps(about)}), path, compression="snappy")
