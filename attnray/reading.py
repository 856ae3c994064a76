"""Reading a run folder: any example's attention, and the tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from textwrap import shorten
from typing import TYPE_CHECKING, Generic, Self, TypeVar, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from attnray.corpus.example import Example
from attnray.errors import InputError
from attnray.redacted import legible
from attnray.store.cases import chosen_cases
from attnray.store.folder import RunFolder
from attnray.store.manifest import ExampleSet, Manifest
from attnray.store.places import run_folder

if TYPE_CHECKING:
    from attnray.store.attention import AttentionReader

Weights = NDArray[np.float64]

#: Attention from a word, of that from its pieces: (…, piece, word) to (…, word).
MERGES: dict[str, Callable[[Weights], Weights]] = {
    "mean": lambda rows: rows.sum(-2) / rows.shape[-2],
    "first": lambda rows: rows[..., 0, :],
    "max": lambda rows: rows.max(-2),
}

#: Shards whose examples, and whose stores, are kept open.
SHARDS_HELD, STORES_HELD = 4, 2
#: How much of an example is shown in a line.
SHOWN_CHARACTERS = 60
#: Rows of the index that are taken apart at a time.
BATCH = 1000

E = TypeVar("E", bound="StoredExample")


@dataclass(frozen=True, repr=False, eq=False)
class StoredExample(Example):
    """An example of a run with all that an `Example` has, and its attention, if it is stored.

    Words and tokens count from 0, layers and heads from 1.
    """

    _stored: Callable[[], tuple[AttentionReader, int]]

    @classmethod
    def of(cls, example: Example, stored: Callable[[], tuple[AttentionReader, int]]) -> Self:
        """An example, with what gives the store of its attention and its position there."""
        values = {each.name: getattr(example, each.name) for each in fields(Example)}
        return cls(**values, _stored=stored)

    def __repr__(self) -> str:
        text = shorten(legible(" ".join(self.words)), SHOWN_CHARACTERS, placeholder=" …")
        sizes = f"{len(self.words)} words, {self.length} tokens"
        return f"<example {self.index} of {legible(self.document)}: {text} ({sizes})>"

    def attention(
        self,
        layer: int | None = None,
        head: int | None = None,
        words: bool = False,
        merge: str = "mean",
    ) -> Weights:
        """Its attention weights, reading only the chunks they lie in.

        Args:
            layer: counted from 1; all of them by default.
            head: counted from 1; all of them by default.
            words: between words (section 4.1 of the paper) rather than tokens.
            merge: with `words`, attention from a word: mean, first or max over its pieces.

        Returns:
            Weights of shape (layer, head, query, key), without the axis of a layer or head
            that was chosen.

        Raises:
            InputError: there is no such layer, head or merge, or this example's attention is not
                stored.
        """
        reader, position = self._stored()
        layers, heads = reader.heads
        chosen = (_axis("layer", layer, layers), _axis("head", head, heads))
        weights = reader.read(position, *chosen).astype(np.float64)
        if words:
            weights = self._between_words(weights, merge)
        return weights

    def _between_words(self, weights: Weights, merge: str) -> Weights:
        """As in `attnray.metrics.accumulators.words`, of a single example and without torch."""
        if merge not in MERGES:
            raise InputError(f"merge={merge} is not possible: {', '.join(MERGES)} are")
        owner, count = self.word_of_piece, len(self.words)
        to_words = np.zeros((*weights.shape[:-1], count))
        for piece in np.flatnonzero(owner >= 0):
            to_words[..., owner[piece]] += weights[..., piece]
        between = np.zeros((*weights.shape[:-2], count, count))
        for word in set(owner[owner >= 0].tolist()):
            between[..., word, :] = MERGES[merge](to_words[..., owner == word, :])
        return between


class OpenRun(Generic[E]):
    """A run folder, open for reading: its examples in the order of the corpus, and its tables.

    Layers and heads count from 1, as in the paper and the tables; examples from 0.

    Args:
        run_dir: the run folder, or its address.
        kind: sentence, document or pair; by default the first kind that the run has.
        role: what the examples serve, such as syntax, coreference or dev, where a run has
            several sets of a kind.

    Raises:
        InputError: the folder has no plan, or no such examples.
    """

    _kind: type[E]

    def __init__(
        self, run_dir: str | os.PathLike[str], kind: str | None = None, role: str | None = None
    ) -> None:
        self._folder = RunFolder(run_folder(os.fspath(run_dir)))
        manifest = Manifest.read(self._folder)
        if manifest is None:
            raise InputError(f"{run_dir} has no manifest.json: it is not a run folder")
        self._manifest = manifest
        if role is not None and role not in manifest.roles:
            raise InputError(f"{run_dir} has no role {role}, but {', '.join(manifest.roles)}")
        sets = manifest.sets_of(role) if role else manifest.sets
        kinds = [each.kind for each in sets]
        if not sets or (kind is not None and kind not in kinds):
            has = ", ".join(dict.fromkeys(kinds)) or "none"
            raise InputError(f"{run_dir} has no examples of kind {kind or 'any'}, but {has}")
        self._set = sets[kinds.index(kind) if kind else 0]
        self._examples = lru_cache(SHARDS_HELD)(self._read_examples)
        self._reader = lru_cache(STORES_HELD)(self._folder.attention)

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self._index)

    @overload
    def __getitem__(self, index: int) -> E: ...

    @overload
    def __getitem__(self, index: slice) -> list[E]: ...

    def __getitem__(self, index: int | slice) -> E | list[E]:
        """An example by its place in the corpus, from 0, or from the end; or some of them.

        Raises:
            IndexError: there is none.
        """
        if isinstance(index, slice):
            return [self[each] for each in range(len(self))[index]]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no example {index}: there are {len(self)}, from 0")
        return self._example(self._index.slice(index % len(self), 1).to_pylist()[0])

    def __iter__(self) -> Iterator[E]:
        """Every example. (Those of a shard are read together, and so is their attention.)"""
        for batch in self._index.to_batches(BATCH):
            yield from map(self._example, batch.to_pylist())

    def document(self, name: str) -> list[E]:
        """The examples of a document, in order.

        Raises:
            KeyError: there is none.
        """
        rows = self._index.filter(pc.equal(self._index["document"], name)).to_pylist()
        if not rows:
            raise KeyError(f"no example of a document {name!r}")
        return [self._example(row) for row in rows]

    def table(self, name: str) -> pa.Table:
        """A table, such as `syntax_best`.

        Raises:
            InputError: the run has no such table.
        """
        return self._folder.table(name)

    def cases(
        self,
        metric: str,
        layer: int | None = None,
        head: int | None = None,
        direction: str | None = None,
        right: bool | None = None,
        **values: object,
    ) -> pa.Table:
        """The cases of a predictor, each with the sentence it stands in.

        `run.cases("syntax", layer=3, head=1, relation="obj", right=False)` has the direct objects
        that head 3-1 does not find.

        Args:
            metric: syntax, coreference or gap.
            layer: counted from 1.
            head: counted from 1; with both, the column `right` says whether this head is right.
            direction: what the head is scored in, of syntax; by default dependent_to_head.
            right: only cases that the head has right (True) or wrong (False).
            values: only cases with these values, by column.

        Returns:
            The columns of the cases and, behind them, `sentence`: the words of the example.
            Without a head `right` has the bits of all heads.

        Raises:
            InputError: there are no such cases, or no such column, head or direction.
        """
        head_of = None if layer is None or head is None else (layer, head, direction)
        if head_of is None and (layer, head, direction) != (None, None, None):
            raise InputError("a head is said with layer= and head=, and then maybe direction=")
        return chosen_cases(self._folder, self._manifest, metric, head_of, right, values)

    def over(self, examples: ExampleSet) -> Self:
        """The same run, open at other examples."""
        other = copy(self)
        other._set = examples
        for name in ("_index", "_sample"):
            vars(other).pop(name, None)
        return other

    @property
    def stored(self) -> list[int]:
        """The examples whose attention is stored, all or a sample of them (store=none)."""
        sample = self._sample
        return sorted(sample) if sample is not None else list(range(len(self)))

    @cached_property
    def _index(self) -> pa.Table:
        """Document, shard and position of every example, in the order of the corpus."""
        rows = pa.concat_tables(map(self._rows, self._set.shards))
        return rows.sort_by("index").combine_chunks()

    def _read_examples(self, shard: int) -> list[Example]:
        return self._folder.examples(*self._manifest.shard(shard), spellings=True)

    def _columns(self, shard: int, *names: str) -> pa.Table:
        return self._folder.example_columns(*self._manifest.shard(shard), [*names])

    def _rows(self, shard: int) -> pa.Table:
        rows = self._columns(shard, "index", "document")
        rows = rows.append_column("shard", pa.array(np.full(len(rows), shard)))
        return rows.append_column("position", pa.array(np.arange(len(rows))))

    @cached_property
    def _sample(self) -> dict[int, tuple[int, int]] | None:
        """Shard and position of the attention of each sampled example; None where all is stored."""
        store = self._manifest.config["store"]
        if store["codec"] != "none" and store.get("keep", True):
            return None
        shard = self._manifest.samples.get(self._set.key)
        if shard is None:
            return {}
        numbers = self._columns(shard, "index")["index"].to_pylist()
        return {number: (shard, position) for position, number in enumerate(numbers)}

    def _example(self, row: dict[str, int]) -> E:
        example = self._examples(row["shard"])[row["position"]]
        return self._kind.of(example, lambda: self._attention(row))

    def _attention(self, row: dict[str, int]) -> tuple[AttentionReader, int]:
        """The store of an example's attention, and its position there."""
        if self._sample is None:
            return self._reader(row["shard"]), row["position"]
        if row["index"] not in self._sample:
            raise InputError(
                f"{self._folder}: the attention of example {row['index']} was not kept "
                f"(the run keeps {len(self._sample)}: see `stored`); run it with store=log16"
            )
        shard, position = self._sample[row["index"]]
        return self._reader(shard), position


class RunReader(OpenRun[StoredExample]):
    """A run folder, open for reading, as jobs use it."""

    _kind = StoredExample


def _axis(name: str, number: int | None, count: int) -> slice | int:
    if number is None:
        return slice(None)
    if not 1 <= number <= count:
        raise InputError(f"there is no {name} {number}: they count from 1 to {count}")
    return number - 1
