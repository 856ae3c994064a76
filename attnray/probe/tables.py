"""The tables `probes` and `probe_differences` from what probes got right by unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa

from attnray.metrics.paired import difference_of, holm
from attnray.metrics.rows import table_of
from attnray.metrics.sums import accuracy_interval, moments, ratio
from attnray.probe.results import Scored


@dataclass(frozen=True)
class Result:
    """A probe from one seed: the words it learned from, its vectors, and what it got right."""

    model: str
    probe: str
    seed: int
    train_words: int
    vectors: str | None
    scored: Scored


@dataclass(frozen=True)
class ProbeRow:
    """A row of `probes`: what a probe from one seed reads of a parse."""

    probe: str
    seed: int
    train_words: int
    dev_words: int
    uas: float | None
    ci_low: float | None
    ci_high: float | None
    vectors: str | None
    tree_uas: float | None
    tree_ci_low: float | None
    tree_ci_high: float | None
    uuas: float | None
    uuas_ci_low: float | None
    uuas_ci_high: float | None


@dataclass(frozen=True)
class ProbeDifferenceRow:
    """A row of `probe_differences`: the UAS of one probe less that of another."""

    probe: str
    other_probe: str
    other_model: str
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_holm: float | None


def probes_table(scored: Sequence[Result]) -> pa.Table:
    """A row for each probe and seed; intervals are over units (docs/definitions.md: Intervals)."""
    return table_of(ProbeRow, [_row(each) for each in scored])


def differences_table(own: Sequence[Result], others: Sequence[Result]) -> pa.Table:
    """Differences of UAS: of each two probes of a model, and of a probe of it and of another.

    Seeds are pooled; the test is paired over units, which both were scored on. p-values are
    corrected for the number of rows (Holm).

    Args:
        own: the probes of the model.
        others: those of its random twin, if there is one.
    """
    pooled, twins = _pooled(own), _pooled(others)
    pairs = [(later, earlier) for earlier, later in combinations(pooled, 2)]
    pairs += [(one, other) for one in pooled for other in twins if one[1] == other[1]]
    everything = {**pooled, **twins}
    tested = [difference_of(*everything[one], *everything[other]) for one, other in pairs]
    corrected = holm([found.p_value for found in tested])
    rows = []
    for (one, other), found, p_holm in zip(pairs, tested, corrected, strict=True):
        rows.append(
            {
                "probe": one[1],
                "other_probe": other[1],
                "other_model": other[0],
                "difference": found.difference,
                "ci_low": found.low,
                "ci_high": found.high,
                "p_value": found.p_value,
                "p_holm": p_holm,
            }
        )
    return table_of(ProbeDifferenceRow, rows)


def _row(result: Result) -> dict[str, object]:
    counts = result.scored
    row: dict[str, object] = {
        "probe": result.probe,
        "seed": result.seed,
        "train_words": result.train_words,
        "dev_words": int(counts.words.sum()),
        "vectors": result.vectors,
    }
    for prefix, value, right, total in (
        ("", "uas", counts.correct, counts.words),
        ("tree_", "tree_uas", counts.tree_correct, counts.words),
        ("uuas_", "uuas", counts.edges_found, counts.edges),
    ):
        sums = moments(right[:, None], total)
        low, high = accuracy_interval(sums)
        found = {value: ratio(sums)[0], f"{prefix}ci_low": low[0], f"{prefix}ci_high": high[0]}
        row |= {name: None if np.isnan(number) else number for name, number in found.items()}
    return row


def _pooled(
    scored: Sequence[Result],
) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Right and all words by unit of each probe of a model, over its seeds."""
    pooled: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
    for each in scored:
        right, words = pooled.get((each.model, each.probe), (0, 0))
        pooled[each.model, each.probe] = (
            right + each.scored.correct,
            words + each.scored.words,
        )
    return pooled
