"""Held out: what the heads picked on the other folds get right, for each sentence and mention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.errors import InputError
from attnray.metrics.base import Predictor
from attnray.metrics.best import FEWEST_UNITS, picks
from attnray.metrics.predictions import bits
from attnray.metrics.tree import grown
from attnray.store.run import Run

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class HeldOut:
    """Right and all cases by item; `alike` says whether every fold has the same pick.

    An item is a sentence, of syntax, or a mention, known by a number that no model decides;
    `units` has the document, or block of sentences, of each.
    """

    items: Counts
    units: Counts
    correct: Counts
    totals: Counts
    alike: bool


#: By what examples are cut to and row of a table: relation, mention type or gender.
ByRow = dict[tuple[int | None, str], HeldOut]


def heldout(run: Run, metric: str) -> ByRow:
    """What the picks of a predictor get right, from the cases that its run kept.

    Returns:
        For each row what is held out; without those of too few units.

    Raises:
        InputError: the run kept no cases.
        IncompleteRun: cases are missing or damaged.
    """
    if not run.config.cases:
        raise InputError(f"{run.folder} kept no cases to compare: start it again with cases=true")
    found: ByRow = {}
    for each in run.measurements(metric):
        predictor, shards = each.metric, each.examples.shards
        assert isinstance(predictor, Predictor)
        kind = predictor.partial
        total = grown(kind, run.folder.summed(metric, kind, shards))
        chosen = {row: picks(own.paired.h) for row, own in predictor.by_row(total).items()}
        parts = [_scored(run, predictor, shard, chosen) for shard in shards]
        for row, heads in chosen.items():
            held = _joined([part[row] for part in parts if row in part], len(set(heads)) == 1)
            if len(np.unique(held.units)) >= FEWEST_UNITS:
                found[each.examples.max_tokens, row] = held
    return found


def _scored(
    run: Run, predictor: Predictor, shard: int, chosen: Mapping[str, Sequence[int]]
) -> dict[str, pa.Table]:
    """The cases of a shard by row: item, unit, and whether the pick of their fold is right."""
    cases = run.folder.cases(predictor.name, shard)
    planned = run.manifest.shard(shard)
    examples = run.folder.example_columns(*planned, ["index", "words"])
    words = dict(zip(examples["index"].to_pylist(), examples["words"].to_pylist(), strict=True))
    fold = cases["fold"].to_numpy()
    items = pa.array(predictor.items(cases, words), pa.int64())
    known = pa.table({"item": items, "unit": cases["unit"]})
    scored = {}
    for row, belongs in predictor.groups(cases).items():
        right = pa.array(bits(cases, np.array(chosen[row], np.int64)[fold]))
        scored[row] = known.append_column("right", right).filter(pa.array(belongs))
    return scored


def _joined(parts: Sequence[pa.Table], alike: bool) -> HeldOut:
    """The cases of all shards by item."""
    whole = pa.concat_tables(parts)
    items, first, item_of = np.unique(
        whole["item"].to_numpy(), return_index=True, return_inverse=True
    )
    totals = np.bincount(item_of, minlength=len(items)).astype(np.int64)
    correct = np.bincount(item_of, whole["right"].to_numpy(), len(items)).astype(np.int64)
    return HeldOut(items, whole["unit"].to_numpy()[first], correct, totals, alike)
