"""Reduce: the partials of all shards to the tables."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from attnray.corpus.counts import CorpusRow
from attnray.errors import IncompleteRun
from attnray.metrics.base import merge
from attnray.metrics.heads import heads_table
from attnray.metrics.registry import PROBES
from attnray.metrics.rows import of_model, whole_schema
from attnray.metrics.sums import Partial
from attnray.probe.classifiers import NEEDS
from attnray.probe.tables import Scored, differences_table, probes_table
from attnray.probe.vectors import name as name_of
from attnray.stages.probe import ProbeTask
from attnray.store.folder import RunFolder, read_table, write_table
from attnray.store.partials import read_partial
from attnray.store.run import Measurement, Run

STAGE = "reduce"
#: The table made of other tables, and the one it cannot be without.
HEADS, HEADS_NEED = "heads", "patterns"


def reduce(run: Run) -> None:
    """Write the tables of a run and its twin, where they are not yet.

    Raises:
        IncompleteRun: partials are missing; names their shards.
    """
    missing = [
        f"{member.folder.path}: shard {shard:05} has no {metric.name}"
        for member in run.members
        for name in member.metrics
        for metric, shard in member.unfinished(name)
    ]
    if missing:
        raise IncompleteRun("; ".join(missing))
    for metric in run.metrics:
        _reduce_metric(run, metric)
    if HEADS_NEED in run.metrics:
        _reduce_heads(run)
    if run.probes:
        reduce_probes(run)
    write_table(run.folder.table("corpus"), _corpus_table(run))


def marker(metric: str) -> str:
    """The name under which the marker of a metric's tables lies."""
    return f"{STAGE}-{metric}"


def _reduce_metric(run: Run, metric: str) -> None:
    identity = run.table_identity(metric)
    if run.folder.done(marker(metric), 0, identity):
        return
    parts = [tables for member in run.members for tables in _tables(member, metric)]
    for name in parts[0]:
        write_table(run.folder.table(name), pa.concat_tables([part[name] for part in parts]))
    run.folder.commit(marker(metric), 0, identity, [run.folder.table(name) for name in parts[0]])


def _reduce_heads(run: Run) -> None:
    """Write the table `heads`, which is made of other tables."""
    identity = run.heads_identity
    if run.folder.done(marker(HEADS), 0, identity):
        return
    path = run.folder.table(HEADS)
    write_table(path, pa.concat_tables(_heads(run, member) for member in run.members))
    run.folder.commit(marker(HEADS), 0, identity, [path])


def _heads(run: Run, member: Run) -> pa.Table:
    """The behaviour of each head of a member, and its place among the others."""
    names = [HEADS_NEED, *({"divergence"} & set(run.metrics))]
    tables = {name: read_table(run.folder.table(name)) for name in names}
    own = {name: table.filter(pc.field("model") == member.model) for name, table in tables.items()}
    (examples,) = member.manifest.sets_of(HEADS_NEED)
    table = heads_table(
        own[HEADS_NEED],
        own.get("divergence"),
        run.config.behaviour,
        examples.mean_ln_length,
        run.config.seed,
    )
    return of_model(table, member.model, examples.corpus)


def reduce_probes(run: Run) -> None:
    """Write the tables `probes` and `probe_differences`, where they are not yet.

    Raises:
        IncompleteRun: probes are missing; names them.
    """
    missing = [
        f"{member.model} has no {task.name}"
        for member in run.members
        for task in member.probes
        if not member.folder.done(PROBES, task.number, task.identity)
    ]
    if missing:
        raise IncompleteRun(f"{run.folder.path}: {'; '.join(missing)}")
    identity = run.probes_identity
    if run.folder.done(marker(PROBES), 0, identity):
        return
    found = {member.model: scored(member) for member in run.members}
    own, *twins = found.values()
    (dev,) = run.manifest.sets_of("dev")
    rows = [of_model(probes_table(each), model, dev.corpus) for model, each in found.items()]
    differences = differences_table(own, twins[0] if twins else [])
    tables = {
        PROBES: pa.concat_tables(rows),
        "probe_differences": of_model(differences, run.model, dev.corpus),
    }
    for name, table in tables.items():
        write_table(run.folder.table(name), table)
    run.folder.commit(marker(PROBES), 0, identity, [run.folder.table(name) for name in tables])


def scored(run: Run) -> list[Scored]:
    """What the probes of one model got right."""
    return [_scored(run, task) for task in run.probes]


def _scored(run: Run, task: ProbeTask) -> Scored:
    counts = read_partial(run.folder.partial(PROBES, task.number))
    words = int(counts.pop("train_words"))
    vectors = name_of(task.config.vectors) if NEEDS[task.probe][1] else None
    return Scored(run.model, task.probe, task.seed, words, vectors, counts)


def _tables(run: Run, metric: str) -> Iterator[dict[str, pa.Table]]:
    """The tables of a metric over each of its example sets."""
    for each in run.measurements(metric):
        total = merge(_partials(run.folder, each))
        tables = each.metric.tables(total)
        yield {
            name: of_model(table, run.model, each.examples.corpus) for name, table in tables.items()
        }


def _partials(folder: RunFolder, measurement: Measurement) -> Iterator[Partial]:
    for shard in measurement.examples.shards:
        yield read_partial(folder.partial(measurement.metric.name, shard))


def _corpus_table(run: Run) -> pa.Table:
    rows = [
        {
            "model": member.model,
            "corpus": examples.corpus,
            "kind": examples.kind,
            "item": item,
            "count": count,
            "max_tokens": examples.max_tokens,
            "roles": ", ".join(
                r for r, keys in member.manifest.roles.items() if examples.key in keys
            ),
        }
        for member in run.members
        for examples in member.manifest.sets
        for item, count in sorted(examples.counts.items())
    ]
    return pa.Table.from_pylist(rows, whole_schema(CorpusRow))
