"""The best head against the best baseline, both held out: a paired test over units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attnray.corpus.units import FOLDS
from attnray.metrics.best import FEWEST_UNITS, picks
from attnray.metrics.sums import Moments, moments, ratio, standard_error

Counts = NDArray[np.int64]

#: Of the variance of a cross-validated score (Nadeau and Bengio, 2003): 1 + folds times the
#: cases that score over those that choose, which of five folds are one and four.
CORRECTION = 1 + FOLDS * (1 / FOLDS) / ((FOLDS - 1) / FOLDS)

#: The columns of a comparison, behind those of the best head.
COLUMNS = ("difference", "difference_ci_low", "difference_ci_high", "p_value", "p_holm")


@dataclass(frozen=True)
class Comparison:
    """A difference of held-out accuracies, its 95% interval, and the test that it is 0.

    Interval and test are None where fewer than `FEWEST_UNITS` units have a case; `p_value` also
    where a difference other than 0 is the same in every unit.
    """

    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None

    def columns(self, p_holm: float | None) -> dict[str, float | None]:
        """The cells of `COLUMNS`."""
        values = (self.difference, self.low, self.high, self.p_value, p_holm)
        return dict(zip(COLUMNS, values, strict=True))


@dataclass(frozen=True)
class CrossMoments:
    """What the test of any head against any baseline needs, by fold: integers of a fixed size.

    Right cases of heads (`h`) and baselines (`b`), and cases (`t`), added up over the units of
    a fold, as they are and in products; `units` counts those that have cases.
    """

    h: Counts
    b: Counts
    hh: Counts
    bb: Counts
    ht: Counts
    bt: Counts
    hb: Counts
    tt: Counts
    t: Counts
    units: Counts


def cross_moments(
    heads: Counts, baselines: Counts, totals: Counts, folds: Sequence[int] | Counts
) -> CrossMoments:
    """The cross moments of some units.

    Args:
        heads: right cases by (unit, head).
        baselines: right cases by (unit, baseline).
        totals: cases by unit.
        folds: the fold of each unit.
    """
    member = (np.asarray(folds, np.int64) == np.arange(FOLDS)[:, None]).astype(np.float64)
    h, b, t = (each.astype(np.float64) for each in (heads, baselines, totals))
    in_fold = [np.flatnonzero(of) for of in member]
    return CrossMoments(
        h=_exact(member @ h),
        b=_exact(member @ b),
        hh=_exact(member @ (h * h)),
        bb=_exact(member @ (b * b)),
        ht=_exact(member @ (h * t[:, None])),
        bt=_exact(member @ (b * t[:, None])),
        hb=_exact(np.stack([h[units].T @ b[units] for units in in_fold])),
        tt=_exact(member @ (t * t)),
        t=_exact(member @ t),
        units=_exact(member @ (t > 0)),
    )


def _exact(sums: NDArray[np.float64]) -> Counts:
    """Sums of whole numbers, which float64 holds exactly up to 2**53."""
    return sums.astype(np.int64)


def compare(sums: CrossMoments) -> Comparison:
    """The head against the baseline that are best on the other folds, on the cases of each fold.

    The difference is a ratio of sums over units, and its error that of one (docs/definitions.md:
    Intervals). Where folds pick differently, each helped to pick for the others, and their
    scores are not independent: then the variance is `CORRECTION` times as large.

    Args:
        sums: merged over all shards.
    """
    heads, baselines = picks(sums.h), picks(sums.b)
    picked = list(zip(range(FOLDS), heads, baselines, strict=True))
    difference = Moments(
        c=np.asarray(sum(sums.h[f, h] - sums.b[f, b] for f, h, b in picked)),
        cc=np.asarray(
            sum(sums.hh[f, h] - 2 * sums.hb[f, h, b] + sums.bb[f, b] for f, h, b in picked)
        ),
        ct=np.asarray(sum(sums.ht[f, h] - sums.bt[f, b] for f, h, b in picked)),
        t=np.asarray(sums.t.sum()),
        tt=np.asarray(sums.tt.sum()),
        units=np.asarray(sums.units.sum()),
    )
    alike = len(set(heads)) == len(set(baselines)) == 1
    return _tested(difference, 1 if alike else CORRECTION)


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
    single = replace(found, c=found.c[0], cc=found.cc[0], ct=found.ct[0])
    return _tested(single, 1 if held_out_alike else CORRECTION)


def _tested(sums: Moments, correction: float = 1) -> Comparison:
    """A difference with its interval and test, from its moments over units.

    `correction` multiplies its variance.
    """
    units = int(sums.units)
    if not sums.t:
        return Comparison()
    value = float(ratio(sums))
    if units < FEWEST_UNITS:
        return Comparison(value)
    error, quantile = standard_error(sums)
    wide = float(error) * math.sqrt(correction)
    reach = quantile * wide
    # No difference of two fractions lies outside of -1 to 1.
    low, high = max(-1.0, value - reach), min(1.0, value + reach)
    return Comparison(value, low, high, _p_value(value, wide, units))


def _p_value(value: float, error: float, units: int) -> float | None:
    """Student's two-sided test that a difference is 0."""
    if error == 0:
        return None if value else 1.0
    from scipy import special  # takes half a second to import

    return float(2 * special.stdtr(units - 1, -abs(value) / error))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The p-values corrected for their number by Holm's step-down method; None stays None."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for rank, (p, place) in enumerate(known):
        reached = max(reached, min(1.0, (len(known) - rank) * p))
        corrected[place] = reached
    return corrected
