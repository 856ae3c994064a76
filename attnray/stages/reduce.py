"""Reduce: the partials of all shards to the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from attnray.corpus.counts import CorpusRow
from attnray.errors import IncompleteRun
from attnray.metrics import heads
from attnray.metrics.registry import PROBES
from attnray.metrics.rows import of_model, whole_schema
from attnray.metrics.tree import Leaves, grown, merge
from attnray.probe.kinds import vectors_of
from attnray.probe.results import ProbePartial
from attnray.probe.tables import Result, differences_table, probes_table
from attnray.store.committed import Files
from attnray.store.files import fingerprint
from attnray.store.folder import CORPUS, RunFolder, tabulated
from attnray.store.run import Measurement, Run, Trial

if TYPE_CHECKING:
    from attnray.stages.parts import Spread

#: So many shards are added up at a time, a power of two: the sum is that of one after another.
BLOCK = 512


def reduce(run: Run, spread: Spread = map) -> None:
    """Write the tables of a run and its twin, where they are not yet.

    Args:
        run: all of it measured.
        spread: has blocks of shards added up: by default one after another, here.

    Raises:
        IncompleteRun: partials are missing; names their shards.
    """
    missing = [
        f"{each.folder}: shard {shard:05} has no {metric.name}"
        for each in run.with_twin
        for metric, shard in each.unfinished()
    ]
    if missing:
        raise IncompleteRun("; ".join(missing))
    for metric in run.metrics:
        _reduce_metric(run, metric, spread)
    if heads.NEEDS in run.metrics:
        _reduce_heads(run)
    if run.trials:
        reduce_probes(run)
    _reduce_corpus(run)


def _write(run: Run, name: str, made_from: str, tables: Mapping[str, pa.Table]) -> None:
    """Write tables and the marker under a name."""
    files: Files = {}
    for table, content in tables.items():
        files |= run.folder.write_table(table, content)
    run.folder.commit(tabulated(name), 0, made_from, files)


def _written(run: Run, name: str, made_from: str) -> bool:
    """Whether the tables under a name are there."""
    return run.folder.done(tabulated(name), 0, made_from, contents=True)


def _reduce_metric(run: Run, metric: str, spread: Spread) -> None:
    made_from = run.table_fingerprint(metric)
    if _written(run, metric, made_from):
        return
    parts = [tables for each in run.with_twin for tables in _tables(each, metric, spread)]
    whole = {name: pa.concat_tables([part[name] for part in parts]) for name in parts[0]}
    _write(run, metric, made_from, whole)


def _reduce_heads(run: Run) -> None:
    """Write the table `heads`, which is made of other tables."""
    made_from = run.heads_fingerprint
    if not _written(run, heads.HEADS, made_from):
        table = pa.concat_tables(_heads(run, each) for each in run.with_twin)
        _write(run, heads.HEADS, made_from, {heads.HEADS: table})


def _heads(run: Run, each: Run) -> pa.Table:
    """The behaviour of each head of a run or its twin, and its place among the others."""
    names = [heads.NEEDS, *({heads.USES} & set(run.metrics))]
    tables = {n: run.folder.table(n).filter(pc.field("model") == each.model) for n in names}
    (examples,) = each.manifest.sets_of(heads.NEEDS)
    table = heads.heads_table(
        tables[heads.NEEDS],
        tables.get(heads.USES),
        run.config.behaviour,
        examples.mean_ln_length,
        run.config.seed,
    )
    return of_model(table, each.model, examples.corpus)


def reduce_probes(run: Run) -> None:
    """Write the tables `probes` and `probe_differences`, where they are not yet.

    Raises:
        IncompleteRun: probes are missing; names them.
    """
    missing = [
        f"{each.model} has no {trial.probe} from seed {trial.seed}"
        for each in run.with_twin
        for trial in each.trials
        if not each.folder.done(PROBES, trial.number, trial.fingerprint)
    ]
    if missing:
        raise IncompleteRun(f"{run.folder}: {'; '.join(missing)}")
    made_from = run.probes_fingerprint
    if _written(run, PROBES, made_from):
        return
    found = {each.model: results(each) for each in run.with_twin}
    own, *twins = found.values()
    (dev,) = run.manifest.sets_of("dev")
    rows = [of_model(probes_table(each), model, dev.corpus) for model, each in found.items()]
    differences = differences_table(own, twins[0] if twins else [])
    tables = {
        "probes": pa.concat_tables(rows),
        "probe_differences": of_model(differences, run.model, dev.corpus),
    }
    _write(run, PROBES, made_from, tables)


def results(run: Run) -> list[Result]:
    """What the probes of one model got right."""
    return [_result(run, trial) for trial in run.trials]


def _result(run: Run, trial: Trial) -> Result:
    partial: ProbePartial = run.folder.partial(PROBES, ProbePartial, trial.number)
    vectors = vectors_of(trial.probe, run.config.probe.vectors)
    words = int(partial.train_words)
    return Result(run.model, trial.probe, trial.seed, words, vectors, partial.scored)


@dataclass(frozen=True)
class SumTask:
    """Shards whose partials of a metric, of a type, are to be added up."""

    folder: RunFolder
    metric: str
    kind: Any
    shards: Sequence[int]


def summed(task: SumTask) -> Leaves:
    """Add up the partials of a block of shards.

    Raises:
        IncompleteRun: one is missing or damaged.
    """
    return task.folder.summed(task.metric, task.kind, task.shards)


def _total(run: Run, measured: Measurement, spread: Spread) -> Leaves:
    """The partials of a metric over an example set, added up."""
    metric, shards = measured.metric, measured.examples.shards
    firsts = range(0, len(shards), BLOCK)
    told = (run.folder, metric.name, metric.partial)
    blocks = [SumTask(*told, shards[first : first + BLOCK]) for first in firsts]
    # A block alone is not worth a worker's start.
    return merge(spread(summed, blocks) if len(blocks) > 1 else map(summed, blocks))


def _tables(run: Run, metric: str, spread: Spread) -> Iterator[dict[str, pa.Table]]:
    """The tables of a metric over each of its example sets."""
    for each in run.measurements(metric):
        tables = each.metric.tables(grown(each.metric.partial, _total(run, each, spread)))
        yield {n: of_model(t, run.model, each.examples.corpus) for n, t in tables.items()}


def _reduce_corpus(run: Run) -> None:
    """Write the table `corpus`, which is made of the plan."""
    rows = _corpus_rows(run)
    made_from = fingerprint({"rows": rows})
    if not _written(run, CORPUS, made_from):
        _write(
            run, CORPUS, made_from, {CORPUS: pa.Table.from_pylist(rows, whole_schema(CorpusRow))}
        )


def _corpus_rows(run: Run) -> list[dict[str, object]]:
    return [
        {
            "model": each.model,
            "corpus": examples.corpus,
            "kind": examples.kind,
            "item": item,
            "count": count,
            "max_tokens": examples.max_tokens,
            "roles": ", ".join(
                r for r, keys in each.manifest.roles.items() if examples.key in keys
            ),
        }
        for each in run.with_twin
        for examples in each.manifest.sets
        for item, count in sorted(examples.counts.items())
    ]
