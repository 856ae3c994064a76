"""The examples and cases of a run, as columns in memory: about 20 bytes and its bits a case."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.explore.columns import Bits, Forms, Growing, Numbers
from attnray.metrics.base import Heads, Predictor
from attnray.metrics.predictions import RIGHT

#: The group of all cases.
ALL = "all"
#: The bits of each byte, least significant first.
BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")


@dataclass(frozen=True, eq=False)
class Texts:
    """Examples, by their place here; `words` has the number of each word, one after another.

    Those of an example stand from its `start` to its `end`. `index` is its number in the run,
    `position` that in its shard; `key` that of their set.
    """

    key: str
    forms: Forms
    documents: Forms
    words: Numbers
    start: Numbers
    end: Numbers
    document: Numbers
    index: Numbers
    shard: Numbers
    position: Numbers

    def __len__(self) -> int:
        return len(self.index)

    def spelled(self, place: int) -> list[str]:
        """The words of an example."""
        return [self.forms[n] for n in self.words[self.start[place] : self.end[place]].tolist()]


@dataclass(frozen=True, eq=False)
class Cases:
    """Cases in the order in which they were read, or whole examples where there is no metric.

    `example` is the place of each case among the texts, `word` and `goal` are those of its word,
    and of the nearest one that is right, among all words (-1: none); `row` is its row in the file
    of the cases, or examples, of its shard. `right` has the bits of each case, (byte, case).
    """

    texts: Texts
    metric: Predictor | None
    heads: Heads
    labels: Forms
    example: Numbers
    word: Numbers
    goal: Numbers
    label: Numbers
    row: Numbers
    right: NDArray[np.uint8]
    _counts: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.example)

    @property
    def directions(self) -> tuple[str, ...]:
        """What heads are scored in; none where there is nothing to score."""
        return self.metric.directions if self.metric else ()

    @cached_property
    def groups(self) -> dict[str, set[str]]:
        """The rows of the metric's table of best heads, each with the labels that it takes in."""
        if self.metric is None:
            return {}
        return self.metric.rows_of({self.labels[n] for n in range(len(self.labels))})

    def of_group(self, group: str) -> Bits:
        """Whether each case is of a group; that of all is there whatever cases there are."""
        if group not in self.groups:
            return np.full(len(self), group == ALL)
        taken = self.groups[group]
        known = [self.labels[n] in taken for n in range(len(self.labels))]
        return np.array(known, bool)[self.label]

    def best(
        self, group: str, head: tuple[int, int] | None = None, direction: str = ""
    ) -> tuple[tuple[int, int], str]:
        """The head, from 1, and direction that have most of a group right, or of those given."""
        if group not in self._counts:
            self._counts[group] = self.counts(self.of_group(group))
        among = np.full_like(self._counts[group], -1)
        of_head = (slice(None), slice(None)) if head is None else (head[0] - 1, head[1] - 1)
        place = (*of_head, self.directions.index(direction) if direction else slice(None))
        among[place] = self._counts[group][place]
        layer, number, found = np.unravel_index(among.argmax(), among.shape)
        return (int(layer) + 1, int(number) + 1), self.directions[found]

    @property
    def distance(self) -> Numbers:
        """How many words the goal is from the word, where there is one."""
        return self.goal - self.word

    def with_word(self, pattern: str) -> Bits:
        """Whether the word of each case, or any of an example, is like a pattern."""
        like = self.texts.forms.like(pattern)[self.texts.words]
        if self.metric:
            return np.asarray(like[self.word], bool)
        before = np.concatenate([[0], np.cumsum(like)])
        return np.asarray(before[self.texts.end] > before[self.texts.start], bool)

    def with_goal(self, pattern: str) -> Bits:
        """Whether the goal of each case is like a pattern."""
        like = self.texts.forms.like(pattern)[self.texts.words]
        return np.asarray(like[self.goal] & (self.goal >= 0), bool)

    def name(self, case: int) -> str:
        """What addresses call a case: SHARD.ROW."""
        return f"{self.texts.shard[self.example[case]]}.{self.row[case]}"

    def named(self, name: str) -> int | None:
        """The case of a name, None where there is none."""
        shard, _, row = name.partition(".")
        if not (shard.isdecimal() and row.isdecimal()):
            return None
        here = np.flatnonzero(self.row == int(row))
        found = here[self.texts.shard[self.example[here]] == int(shard)]
        return int(found[0]) if len(found) else None

    def candidate(self, layer: int, head: int, direction: str) -> int:
        """The place of a head's bit; it counts from 1."""
        place = (layer - 1) * self.heads[1] + head - 1
        return place * len(self.directions) + self.directions.index(direction)

    def is_right(self, candidate: int) -> Bits:
        """Whether a candidate has each case right."""
        return np.asarray(self.right[candidate >> 3] >> (candidate & 7) & 1, bool)

    def counts(self, chosen: Bits | NDArray[np.int64]) -> NDArray[np.int64]:
        """How many of some cases each candidate has right, (layer, head, direction)."""
        by_byte = [np.bincount(byte[chosen], minlength=256) @ BITS for byte in self.right]
        shape = (*self.heads, len(self.directions))
        return np.concatenate(by_byte)[: math.prod(shape)].reshape(shape)


