"""The numbers of an action: their names, ranges and units, stated by hand or taken from recorded actions.

Not for: cutting ranges into bins (rt2.action_tokens).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, model_validator

from rt2.errors import InputError

FLAG = "flag"  # the unit of a dimension that is only ever its low or its high end
LEAST_RANGE = 1e-6  # metres or radians: below this, a range is a dimension that never moved
LEAST_RELATIVE_RANGE = 1e-9  # below this, bins of the range get lost in the rounding of its ends


class Dimension(BaseModel):
    """One number of an action: its name, the ends of its range, its unit.

    as_is: OpenVLA's mask; the number enters its −1..1 as it is, low and high do not scale it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    low: float
    high: float
    unit: str
    as_is: bool = False

    @model_validator(mode="after")
    def _range_is_usable(self) -> Dimension:
        fault = range_fault(self.low, self.high)
        if fault:
            raise ValueError(f"action dimension '{self.name}': {fault}")
        if self.as_is and (self.low < -1 or self.high > 1):
            raise ValueError(
                f"action dimension '{self.name}': taken as it is, but {self.low:g}..{self.high:g} leaves -1..1"
            )
        return self

    @property
    def is_flag(self) -> bool:
        return self.unit == FLAG

    def __str__(self) -> str:
        return f"{self.name} {self.low:g}..{self.high:g} {self.unit}" + (" as it is" if self.as_is else "")


def standard_dimensions() -> tuple[Dimension, ...]:
    """RT-2's eight, in the order of its string (arXiv 2307.15818, section 3.2), for the tabletop's 0.1 s steps."""
    return (
        Dimension(name="terminate", low=0.0, high=1.0, unit=FLAG),
        *(Dimension(name=name, low=-0.05, high=0.05, unit="m") for name in ("x", "y", "z")),
        *(Dimension(name=name, low=-0.25, high=0.25, unit="rad") for name in ("roll", "pitch", "yaw")),
        Dimension(name="gripper", low=0.0, high=1.0, unit="closedness"),
    )


def ranges_from_quantiles(
    actions: ArrayLike, names: Sequence[str], low: float = 0.01, high: float = 0.99
) -> tuple[Dimension, ...]:
    """Dimensions whose ranges are quantiles of recorded actions (n, D); flags keep theirs, a flag has no quantiles.

    Units are those of the standard dimensions of the same names. Raises InputError for numbers that are not finite and
    for dimensions that (almost) never moved, naming all of them.
    """
    if not 0 <= low < high <= 1:
        raise InputError(f"quantiles lie in 0..1, the low below the high; got {low!r} and {high!r}")
    if len(set(names)) < len(names):
        raise InputError(f"dimensions of one name: {', '.join(names)}")
    try:
        values = np.asarray(actions, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(f"recorded actions are no numbers: {error}") from error
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


def range_fault(low: float, high: float) -> str:
    """In words, why low..high cannot be cut into bins; empty where it can."""
    width = high - low
    if not math.isfinite(width):
        return f"its range {low:g}..{high:g} is not finite"
    if width < max(LEAST_RANGE, LEAST_RELATIVE_RANGE * max(abs(low), abs(high))):
        return f"its range {low:.9g}..{high:.9g} is degenerate: high must be clearly above low"
    return ""
