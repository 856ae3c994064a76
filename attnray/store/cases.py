"""Cases to look at: those of a predictor that have some values, with their sentences."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from attnray.errors import InputError
from attnray.metrics.base import Heads, Predictor
from attnray.metrics.predictions import RIGHT, bits
from attnray.metrics.registry import METRICS
from attnray.store.folder import RunFolder, Shard
from attnray.store.manifest import Manifest

#: Layer and head, from 1, and direction; without one the metric's first.
Head = tuple[int, int, str | None]


def chosen_cases(
    folder: RunFolder,
    manifest: Manifest,
    metric: str,
    head: Head | None,
    right: bool | None,
    values: Mapping[str, object],
) -> pa.Table:
    """The cases of a metric in all shards; see `attnray.reading.RunReader.cases`.

    Raises:
        InputError: the run has no such cases, or these no such column, head or direction.
    """
    kind = _predictor(folder, manifest, metric)
    candidate = _candidate(kind, manifest.heads, *head) if head else None
    if right is not None and candidate is None:
        raise InputError("right= is of one head: say which, with layer= and head=")
    wanted = dict(values) if right is None else {**values, RIGHT: right}
    tables = [
        _of_shard(folder, metric, manifest.shard(shard), candidate, wanted)
        for examples in manifest.sets_of(kind.role)
        for shard in examples.shards
    ]
    return pa.concat_tables(tables)


def _predictor(folder: RunFolder, manifest: Manifest, metric: str) -> type[Predictor]:
    kind = METRICS.get(metric)
    if kind is None or not issubclass(kind, Predictor):
        known = [name for name, each in METRICS.items() if issubclass(each, Predictor)]
        raise InputError(f"{metric} has no cases: {', '.join(known)} have")
    if not manifest.config["cases"] or not _kept(folder, manifest, kind):
        raise InputError(
            f"{folder} has no cases of {metric}: it was made with "
            f"metrics={manifest.config['metrics']} cases={manifest.config['cases']}"
        )
    return kind


def _kept(folder: RunFolder, manifest: Manifest, kind: type[Predictor]) -> bool:
    """Whether there are shards with cases."""
    shards = [shard for examples in manifest.sets_of(kind.role) for shard in examples.shards[:1]]
    return bool(shards) and folder.has_found(kind.name, shards[0])


def _candidate(
    kind: type[Predictor], heads: Heads, layer: int, head: int, direction: str | None
) -> int:
    """The place of a head, in a direction, among the bits of a case."""
    for name, number, count in (("layer", layer, heads[0]), ("head", head, heads[1])):
        if not 1 <= number <= count:
            raise InputError(f"there is no {name} {number}: they count from 1 to {count}")
    directions = kind.directions
    if direction is not None and direction not in directions:
        raise InputError(f"direction={direction} is not possible: {', '.join(directions)} are")
    place = directions.index(direction) if direction else 0
    return ((layer - 1) * heads[1] + head - 1) * len(directions) + place


def _of_shard(
    folder: RunFolder,
    metric: str,
    shard: Shard,
    candidate: int | None,
    wanted: Mapping[str, object],
) -> pa.Table:
    cases = folder.cases(metric, shard.number)
    if candidate is not None:
        place = cases.column_names.index(RIGHT)
        cases = cases.set_column(place, RIGHT, pa.array(bits(cases, candidate)))
    for name, value in wanted.items():
        if name not in cases.column_names:
            known = ", ".join(cases.column_names)
            raise InputError(f"cases of {metric} have no column {name}, but {known}")
        cases = cases.filter(pc.equal(cases[name], value))
    examples = folder.example_columns(*shard, ["index", "words"])
    words = dict(zip(examples["index"].to_pylist(), examples["words"].to_pylist(), strict=True))
    sentences = [" ".join(words[example]) for example in cases["example"].to_pylist()]
    return cases.append_column("sentence", pa.array(sentences, pa.string()))
