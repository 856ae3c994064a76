"""A run that is explored: what can be looked at, and any example with its attention."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.config import keeps, planned, typed
from attnray.corpus.example import SCHEMA, Example, from_table
from attnray.corpus.shown import shown
from attnray.errors import IncompleteRun, InputError
from attnray.explore.cases import Cases
from attnray.explore.columns import Bits
from attnray.explore.subjects import Subjects
from attnray.redacted import legible
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest
from attnray.store.places import run_folder

Weights = NDArray[np.float64]

#: Shards whose examples, cases and attention are kept open.
SHARDS_HELD = 8


class OpenedRun:
    """A run folder: its `subjects` are read, shard after shard, while questions are answered.

    Args:
        run_dir: the run folder.

    Raises:
        InputError: it is none, is damaged, or has no examples.
        IncompleteRun: it is not planned to its end.
    """

    def __init__(self, run_dir: str) -> None:
        self.folder = RunFolder(run_folder(run_dir))
        manifest = Manifest.read(self.folder)
        if manifest is None:
            if self.folder.shards_written:
                raise IncompleteRun(f"{self.folder} is not planned to its end yet: wait for it")
            raise InputError(f"{run_dir} has no manifest.json: it is not a run folder")
        if not manifest.sets:
            raise InputError(f"{self.folder} has no examples: there is nothing to explore")
        self.manifest = manifest
        self.config = typed(planned(manifest.config))
        self.subjects = Subjects(self.folder, manifest, self.config)
        self._table = lru_cache(SHARDS_HELD)(self._read_table)
        self._cases = lru_cache(SHARDS_HELD)(self.folder.cases)
        self._attention = lru_cache(SHARDS_HELD)(self.folder.attention)
        self._sampled = {
            key: self._columns(shard, "index")["index"].to_numpy().astype(np.int64)
            for key, shard in manifest.samples.items()
        }

    @property
    def name(self) -> str:
        """What it is called: its model and corpus."""
        corpora = shown(dict.fromkeys(each.corpus for each in self.manifest.sets), self.config)
        return legible(f"{self.manifest.identity['model']['name']} on {', '.join(corpora)}")

    @property
    def lacks_attention(self) -> str:
        """Why some of its attention is not there."""
        if self.keeps_all:
            return "the attention of this example has not been extracted yet"
        return (
            f"the attention of this example was not kept (the run keeps that of {self.kept}): "
            "run it with store=log16"
        )

    @property
    def kept(self) -> int:
        """How many examples there are of which alone attention is kept."""
        return sum(map(len, self._sampled.values()))

    def example(self, cases: Cases, case: int) -> Example:
        """The example of a case."""
        texts, place = cases.texts, cases.example[case]
        table = self._table(int(texts.shard[place]))
        return from_table(table.slice(int(texts.position[place]), 1))[0]

    def row(self, cases: Cases, case: int) -> dict[str, Any]:
        """A case as the file of its shard has it; nothing where it is an example alone."""
        if cases.metric is None:
            return {}
        shard = int(cases.texts.shard[cases.example[case]])
        found = self._cases(cases.metric.name, shard).slice(int(cases.row[case]), 1)
        row: dict[str, Any] = found.to_pylist()[0]
        return row

    def stored(self, cases: Cases) -> Bits | None:
        """Whether the attention of each case is kept; None where that of all is."""
        if self.keeps_all:
            return None
        return np.asarray(np.isin(cases.texts.index, self._sample(cases))[cases.example], bool)

    def weights(self, cases: Cases, case: int, layer: int, head: int) -> Weights | None:
        """The attention of a head, counted from 1, to the example of a case, (query, key).

        None where it was not kept, or is not there yet.
        """
        texts, place = cases.texts, cases.example[case]
        shard, position = int(texts.shard[place]), int(texts.position[place])
        if not self.keeps_all:
            found = np.flatnonzero(self._sample(cases) == texts.index[place])
            if not len(found):
                return None
            shard, position = self.manifest.samples[texts.key], int(found[0])
        if not self.folder.has_attention(shard):
            return None
        return self._attention(shard).read(position, layer - 1, head - 1).astype(np.float64)

    @property
    def keeps_all(self) -> bool:
        """Whether the attention of all examples is kept, not only that of a sample."""
        return keeps(self.config)

    def _sample(self, cases: Cases) -> NDArray[np.int64]:
        """The numbers of the examples of which it is, in the order of their shard."""
        return np.asarray(self._sampled.get(cases.texts.key, ()), np.int64)

    def _read_table(self, shard: int) -> pa.Table:
        return self._columns(shard)

    def _columns(self, shard: int, *names: str) -> pa.Table:
        return self.folder.example_columns(*self.manifest.shard(shard), [*(names or SCHEMA.names)])
