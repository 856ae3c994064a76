"""The best head against the best baseline, both held out: a paired test over units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from attnray.corpus.units import FOLDS
from attnray.metrics.best import chosen
from attnray.metrics.sums import Partial, moments, ratio, standard_error

Counts = NDArray[np.int64]

#: Of the variance of a cross-validated score (Nadeau and Bengio, 2003): 1 + folds times the
#: cases that score over those that choose, which of five folds are one and four.
CORRECTION = 1 + FOLDS * (1 / FOLDS) / ((FOLDS - 1) / FOLDS)

#: The columns of a comparison, behind those of the best head.
COLUMNS = ("difference", "difference_ci_low", "difference_ci_high", "p_value", "p_holm")


@dataclass(frozen=True)
class Comparison:
    """A difference of held-out accuracies, its 95% interval, and the test that it is 0.

    None where there are fewer than two units; `p_value` also where a difference other than
    0 is the same in every unit.
    """

    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None

    def columns(self, p_holm: float | None) -> dict[str, float | None]:
        """The cells of `COLUMNS`."""
        values = (self.difference, self.low, self.high, self.p_value, p_holm)
        return dict(zip(COLUMNS, values, strict=True))


def cross_moments(
    heads: Counts, baselines: Counts, totals: Counts, folds: Sequence[int] | Counts
) -> Partial:
    """What the test of any head against any baseline needs, added up over the units of a fold.

    Args:
        heads: right cases by (unit, head).
        baselines: right cases by (unit, baseline).
        totals: cases by unit.
        folds: the fold of each unit.

    Returns:
        Integers whose size does not grow with the units: counts, squares and products, each
        (fold, …).
    """
    member = (np.asarray(folds, np.int64) == np.arange(FOLDS)[:, None]).astype(np.int64)
    products = {
        "h": heads,
        "b": baselines,
        "hh": heads * heads,
        "bb": baselines * baselines,
        "ht": heads * totals[:, None],
        "bt": baselines * totals[:, None],
        "tt": totals * totals,
        "t": totals,
        "units": (totals > 0).astype(np.int64),
    }
    sums: Partial = {name: member @ values for name, values in products.items()}
    sums["hb"] = np.stack([(heads * of[:, None]).T @ baselines for of in member])
    return sums


def compare(sums: Partial) -> Comparison:
    """The head against the baseline that are best on the other folds, on the cases of each fold.

    The difference is a ratio of sums over units, and its error that of one (contract: Tables).
    Where folds choose differently, each helped to choose for the others, and their scores
    are not independent: then the variance is `CORRECTION` times as large.

    Args:
        sums: merged `cross_moments`.
    """
    heads, baselines = chosen(sums["h"]), chosen(sums["b"])
    picked = list(zip(range(FOLDS), heads, baselines, strict=True))
    difference = {
        "c": sum(sums["h"][f, h] - sums["b"][f, b] for f, h, b in picked),
        "cc": sum(
            sums["hh"][f, h] - 2 * sums["hb"][f, h, b] + sums["bb"][f, b] for f, h, b in picked
        ),
        "ct": sum(sums["ht"][f, h] - sums["bt"][f, b] for f, h, b in picked),
        "t": sums["t"].sum(),
        "tt": sums["tt"].sum(),
        "units": sums["units"].sum(),
    }
    alike = len(set(heads)) == len(set(baselines)) == 1
    moments = {name: np.asarray(value) for name, value in difference.items()}
    return _tested(moments, 1 if alike else CORRECTION)


def difference_of(
    correct: Counts,
    totals: Counts,
    other_correct: Counts,
    other_totals: Counts,
    held_out_alike: bool = True,
) -> Comparison:
    """One accuracy less another, over the same units, whose cases may be counted several times.

    Args:
        correct: right cases by unit.
        totals: cases by unit.
        other_correct: those of the other, by the same units.
        other_totals: the same cases as `totals`, each counted equally often.
        held_out_alike: whether every fold has the same heads, of held-out choices (see
            `compare`).
    """
    # Counts of, say, one seed and of three are brought to the same number of cases.
    times, other_times = int(other_totals.sum()), int(totals.sum())
    if not times or not other_times:
        return Comparison()
    shared = np.gcd(times, other_times)
    times, other_times = times // shared, other_times // shared
    found = moments((correct * times - other_correct * other_times)[:, None], totals * times)
    summed = {name: np.asarray(value).squeeze() for name, value in found.items()}
    return _tested(summed, 1 if held_out_alike else CORRECTION)


def _tested(sums: Partial, correction: float = 1) -> Comparison:
    """A difference with its interval and test, from its moments over units.

    `correction` multiplies its variance.
    """
    units = int(sums["units"])
    if not sums["t"]:
        return Comparison()
    value = float(ratio(sums))
    if units < 2:
        return Comparison(value)
    error, quantile = standard_error(sums)
    wide = float(error) * math.sqrt(correction)
    reach = quantile * wide
    return Comparison(value, value - reach, value + reach, _p_value(value, wide, units))


def _p_value(value: float, error: float, units: int) -> float | None:
    """Student's two-sided test that a difference is 0."""
    if error == 0:
        return None if value else 1.0
    return float(2 * stats.t.sf(abs(value) / error, units - 1))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The p-values corrected for their number by Holm's step-down method; None stays None."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for rank, (p, place) in enumerate(known):
        reached = max(reached, min(1.0, (len(known) - rank) * p))
        corrected[place] = reached
    return corrected
