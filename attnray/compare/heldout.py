"""Held out, by item: what the heads chosen on the other folds got right, from stored attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from attnray.compare.items import Items
from attnray.corpus.example import Example
from attnray.metrics.base import AttentionMetric, Predictions, UnitCounts, merge, under
from attnray.metrics.best import FEWEST_UNITS, chosen
from attnray.metrics.sums import Partial
from attnray.pipeline.analyse import groups
from attnray.pipeline.extract import read_examples
from attnray.pipeline.run import Measurement, Run
from attnray.store.attention import AttentionReader
from attnray.store.folder import fingerprint
from attnray.store.partials import read_partial, write_partial


@dataclass(frozen=True)
class HeldOut:
    """Right and all cases by item; `alike` says whether every fold chose the same head.

    An item is a sentence of syntax, or a mention; see `Items` for its number. `units` has the
    document, or block of sentences, of each.
    """

    items: NDArray[np.int64]
    units: NDArray[np.int64]
    correct: NDArray[np.int64]
    totals: NDArray[np.int64]
    alike: bool


def heldout(run: Run, metric: str, measurement: Measurement, number: int) -> dict[str, HeldOut]:
    """The held-out choice of every row of a metric's table of best heads.

    The heads were chosen by the partials of all shards; to score them by item, attention is
    read once more, and what was found is kept in the run folder.

    Args:
        run: a reduced run whose attention is stored.
        metric: syntax, coreference or gap.
        measurement: the metric over one of its example sets.
        number: which of them.

    Returns:
        By row: relations, mention types or genders. Empty with too few units to hold out.
    """
    shards = measurement.examples.shards
    identity = fingerprint(
        {"version": 2, "partials": [run.partial_identity(measurement.metric, s) for s in shards]}
    )
    stage = f"heldout-{metric}"
    path = run.folder.partial(stage, number)
    if not run.folder.done(stage, number, identity):
        write_partial(path, _flat(_scored(run, measurement)))
        run.folder.commit(stage, number, identity, [path])
    return _rows(read_partial(path))


def _scored(run: Run, measurement: Measurement) -> dict[str, HeldOut]:
    name, shards = measurement.metric.name, measurement.examples.shards
    total = merge(read_partial(run.folder.partial(name, shard)) for shard in shards)
    items = Items()
    by_row: dict[str, list[UnitCounts]] = {}
    for shard in shards:
        examples = items.alone(read_examples(run.folder, shard))
        for row, counts in _by_item(run, measurement, shard, examples).items():
            by_row.setdefault(row, []).append(counts)
    found = {}
    for row, parts in by_row.items():
        picked = chosen(under(total, f"{row}/paired")["h"])
        chosen_of_row = _chosen_of(parts, picked, items)
        if len(np.unique(chosen_of_row.units)) >= FEWEST_UNITS:
            found[row] = chosen_of_row
    return found


def _by_item(
    run: Run, measurement: Measurement, shard: int, examples: Sequence[Example]
) -> dict[str, UnitCounts]:
    """What all heads got right in the items of a shard, by row."""
    reader = AttentionReader(run.folder.attention(shard))
    metric = cast(AttentionMetric, measurement.metric)
    sums = cast(Predictions, metric.start(examples, reader.heads))
    for first, layers, attention in groups(reader, [e.length for e in examples]):
        sums.add(first, layers, attention)
    return sums.by_unit()


def _chosen_of(parts: list[UnitCounts], picked: list[int], items: Items) -> HeldOut:
    """Of every item, what the head picked for its fold got right."""
    pick = np.array(picked)
    correct = [part.correct[np.arange(len(part.units)), pick[part.folds]] for part in parts]
    numbers = np.concatenate([part.units for part in parts])
    return HeldOut(
        numbers,
        np.array([items.unit_of[number] for number in numbers.tolist()], np.int64),
        np.concatenate(correct),
        np.concatenate([part.totals for part in parts]),
        len(set(picked)) == 1,
    )


def _flat(rows: dict[str, HeldOut]) -> Partial:
    """As named arrays, the name of a row behind what it is of."""
    flat: Partial = {}
    for row, found in rows.items():
        flat |= {
            f"items/{row}": found.items,
            f"units/{row}": found.units,
            f"correct/{row}": found.correct,
            f"totals/{row}": found.totals,
            f"alike/{row}": np.asarray(int(found.alike)),
        }
    return flat


def _rows(flat: Partial) -> dict[str, HeldOut]:
    return {
        row: HeldOut(
            items,
            flat[f"units/{row}"],
            flat[f"correct/{row}"],
            flat[f"totals/{row}"],
            bool(flat[f"alike/{row}"]),
        )
        for row, items in under(flat, "items").items()
    }
