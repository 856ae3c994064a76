"""Probes of different models, in pairs over documents (table `probe_differences`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pyarrow as pa

from attnray.compare.subjects import Subject
from attnray.metrics.paired import holm
from attnray.metrics.rows import whole_schema
from attnray.probe.tables import ProbeDifferenceRow, differences_table
from attnray.stages.reduce import results


def probe_differences_table(subjects: Sequence[Subject]) -> pa.Table:
    """Each probe of every two subjects that were scored on the same sentences."""
    probed = [(s, [replace(each, model=s.name) for each in results(s.run)]) for s in subjects]
    rows: list[dict[str, object]] = []
    for (one, ours), (other, theirs) in combinations([each for each in probed if each[1]], 2):
        if one.examples("dev") == other.examples("dev"):
            (dev,) = one.run.manifest.sets_of("dev")
            named = {"model": one.name, "corpus": dev.corpus}
            found = differences_table(ours, theirs).to_pylist()
            between = [row for row in found if row["other_model"] == other.name]
            corrected = holm([row["p_value"] for row in between])
            rows += [
                {**named, **row, "p_holm": p} for row, p in zip(between, corrected, strict=True)
            ]
    return pa.Table.from_pylist(rows, whole_schema(ProbeDifferenceRow))
