"""Plan a part of a corpus: its shards as drafts, and those with their numbers in the run."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa

from attnray.config import BatchConfig, CorpusConfig, ModelConfig, ShardConfig
from attnray.corpus import placeholders, trees
from attnray.corpus.drafts import Draft, numbered, to_table
from attnray.corpus.parts import Part, documents
from attnray.corpus.segment import Segmenter
from attnray.corpus.shards import batches, shards
from attnray.corpus.units import Units
from attnray.errors import InputError
from attnray.model.pieces import WordPieces
from attnray.model.source import locate
from attnray.store.files import Checksum, fingerprint
from attnray.store.folder import RunFolder

T = TypeVar("T")
R = TypeVar("R")


class Spread(Protocol):
    """Gives what a function makes of each item, in their order, whoever does it."""

    def __call__(self, function: Callable[[T], R], items: Sequence[T], /) -> Iterable[R]: ...  # noqa: D102


@dataclass(frozen=True)
class TokenizerSettings:
    """What a worker needs to load the tokenizer on its own machine.

    `known` is how many pieces the model has; `identity` the fingerprint of what the plan found the
    tokenizer to be.
    """

    path: str | None
    hub: str | None
    revision: str | None
    known: int
    identity: str


@dataclass(frozen=True)
class ExampleSettings:
    """How a corpus becomes shards of examples: see `Segmenter`, and the settings of a run.

    `annotated` corpora have their limit in documents, others in examples.
    """

    corpus: CorpusConfig
    annotated: bool
    kind: str
    max_tokens: int
    longest: int
    blocks: bool
    seed: int
    shard: ShardConfig
    batch: BatchConfig
    tokenizer: TokenizerSettings

    def segmenter(self, units: Units) -> Segmenter:
        """What makes the examples."""
        pieces = word_pieces(self.tokenizer)
        return Segmenter(self.kind, pieces, self.longest, self.max_tokens, units, self.seed)

    def drafts(self, segmenter: Segmenter, part: Part) -> Iterator[Draft]:
        """The examples of a part, within the limit."""
        limit = self.corpus.limit
        found = islice(
            documents(self.corpus, part, self.annotated), limit if self.annotated else None
        )
        drafts = (draft for document in found for draft in segmenter.drafts(document))
        return islice(drafts, None if self.annotated else limit)


@dataclass(frozen=True)
class DraftTask:
    """A part to draft: its place among the parts."""

    folder: RunFolder
    number: int
    part: Part
    settings: ExampleSettings


@dataclass(frozen=True)
class Drafted:
    """What a part has: examples, tokens and cells of each shard, its units, what was counted.

    `remark` is what is odd about the tokenizer.
    """

    sizes: list[int]
    tokens: list[int]
    cells: list[int]
    units: int
    counts: dict[str, int]
    log_lengths: float
    remark: str


def draft(task: DraftTask) -> Drafted:
    """Write the shards of a part, its examples and units numbered from 0.

    Raises:
        InputError: with file and line, what cannot be read and what it should be; the
            tokenizer here is not the one of the plan.
    """
    settings, units = task.settings, Units(task.settings.blocks)
    segmenter = settings.segmenter(units)
    pieces = segmenter.word_pieces
    sizes: list[int] = []
    tokens: list[int] = []
    cells: list[int] = []
    with uncollected(), task.folder.drafting(task.number) as write:
        for shard in shards(settings.drafts(segmenter, task.part), settings.shard):
            lengths = [each.length for each in shard]
            order, numbers = batches(lengths, settings.batch)
            first = sum(sizes)
            indices = [first + place for place in order]
            ordered = [shard[place] for place in order]
            table = to_table(ordered, indices, numbers, pieces)
            write(table)
            segmenter.counts.update(_oddities(table, pieces.unknown, settings.kind))
            sizes.append(len(shard))
            tokens.append(sum(lengths))
            cells.append(sum(length**2 for length in lengths))
    counts = dict(segmenter.counts)
    logs = segmenter.log_lengths
    return Drafted(sizes, tokens, cells, units.count, counts, logs, pieces.remark)


def _oddities(table: pa.Table, unknown: int | None, kind: str) -> dict[str, int]:
    """What is odd about a shard's examples, counted; what is not there is only of pieces told."""
    words, heads, pieces = (table[name].chunk(0) for name in ("words", "heads", "pieces"))
    found = {"placeholders": placeholders.number_of(words.values)}
    if kind == "sentence":
        found |= trees.oddities(heads)
    number = 0 if unknown is None else np.count_nonzero(pieces.values.to_numpy() == unknown)
    return {"unknown_pieces": int(number), **{item: n for item, n in found.items() if n}}


@dataclass(frozen=True)
class NumberTask:
    """A drafted part whose shards, examples and units are to be numbered on from these."""

    folder: RunFolder
    number: int
    shard: int
    example: int
    unit: int


def number(task: NumberTask) -> list[Checksum]:
    """Write the shards of a drafted part as those of the run; gives what each holds."""
    return [
        task.folder.write_shard(shard, numbered(table, task.example, task.unit)).checksum
        for shard, table in enumerate(task.folder.drafted(task.number), task.shard)
    ]


@lru_cache(1)
def word_pieces(settings: TokenizerSettings) -> WordPieces:
    """The tokenizer on this machine; a process has one at a time, which knows words it has seen.

    Raises:
        InputError: it is not the one of the plan, or not the model's.
    """
    # New weights: none have to be there, or are read.
    model = ModelConfig(None, settings.path, settings.hub, settings.revision, random_init=True)
    checkpoint = locate(model, 0)
    if fingerprint(checkpoint.tokenizer()) != settings.identity:
        raise InputError(
            f"{checkpoint.folder}: not the files the run is planned with; "
            "every machine needs the same checkpoint"
        )
    pieces = WordPieces(checkpoint.folder)
    pieces.check(settings.known)
    return pieces


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector, which would go over what is read again and again.

    Nothing of it is in a cycle.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
