"""Reduce: the partials of all shards to the tables."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from attnray.errors import IncompleteRun
from attnray.metrics.base import Metric, merge
from attnray.metrics.sums import Partial
from attnray.pipeline.analyse import stage
from attnray.pipeline.manifest import Manifest
from attnray.store.folder import RunFolder, fingerprint, write_table
from attnray.store.partials import read_partial

STAGE = "reduce"


def reduce(folder: RunFolder, manifest: Manifest, metrics: list[Metric]) -> None:
    """Write the tables of the metrics, and the table `corpus`, where they are not yet.

    Raises:
        IncompleteRun: partials are missing; names their shards.
    """
    missing = [
        f"shard {shard:05} has no {metric.name}"
        for metric in metrics
        for shard in _shards(manifest, metric)
        if not _done(folder, manifest, metric, shard)
    ]
    if missing:
        raise IncompleteRun(f"{folder.path}: {'; '.join(missing)}")
    for metric in metrics:
        _reduce_metric(folder, manifest, metric)
    write_table(folder.table("corpus"), _corpus_table(manifest))


def _reduce_metric(folder: RunFolder, manifest: Manifest, metric: Metric) -> None:
    shards, name = _shards(manifest, metric), f"{STAGE}-{metric.name}"
    identity = table_identity(manifest, metric)
    if folder.done(name, 0, identity):
        return
    total = merge(_partials(folder, metric, shards))
    examples = manifest.set_of(metric.name)
    assert examples is not None
    names = (str(manifest.identity["model"]["name"]), examples.corpus)
    tables = metric.tables(total)
    for table, content in tables.items():
        write_table(folder.table(table), _named(content, *names))
    folder.commit(name, 0, identity, [folder.table(table) for table in tables])


def table_identity(manifest: Manifest, metric: Metric) -> str:
    """The fingerprint of a metric's tables."""
    partials = [
        manifest.partial_identity(metric.name, metric.parameters, shard)
        for shard in _shards(manifest, metric)
    ]
    return fingerprint({"partials": partials})


def _partials(folder: RunFolder, metric: Metric, shards: list[int]) -> Iterator[Partial]:
    for shard in shards:
        yield read_partial(folder.partial(metric.name, shard))


def _shards(manifest: Manifest, metric: Metric) -> list[int]:
    examples = manifest.set_of(metric.name)
    return examples.shards if examples else []


def _done(folder: RunFolder, manifest: Manifest, metric: Metric, shard: int) -> bool:
    identity = manifest.partial_identity(metric.name, metric.parameters, shard)
    return folder.done(stage(metric.name), shard, identity)


def _named(table: pa.Table, model: str, corpus: str) -> pa.Table:
    """The table behind the two columns every table begins with."""
    for position, (name, value) in enumerate({"model": model, "corpus": corpus}.items()):
        table = table.add_column(position, name, pa.array([value] * len(table), pa.string()))
    return table


def _corpus_table(manifest: Manifest) -> pa.Table:
    rows = [
        {
            "model": manifest.identity["model"]["name"],
            "corpus": examples.corpus,
            "kind": examples.kind,
            "item": item,
            "count": count,
        }
        for examples in manifest.sets
        for item, count in sorted(examples.counts.items())
    ]
    schema = pa.schema([(n, pa.string()) for n in ("model", "corpus", "kind", "item")])
    return pa.Table.from_pylist(rows, schema.append(pa.field("count", pa.int64())))
