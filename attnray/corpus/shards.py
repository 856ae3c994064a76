"""Examples to shards: whole units, sorted by length, cut into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from attnray.config import BatchConfig, ShardConfig
from attnray.corpus.example import Antecedent, Example


class Sized(Protocol):
    """What of an example decides its shard."""

    @property
    def cells(self) -> int: ...  # noqa: D102
    @property
    def unit(self) -> int: ...  # noqa: D102
    @property
    def mentions(self) -> Sequence[Antecedent]: ...  # noqa: D102


T = TypeVar("T", bound=Sized)


def shards(examples: Iterable[T], limits: ShardConfig) -> Iterator[list[T]]:
    """Cut examples into shards, in their order.

    A shard ends at the first whole unit with which it reaches a limit: sums over units can
    only be merged if no unit is in two shards.
    """
    most, most_cells = _known(limits.examples), _known(limits.cells)
    shard: list[T] = []
    cells, last = 0, -1
    for example in examples:
        full = len(shard) >= most or cells >= most_cells
        if full and example.unit > last:
            yield shard
            shard, cells = [], 0
        shard.append(example)
        cells += example.cells
        last = max(last, example.unit, *(mention.unit for mention in example.mentions))
    if shard:
        yield shard


def batches(lengths: Sequence[int], limits: BatchConfig) -> tuple[list[int], list[int]]:
    """The order in which the attention of examples of these lengths is stored: by length.

    Gives their places in that order, and for each the number of the forward pass it shares.
    Padded to its longest example, a batch stays under both limits, unless it is a single one.
    """
    most, most_cells = _known(limits.tokens), _known(limits.cells)
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    numbers: list[int] = []
    batch, size = 0, 0
    for place in order:
        length = lengths[place]
        full = (size + 1) * length > most or (size + 1) * length**2 > most_cells
        if size and full:
            batch, size = batch + 1, 0
        numbers.append(batch)
        size += 1
    return order, numbers


def batched(examples: Sequence[Example], limits: BatchConfig) -> list[Example]:
    """Examples in the order in which their attention is stored, each with its batch."""
    order, numbers = batches([example.length for example in examples], limits)
    return [replace(examples[i], batch=batch) for i, batch in zip(order, numbers, strict=True)]


def _known(limit: int | None) -> int:
    assert limit is not None  # `attnray.config.sized` has filled them in
    return limit
