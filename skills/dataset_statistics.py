"""Statistics of features as LeRobot keeps them: min, max, mean, std, count and five quantiles.

Not for: normalising anything; the model keeps statistics of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

QUANTILES: Mapping[str, float] = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
Statistics: TypeAlias = dict[str, NDArray[Any]]


def of_vectors(values: NDArray[Any]) -> Statistics:
    """values: (n, d) or (n,); every statistic is (d,), count (1,)."""
    rows = np.asarray(values, np.float64).reshape(len(values), -1)
    statistics = {"min": rows.min(0), "max": rows.max(0), "mean": rows.mean(0), "std": rows.std(0)}
    quantiles = np.quantile(rows, list(QUANTILES.values()), axis=0)
    return {**statistics, "count": np.array([len(rows)]), **dict(zip(QUANTILES, quantiles, strict=True))}


def of_pictures(pictures: NDArray[np.uint8]) -> Statistics:
    """pictures: (n, h, w, 3); every statistic is (3, 1, 1) in 0..1, count (1,) pictures."""
    counts = np.stack([np.bincount(pictures[..., k].ravel(), minlength=256) for k in range(3)])  # (3, 256)
    shares, levels = counts / counts.sum(1, keepdims=True), np.arange(256) / 255.0
    mean = shares @ levels
    below = np.cumsum(shares, axis=1)
    numbers = {
        "min": levels[(counts > 0).argmax(1)],
        "max": levels[255 - (counts[:, ::-1] > 0).argmax(1)],
        "mean": mean,
        "std": np.sqrt(np.maximum(0.0, shares @ levels**2 - mean**2)),
        **{name: levels[(below >= share - 1e-12).argmax(1)] for name, share in QUANTILES.items()},
    }
    return {
        **{name: value.reshape(3, 1, 1) for name, value in numbers.items()},
        "count": np.array([len(pictures)]),
    }


def pooled(parts: Sequence[Statistics]) -> Statistics:
    """Of all parts together. Exact but for the quantiles, which are means weighted by count, as LeRobot pools them."""
    counts = np.array([float(part["count"][0]) for part in parts])
    weights = counts / counts.sum()

    def weighted(values: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        return np.asarray(np.tensordot(weights, np.stack(values), axes=1))

    mean = weighted([part["mean"] for part in parts])
    spread = weighted([part["std"] ** 2 + (part["mean"] - mean) ** 2 for part in parts])
    return {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": mean,
        "std": np.sqrt(spread),
        "count": np.array([int(counts.sum())]),
        **{name: weighted([part[name] for part in parts]) for name in QUANTILES},
    }


def to_json(statistics: Mapping[str, Statistics]) -> dict[str, dict[str, Any]]:
    return {key: {name: value.tolist() for name, value in part.items()} for key, part in statistics.items()}
