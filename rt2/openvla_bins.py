"""OpenVLA's arithmetic, exactly: quantile normalisation to -1..1, and 256 edges that make 255 bin centres.

Method: OpenVLA (arXiv 2406.09246, section 3.2, and its released action tokenizer). Its two quirks are kept, because
checkpoints were trained with them: the number +1 alone falls behind the last edge and shares the last centre, and the
ends of the range decode to ±0.99608. Not for: RT-2's own bins (rt2.action_tokens).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rt2.action_contract import FLAG, Dimension, range_fault, standard_dimensions
from rt2.errors import InputError

Values = NDArray[np.float64]
Ids = NDArray[np.int64]

WIDTH_GUARD = 1e-8  # what OpenVLA's data pipeline adds to the width of a range before it divides by it


def openvla_encode(normalised: ArrayLike, vocab_size: int = 32000, edges: int = 256) -> Ids:
    """Numbers of any shape, clipped to -1..1 → token ids of the same shape."""
    return vocab_size - 1 - openvla_bins(np.asarray(normalised), edges)


def openvla_decode(ids: ArrayLike, vocab_size: int = 32000, edges: int = 256) -> Values:
    """Token ids of any shape → bin centres in -1..1; an id that is no action token counts as the nearest one."""
    return openvla_values(np.clip(vocab_size - 1 - np.asarray(ids, dtype=np.int64), 0, edges - 1), edges)


def openvla_bins(normalised: NDArray[np.floating] | NDArray[np.integer], edges: int = 256) -> Ids:
    """0..edges-1 for numbers of any shape; only +1 and above are edges-1."""
    return np.asarray(np.digitize(np.clip(normalised, -1.0, 1.0), _edges(edges)) - 1, dtype=np.int64)


def openvla_values(bins: Ids, edges: int = 256) -> Values:
    """Centres of bins of any shape, 0..edges-1, of which the last two share one."""
    ends = _edges(edges)
    centres: Values = (ends[:-1] + ends[1:]) / 2.0
    return centres[np.clip(bins, 0, edges - 2)]


def normalise(values: Values, q01: Values, q99: Values, mask: NDArray[np.bool_]) -> Values:
    """(…, D) physical numbers → -1..1 by their quantiles (D,), clipped; where mask (D,) is false, as they are."""
    scaled = np.clip(2.0 * (values - q01) / (q99 - q01 + WIDTH_GUARD) - 1.0, -1.0, 1.0)
    return np.where(mask, scaled, values)


def unnormalise(values: Values, q01: Values, q99: Values, mask: NDArray[np.bool_]) -> Values:
    """(…, D) numbers in -1..1 → physical ones; where mask (D,) is false, as they are."""
    return np.where(mask, 0.5 * (values + 1.0) * (q99 - q01) + q01, values)


def ranges_from_quantiles(
    actions: ArrayLike, names: Sequence[str], low: float = 0.01, high: float = 0.99
) -> tuple[Dimension, ...]:
    """Dimensions whose ranges are quantiles of recorded actions (n, D); flags keep theirs, a flag has no quantiles.

    Units are those of the standard dimensions of the same names. Raises InputError for numbers that are not finite and
    for dimensions that (almost) never moved, naming all of them.
    """
    values = np.asarray(actions, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(names) or not len(values):
        raise InputError(f"expected recorded actions (n, {len(names)}): {', '.join(names)}; got shape {values.shape}")
    broken = [name for k, name in enumerate(names) if not np.isfinite(values[:, k]).all()]
    if broken:
        raise InputError(f"recorded actions hold NaN or infinite numbers in: {', '.join(broken)}")
    ends = np.quantile(values, [low, high], axis=0)
    known = {d.name: d for d in standard_dimensions()}
    dimensions, faults = [], []
    for name, bottom, top in zip(names, *ends.tolist(), strict=True):
        standard = known.get(name)
        fault = range_fault(bottom, top)
        if standard and standard.unit == FLAG:
            dimensions.append(standard)
        elif fault:
            faults.append(f"'{name}': {fault}")
        else:
            dimensions.append(Dimension(name=name, low=bottom, high=top, unit=standard.unit if standard else ""))
    if faults:
        raise InputError("recorded actions give no usable range for " + "; ".join(faults))
    return tuple(dimensions)


def _edges(count: int) -> Values:
    return np.linspace(-1.0, 1.0, count)
