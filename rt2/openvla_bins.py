"""OpenVLA's arithmetic, exactly: quantile normalisation to -1..1, and 256 edges that make 255 bin centres.

Method: OpenVLA (arXiv 2406.09246, section 3.2, and its released action tokenizer). Its two quirks are kept, because
checkpoints were trained with them: the number +1 alone falls behind the last edge and shares the last centre, and the
ends of the range decode to ±0.99608. Not for: RT-2's own bins (rt2.action_tokens).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rt2.errors import InputError

Values = NDArray[np.float64]
Ids = NDArray[np.int64]


def openvla_encode(normalised: ArrayLike, vocab_size: int = 32000, edges: int = 256) -> Ids:
    """Numbers of any shape, clipped to -1..1 → token ids of the same shape. Raises InputError for what is no number."""
    given = np.asarray(normalised)
    if given.dtype.kind not in "fiu" or not np.isfinite(given).all():
        raise InputError("actions hold what is not finite, or no number")
    return vocab_size - 1 - openvla_bins(given, edges)


def openvla_decode(ids: ArrayLike, vocab_size: int = 32000, edges: int = 256) -> Values:
    """Token ids of any shape → bin centres in -1..1; an id that is no action token counts as the nearest one.

    Raises InputError for ids that are no whole numbers.
    """
    given = np.asarray(ids)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"token ids are whole numbers, not {given.dtype}")
    return openvla_values(np.clip(vocab_size - 1 - given.astype(np.int64), 0, edges - 1), edges)


def openvla_bins(normalised: NDArray[np.floating] | NDArray[np.integer], edges: int = 256) -> Ids:
    """0..edges-1 for numbers of any shape; only +1 and above are edges-1."""
    return np.asarray(np.digitize(np.clip(normalised, -1.0, 1.0), _edges(edges)) - 1, dtype=np.int64)


def openvla_values(bins: Ids, edges: int = 256) -> Values:
    """Centres of bins of any shape, 0..edges-1, of which the last two share one."""
    ends = _edges(edges)
    centres: Values = (ends[:-1] + ends[1:]) / 2.0
    return centres[np.clip(bins, 0, edges - 2)]


def normalise(values: Values, q01: Values, q99: Values, mask: NDArray[np.bool_]) -> Values:
    """(…, D) physical numbers, clipped to their quantiles (D,) → -1..1; where mask (D,) is false, as they are.

    OpenVLA's data pipeline adds 1e-8 to the width of a range, against ranges of no width; those are refused here, and
    a range of -1..1 leaves its numbers exactly as they are.
    """
    scaled = (2.0 * np.clip(values, q01, q99) - q01 - q99) / (q99 - q01)
    scaled = np.where((q01 == -1.0) & (q99 == 1.0), values, scaled)  # the arithmetic would round
    return np.where(mask, np.clip(scaled, -1.0, 1.0), values)


def unnormalise(values: Values, q01: Values, q99: Values, mask: NDArray[np.bool_]) -> Values:
    """(…, D) numbers in -1..1 → physical ones; where mask (D,) is false, as they are."""
    return np.where(mask, 0.5 * (values + 1.0) * (q99 - q01) + q01, values)


def _edges(count: int) -> Values:
    return np.linspace(-1.0, 1.0, count)