class TextsBeingRead:
    """The texts of a set of examples, shard after shard; `of_shard` has the places of each."""

    columns = ("index", "document", "words")

    def __init__(self, key: str) -> None:
        self._key = key
        self.of_shard: dict[int, slice] = {}
        self._forms, self._documents = Forms(), Forms()
        numbers = np.empty(0, np.int32)
        self._words = Growing(words=numbers)
        names = ("start", "end", "document", "index", "shard", "position")
        self._examples = Growing(**dict.fromkeys(names, numbers))
        self.read = self._so_far()

    def add(self, shard: int, table: pa.Table) -> None:
        """Add the examples of a shard, in the order of their numbers."""
        order = np.argsort(table["index"].to_numpy())
        words = table["words"].combine_chunks().take(pa.array(order))
        ends = len(self.read.words) + words.offsets.to_numpy()
        before = words.offsets[0].as_py()
        self.of_shard[shard] = slice(len(self.read), len(self.read) + len(order))
        self._words.add({"words": self._forms.add(words.flatten())})
        self._examples.add(
            {
                "start": ends[:-1] - before,
                "end": ends[1:] - before,
                "document": self._documents.add(table["document"].combine_chunks())[order],
                "index": table["index"].to_numpy()[order],
                "shard": np.full(len(order), shard),
                "position": order,
            }
        )
        self.read = self._so_far()

    def _so_far(self) -> Texts:
        columns: dict[str, Any] = {**self._words.columns, **self._examples.columns}
        return Texts(self._key, self._forms, self._documents, **columns)


class CasesBeingRead:
    """The cases of a metric over a set of examples, shard after shard."""

    def __init__(self, metric: Predictor | None, heads: Heads, texts: Texts) -> None:
        self._metric, self._heads = metric, heads
        self._labels = Forms()
        numbers = np.empty(0, np.int32)
        size = math.prod(heads) * len(metric.directions) if metric else 0
        names = ("example", "word", "goal", "label", "row")
        right = np.empty((-(-size // 8), 0), np.uint8)
        self._columns = Growing(**dict.fromkeys(names, numbers), right=right)
        self.read = self._so_far(texts)

    def add(self, texts: Texts, own: slice, table: pa.Table) -> None:
        """Add the cases of a shard, whose examples have been read and stand at these places."""
        assert self._metric is not None
        example = own.start + np.searchsorted(texts.index[own], table["example"].to_numpy())
        start, word = texts.start[example], table["word"].to_numpy()
        nearest = _goals(table, word)
        bits = table[RIGHT].combine_chunks()
        width = bits.type.byte_width
        rows = np.frombuffer(bits.buffers()[1], np.uint8).reshape(-1, width)
        labels = pa.array(self._metric.labels(table).astype(str), pa.string())
        self._columns.add(
            {
                "example": example,
                "word": start + word,
                "goal": np.where(nearest < 0, -1, start + nearest),
                "label": self._labels.add(labels),
                "row": np.arange(len(table)),
                "right": rows[bits.offset : bits.offset + len(bits)].T,
            }
        )
        self.read = self._so_far(texts)

    def add_examples(self, texts: Texts) -> None:
        """Add all examples that have been read since, each as a case of no metric."""
        new = np.arange(len(self.read), len(texts))
        none = np.full(len(new), -1)
        position = texts.position[new]
        columns = {"example": new, "word": none, "goal": none, "label": none, "row": position}
        self._columns.add({**columns, "right": np.empty((0, len(new)), np.uint8)})
        self.read = self._so_far(texts)

    def _so_far(self, texts: Texts) -> Cases:
        columns: dict[str, Any] = self._columns.columns
        return Cases(texts, self._metric, self._heads, self._labels, **columns)


def _goals(table: pa.Table, word: NDArray[np.int64]) -> NDArray[np.int64]:
    """The word that is right, the nearest of several; -1 where cases name none."""
    if "head_word" in table.column_names:
        return np.asarray(table["head_word"].to_numpy())
    goals = np.full(len(table), -1, np.int64)
    if "antecedents" in table.column_names:
        for place, among in enumerate(table["antecedents"].to_pylist()):
            goals[place] = min(among, key=lambda each: abs(each - word[place]), default=-1)
    return goals
