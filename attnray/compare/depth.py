"""Behaviours by relative depth: what heads of each layer do, in models of any number of layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from attnray.compare.subjects import Subject
from attnray.metrics.behaviour import BEHAVIOURS
from attnray.metrics.rows import whole_schema
from attnray.report.compared.rows import DepthRow


def depth_table(subjects: Sequence[Subject]) -> pa.Table:
    """The share of a layer's heads with each behaviour.

    `depth` is the layer's place between the first (0) and the last (1); 0 with a single layer.
    """
    tables = [table for s in subjects if (table := s.table("heads")) is not None]
    return pa.Table.from_pylist(
        [row for table in tables for row in _rows(table)], whole_schema(DepthRow)
    )


def _rows(table: pa.Table) -> list[dict[str, object]]:
    heads = table.to_pylist()
    layers = sorted({row["layer"] for row in heads})
    return [
        {
            "model": heads[0]["model"],
            "corpus": heads[0]["corpus"],
            "layer": layer,
            "depth": (layer - 1) / max(1, layers[-1] - 1),
            "behaviour": behaviour,
            "heads": count,
            "share": count / total,
        }
        for layer in layers
        for found in [Counter(row["behaviour"] for row in heads if row["layer"] == layer)]
        for total in [sum(found.values())]
        for behaviour in BEHAVIOURS
        for count in [found[behaviour]]
    ]
