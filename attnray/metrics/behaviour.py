"""What each head mostly does (section 3 of the paper; docs/definitions.md: Behaviour)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import log

import pyarrow as pa

from attnray.config import BehaviourConfig

#: Behaviours that are a mean weight above a threshold, in the order in which they are tried.
BY_WEIGHT = ("next", "previous", "cls", "sep", "punctuation")
BROAD, OTHER = "broad", "other"
BEHAVIOURS = (*BY_WEIGHT, BROAD, OTHER)


def behaviours(patterns: pa.Table, thresholds: BehaviourConfig, uniform: float) -> pa.Table:
    """The first behaviour of each head whose threshold it exceeds, else `other`.

    Args:
        patterns: the table `patterns`.
        thresholds: what has to be exceeded.
        uniform: the mean over the examples of ln(length), the entropy of uniform attention.

    Returns:
        layer, head, behaviour, in the order of layers and heads.
    """
    values: dict[tuple[int, int], dict[str, float]] = defaultdict(dict)
    for row in patterns.select(["layer", "head", "pattern", "value"]).to_pylist():
        values[row["layer"], row["head"]][row["pattern"]] = row["value"]
    heads = sorted(values)
    return pa.table(
        {
            "layer": pa.array([layer for layer, _ in heads], pa.int64()),
            "head": pa.array([head for _, head in heads], pa.int64()),
            "behaviour": pa.array(
                [_behaviour(values[head], thresholds, uniform) for head in heads], pa.string()
            ),
        }
    )


def _behaviour(value: Mapping[str, float], thresholds: BehaviourConfig, uniform: float) -> str:
    for pattern in BY_WEIGHT:
        if value[pattern] > getattr(thresholds, pattern):
            return pattern
    broad = value["entropy"] * log(thresholds.broad_length) > thresholds.broad * uniform
    return BROAD if broad else OTHER
