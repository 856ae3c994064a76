"""The best head against the best baseline, both held out: a paired test over units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attnray.corpus.units import FOLDS
from attnray.metrics.best import FEWEST_UNITS, picks
from attnray.metrics.sums import Moments, moments, ratio, standard_error

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Of the variance of a cross-validated score (Nadeau and Bengio, 2003): 1 + folds times the
#: cases that score over those that choose, which of five folds are one and four.
CORRECTION = 1 + FOLDS * (1 / FOLDS) / ((FOLDS - 1) / FOLDS)

#: The columns of a comparison, behind those of the best head.
COLUMNS = ("difference", "difference_ci_low", "difference_ci_high", "p_value", "p_holm")


@dataclass(frozen=True)
class Differences:
    """Differences of held-out accuracies, their 95% intervals, and the tests that they are 0.

    Arrays by what is tested; interval and test are NaN where fewer than `FEWEST_UNITS` units have
    a case, `p_value` also where a difference other than 0 is the same in every unit.
    """

    difference: Floats
    low: Floats
    high: Floats
    p_value: Floats


@dataclass(frozen=True)
class Comparison:
    """One of them, None for NaN."""

    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None

    @classmethod
    def of(cls, tested: Differences, place: int) -> Comparison:
        """That at a place."""
        values = (tested.difference, tested.low, tested.high, tested.p_value)
        return cls(*(None if np.isnan(v[place]) else float(v[place]) for v in values))

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


@dataclass(frozen=True)
class Gains:
    """Accuracies of some predictors on held-out folds, that of the baseline, and the differences.

    Arrays by predictor; NaN where there are no cases.
    """

    accuracy: Floats
    baseline_accuracy: Floats
    differences: Differences


def compare(sums: CrossMoments) -> Comparison:
    """The head against the baseline that are best on the other folds, on the cases of each fold.

    The difference is a ratio of sums over units, and its error that of one (docs/definitions.md:
    Intervals). Where folds pick differently, each helped to pick for the others, and their
    scores are not independent: then the variance is `CORRECTION` times as large.

    Args:
        sums: merged over all shards.
    """
    return Comparison.of(_gains(sums, np.array(picks(sums.h))[:, None]).differences, 0)


def gains(sums: CrossMoments, directions: int = 1) -> Gains:
    """Every head, layers first, against the baseline that is best on the other folds.

    As in `compare`, but that the head is given: only its direction is picked on the other folds.

    Args:
        sums: merged over all shards.
        directions: how many candidates a head is, one behind the other.
    """
    by_head = sums.h.reshape(FOLDS, -1, directions)
    ways = np.argmax(by_head.sum(0) - by_head, axis=2)
    return _gains(sums, np.arange(by_head.shape[1]) * directions + ways)


def _gains(sums: CrossMoments, candidates: Counts) -> Gains:
    """Predictors, each of which is a candidate on each fold (fold, predictor)."""
    fold, rules = np.arange(FOLDS)[:, None], np.array(picks(sums.b))[:, None]
    right, theirs = sums.h[fold, candidates], sums.b[fold, rules]
    both = sums.hb[fold, candidates, rules]
    difference = Moments(
        c=(right - theirs).sum(0),
        cc=(sums.hh[fold, candidates] - 2 * both + sums.bb[fold, rules]).sum(0),
        ct=(sums.ht[fold, candidates] - sums.bt[fold, rules]).sum(0),
        t=np.asarray(sums.t.sum()),
        tt=np.asarray(sums.tt.sum()),
        units=np.asarray(sums.units.sum()),
    )
    alike = (candidates == candidates[0]).all(0) & (rules == rules[0]).all()
    by_rules = np.broadcast_to(theirs.sum(0), alike.shape)
    return Gains(
        ratio(replace(difference, c=right.sum(0))),
        ratio(replace(difference, c=by_rules)),
        _tested(difference, np.where(alike, 1, CORRECTION)),
    )


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
    return Comparison.of(_tested(found, np.array([1 if held_out_alike else CORRECTION])), 0)


def _tested(sums: Moments, corrections: Floats) -> Differences:
    """Differences with their intervals and tests, from their moments over units.

    `corrections` multiply their variances.
    """
    value, (error, quantile) = ratio(sums), standard_error(sums)
    units = int(sums.units)
    wide = error * np.sqrt(corrections) if units >= FEWEST_UNITS else np.full_like(error, np.nan)
    reach = quantile * wide
    # No difference of two fractions lies outside of -1 to 1.
    low, high = np.maximum(value - reach, -1.0), np.minimum(value + reach, 1.0)
    return Differences(value, low, high, _p_values(value, wide, units))


def _p_values(value: Floats, error: Floats, units: int) -> Floats:
    """Student's two-sided test that a difference is 0; NaN where it cannot be made."""
    from scipy import special  # takes half a second to import

    with np.errstate(divide="ignore", invalid="ignore"):
        p_values = 2 * special.stdtr(units - 1, -np.abs(value) / error)
    without_error = np.where(value == 0, 1.0, np.nan)
    return np.asarray(np.where(error == 0, without_error, p_values), np.float64)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The p-values corrected for their number by Holm's step-down method; None stays None."""
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for rank, (p, place) in enumerate(known):
        reached = max(reached, min(1.0, (len(known) - rank) * p))
        corrected[place] = reached
    return corrected
