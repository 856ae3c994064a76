"""The table `heads`: what each head does, and where it lies among the others."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import pyarrow as pa

from attnray.config import BehaviourConfig
from attnray.metrics.behaviour import behaviours
from attnray.metrics.scaling import scaled

#: The table, the table it is made of, and the one it is made of too where there is one.
HEADS, NEEDS, USES = "heads", "patterns", "divergence"


@dataclass(frozen=True)
class HeadRow:
    """A row of `heads`: what a head mostly does, and its place among the others, in nats."""

    layer: int
    head: int
    behaviour: str
    x: float | None
    y: float | None


def heads_table(
    patterns: pa.Table,
    divergence: pa.Table | None,
    thresholds: BehaviourConfig,
    uniform: float,
    seed: int,
) -> pa.Table:
    """Behaviour and place of each head (section 6 of the paper; docs/definitions.md: Behaviour).

    Args:
        patterns: the table `patterns`.
        divergence: the table `divergence`, where there is one.
        thresholds: of the behaviours.
        uniform: the mean over the examples of ln(length).
        seed: of the scaling.

    Returns:
        layer, head, behaviour, x, y, in the order of layers and heads; x and y are null
        without divergences.
    """
    heads = behaviours(patterns, thresholds, uniform)
    if divergence is None:
        nothing = pa.nulls(len(heads), pa.float64())
        return heads.append_column("x", nothing).append_column("y", nothing)
    keys = ("layer_a", "head_a", "layer_b", "head_b")
    ordered = divergence.sort_by([(key, "ascending") for key in keys])
    values = ordered["js_divergence"].to_numpy()
    x, y = scaled(values.reshape(isqrt(values.size), -1), seed).T
    return heads.append_column("x", pa.array(x)).append_column("y", pa.array(y))
