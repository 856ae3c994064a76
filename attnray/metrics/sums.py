"""Sums over units that merge across shards, and the intervals they give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
#: The normal distribution's quantile of 97.5%.
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Moments:
    """What a ratio over units and its interval need, whatever the number of units.

    `c` sums what is counted, of any shape, and `t` the cases it is counted of; `cc`, `ct` and
    `tt` sum their squares and products, and `units` counts the units that have cases.
    """

    c: Array
    cc: Array
    ct: Array
    t: Array
    tt: Array
    units: Array


def moments(counts: Array, totals: Array) -> Moments:
    """The moments of `counts` (unit, …) out of `totals` (unit,)."""
    wide = totals.reshape(-1, *[1] * (counts.ndim - 1))
    return Moments(
        c=counts.sum(0),
        cc=(counts * counts).sum(0),
        ct=(counts * wide).sum(0),
        t=np.asarray(totals.sum()),
        tt=np.asarray((totals * totals).sum()),
        units=np.asarray((totals > 0).sum()),
    )


def ratio(sums: Moments) -> Floats:
    """The ratio of the sums; NaN where there is no case."""
    with np.errstate(invalid="ignore"):
        return np.asarray(sums.c / np.float64(sums.t), np.float64)


def mean_interval(sums: Moments) -> tuple[Floats, Floats]:
    """The 95% interval of a ratio over units: Student's t (docs/definitions.md: Intervals).

    NaN with fewer than two units.
    """
    value, error, quantile = ratio(sums), *standard_error(sums)
    return value - quantile * error, value + quantile * error


def accuracy_interval(sums: Moments) -> tuple[Floats, Floats]:
    """The 95% interval of an accuracy over units: Student's t on the logit scale.

    At 0 or 1 it is Wilson's with the units as cases; NaN with fewer than two of them.
    """
    value, error, quantile = ratio(sums), *standard_error(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.log(value / (1 - value))
        half = quantile * error / (value * (1 - value))
        low, high = _expit(middle - half), _expit(middle + half)
    wilson_low, wilson_high = _wilson(value, int(sums.units))
    extreme = (value == 0) | (value == 1)
    return np.where(extreme, wilson_low, low), np.where(extreme, wilson_high, high)


def standard_error(sums: Moments) -> tuple[Floats, float]:
    """The standard error of the ratio and Student's quantile; NaN below two units."""
    units, total, value = int(sums.units), np.float64(sums.t), ratio(sums)
    if units < 2:
        return np.full_like(value, np.nan), np.nan
    from scipy import special  # takes half a second to import

    variance = units / (units - 1) * _squares(sums) / total**2
    return np.sqrt(variance), float(special.stdtrit(units - 1, 0.975))


def _squares(sums: Moments) -> Floats:
    """sum (c - r t)^2; of counts it is exact, since the terms can cancel to nothing."""
    kind = object if np.issubdtype(sums.c.dtype, np.integer) else np.float64
    c, cc, ct = sums.c.astype(kind), sums.cc.astype(kind), sums.ct.astype(kind)
    t, tt = sums.t.astype(kind), sums.tt.astype(kind)
    squares = (cc * t * t - 2 * c * t * ct + c * c * tt) / (t * t)
    return np.maximum(np.asarray(squares, np.float64), 0)


def _wilson(value: Floats, cases: int) -> tuple[Floats, Floats]:
    if cases < 2:
        return np.full_like(value, np.nan), np.full_like(value, np.nan)
    weight = Z95**2 / cases
    middle = (value + weight / 2) / (1 + weight)
    half = Z95 / (1 + weight) * np.sqrt(value * (1 - value) / cases + weight / (4 * cases))
    return middle - half, middle + half


def _expit(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-x)))
