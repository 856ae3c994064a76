"""A run that is explored: its cases, read in the background, and any example with its attention."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.config import keeps, planned, typed
from attnray.corpus.example import SCHEMA, Example, from_table
from attnray.errors import Damaged, IncompleteRun, InputError, describe
from attnray.explore.cases import Cases, CasesBeingRead, TextsBeingRead
from attnray.explore.columns import Bits
from attnray.metrics.base import Predictor
from attnray.metrics.registry import METRICS
from attnray.redacted import legible
from attnray.store.folder import RunFolder
from attnray.store.manifest import ExampleSet, Manifest
from attnray.store.places import run_folder

if TYPE_CHECKING:
    pass

Weights = NDArray[np.float64]

#: Shards whose examples, cases and attention are kept open.
SHARDS_HELD = 8


@dataclass
class Subject:
    """What can be looked at: the cases of a metric over a set of examples, or the examples."""

    name: str
    examples: ExampleSet
    metric: Predictor | None
    reading: CasesBeingRead
    done: set[int] = field(default_factory=set)
    damaged: dict[int, str] = field(default_factory=dict)

    @property
    def cases(self) -> Cases:
        """Those that have been read so far."""
        return self.reading.read

    @property
    def lacking(self) -> int:
        """The shards whose cases are not there."""
        return len(self.examples.shards) - len(self.done)


class OpenedRun:
    """A run folder whose cases are read, shard after shard, while questions are answered.

    Args:
        run_dir: the run folder.

    Raises:
        InputError: it is none, or is damaged.
        IncompleteRun: it is not planned to its end.
    """

    def __init__(self, run_dir: str) -> None:
        self.folder = RunFolder(run_folder(run_dir))
        manifest = Manifest.read(self.folder)
        if manifest is None:
            if self.folder.shards_written:
                raise IncompleteRun(f"{self.folder} is not planned to its end yet: wait for it")
            raise InputError(f"{run_dir} has no manifest.json: it is not a run folder")
        self.manifest = manifest
        self.config = typed(planned(manifest.config))
        self._texts = {each.key: TextsBeingRead(each.key) for each in manifest.sets}
        self._texts_done: set[int] = set()
        self.subjects = {each.name: each for each in self._subjects()}
        self._looking = threading.Lock()
        self._read_once = threading.Event()
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
        corpora = dict.fromkeys(each.corpus for each in self.manifest.sets)
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

    @property
    def read(self) -> bool:
        """Whether all that was there at the start is read."""
        return self._read_once.is_set()

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to read."""
        return not any(each.lacking for each in self.subjects.values())

    def read_on(self) -> None:
        """Begin to read what is there and has not been read, unless that is being done."""
        if not self.complete and self._looking.acquire(blocking=False):
            threading.Thread(target=self._read_on, daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether all that was there at the start is read, within so long."""
        return self._read_once.wait(seconds)

    # Examples and their attention

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

    # Subjects, read in the background

    def _subjects(self) -> Iterator[Subject]:
        """The cases of each metric that was measured or is to be, then the examples themselves."""
        found = self.folder.as_of_now()
        sets, heads = self.manifest.sets, self.manifest.heads
        for kind in METRICS.values():
            if not issubclass(kind, Predictor) or not self.config.cases:
                continue
            own = self.manifest.sets_of(kind.role) if kind.role in self.manifest.roles else []
            for each in own:
                if kind.name in self.config.metrics or any(
                    found.has_found(kind.name, shard) for shard in each.shards
                ):
                    name = kind.name if len(own) == 1 else f"{kind.name}-{each.max_tokens}"
                    metric, texts = kind.of(self.config, each), self._texts[each.key].read
                    yield Subject(name, each, metric, CasesBeingRead(metric, heads, texts))
        kinds = Counter(each.kind for each in sets)
        for number, each in enumerate(sets, 1):
            name = f"{each.kind}s" if kinds[each.kind] == 1 else f"{each.kind}s-{number}"
            texts = self._texts[each.key].read
            yield Subject(name, each, None, CasesBeingRead(None, heads, texts))

    def _read_on(self) -> None:
        try:
            found = self.folder.as_of_now()
            for examples in self.manifest.sets:
                for shard in examples.shards:
                    self._read_shard(found, examples, shard)
        finally:
            self._read_once.set()
            self._looking.release()

    def _read_shard(self, found: RunFolder, examples: ExampleSet, shard: int) -> None:
        texts = self._texts[examples.key]
        subjects = [each for each in self.subjects.values() if each.examples.key == examples.key]
        if shard not in self._texts_done:
            try:
                texts.add(shard, self._columns(shard, *texts.columns))
            except Damaged as error:
                for subject in subjects:
                    subject.damaged[shard] = describe(error)
                return
            self._texts_done.add(shard)
        for subject in subjects:
            if shard not in subject.done:
                self._read_cases(found, subject, texts, shard)

    def _read_cases(
        self, found: RunFolder, subject: Subject, texts: TextsBeingRead, shard: int
    ) -> None:
        if subject.metric is None:
            subject.reading.add_examples(texts.read)
        elif found.has_found(subject.metric.name, shard):
            try:
                cases = self.folder.cases(subject.metric.name, shard)
            except Damaged as error:
                subject.damaged[shard] = describe(error)
                return
            subject.reading.add(texts.read, texts.of_shard[shard], cases)
        else:
            return
        subject.done.add(shard)
