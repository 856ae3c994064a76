"""Gains: what each head has right beyond the best baseline (docs/definitions.md: Gains)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from attnray.metrics.base import Predictor, grid, nullable
from attnray.metrics.best import FEWEST_UNITS, best
from attnray.metrics.paired import gains, holm
from attnray.metrics.predictions import Predictions
from attnray.metrics.rows import schema


def gains_table(
    predictor: type[Predictor],
    row: type[Any],
    item: str,
    rows: Mapping[str, Predictions],
    units: int,
    baselines: Sequence[str] = (),
    **every: int,
) -> pa.Table:
    """Every head for every row of the table of best heads, p-values corrected over all of them.

    Args:
        predictor: what heads are measured as.
        row: the row type.
        item: the column that names the rows.
        rows: what heads have right, merged over all shards.
        units: how many units there are of any row.
        baselines: their names, where the table has them.
        every: what every row has.
    """
    parts = []
    for name, found in rows.items():
        columns = _columns(found, units, predictor.directions, baselines)
        size = found.heads.c.shape[0] * found.heads.c.shape[1]
        fixed = {**every, item: name, "total": int(found.heads.t)}
        parts.append({**{key: np.full(size, value) for key, value in fixed.items()}, **columns})
    whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    single = ~np.isin(whole[item], predictor.together) & ~np.isnan(whole["p_value"])
    whole["p_holm"] = np.full(single.size, np.nan)
    whole["p_holm"][single] = holm(whole["p_value"][single].tolist())
    return pa.table({key: _column(values) for key, values in whole.items()}, schema=schema(row))


def _columns(
    found: Predictions, units: int, directions: Sequence[str], baselines: Sequence[str]
) -> dict[str, Any]:
    """The columns of the heads of a row, layers first."""
    ways = found.heads.c.reshape(*found.heads.c.shape[:2], -1)
    layer, head = grid(ways.shape[:2])
    known = units >= FEWEST_UNITS
    held = gains(found.paired, len(directions))
    tested = held.differences
    numbers = {
        "accuracy": held.accuracy,
        "baseline_accuracy": held.baseline_accuracy,
        "difference": tested.difference,
        "difference_ci_low": tested.low,
        "difference_ci_high": tested.high,
        "p_value": tested.p_value,
    }
    rule = baselines[best(found.paired.b.sum(0))] if baselines and int(found.heads.t) else None
    return {
        "layer": layer + 1,
        "head": head + 1,
        "direction": np.array(directions)[ways.argmax(-1).ravel()],
        "baseline": np.full(layer.size, rule, object),
        **{name: np.where(known, values, np.nan) for name, values in numbers.items()},
    }


def _column(values: Any) -> Any:
    return nullable(values) if values.dtype == np.float64 else values
