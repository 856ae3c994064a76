"""Examples to shards: whole units, sorted by length, cut into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from attnray.config import BatchConfig, ShardConfig
from attnray.corpus.example import Example


def shards(
    examples: Iterable[Example], limits: ShardConfig, batches: BatchConfig
) -> Iterator[list[Example]]:
    """Cut a corpus's examples into shards, each in the order in which its attention is stored.

    A shard ends at the first whole unit with which it reaches a limit: sums over units can
    only be merged if no unit is in two shards.
    """
    most, most_cells = _known(limits.examples), _known(limits.cells)
    shard: list[Example] = []
    cells, last = 0, -1
    for example in examples:
        full = len(shard) >= most or cells >= most_cells
        if full and example.unit > last:
            yield batched(shard, batches)
            shard, cells = [], 0
        shard.append(example)
        cells += example.cells
        last = max(last, example.unit, *(mention.unit for mention in example.mentions))
    if shard:
        yield batched(shard, batches)


def batched(examples: list[Example], limits: BatchConfig) -> list[Example]:
    """The examples by length, numbered by the forward pass they share.

    Padded to its longest example, a batch stays under both limits, unless it is a single one.
    """
    most, most_cells = _known(limits.tokens), _known(limits.cells)
    done: list[Example] = []
    batch, size = 0, 0
    for example in sorted(examples, key=lambda e: e.length):
        full = (size + 1) * example.length > most or (size + 1) * example.cells > most_cells
        if size and full:
            batch, size = batch + 1, 0
        done.append(replace(example, batch=batch))
        size += 1
    return done


def _known(limit: int | None) -> int:
    assert limit is not None  # `attnray.config.sized` has filled them in
    return limit
