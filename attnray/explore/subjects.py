"""What of a run can be looked at: read shard after shard, in the background."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from attnray.config import Config
from attnray.errors import described, ends_all
from attnray.explore.cases import Cases, CasesBeingRead, TextsBeingRead
from attnray.metrics.base import Predictor
from attnray.metrics.registry import METRICS
from attnray.store.folder import RunFolder
from attnray.store.manifest import ExampleSet, Manifest


@dataclass
class Subject:
    """The cases of a metric over a set of examples, or the examples where there is no metric.

    `failed` says why shards could not be read.
    """

    name: str
    examples: ExampleSet
    metric: Predictor | None
    reading: CasesBeingRead
    done: set[int] = field(default_factory=set)
    failed: dict[int, str] = field(default_factory=dict)

    @property
    def cases(self) -> Cases:
        """Those that have been read so far."""
        return self.reading.read

    @property
    def lacking(self) -> int:
        """How many shards are not read."""
        return len(self.examples.shards) - len(self.done)


class Subjects:
    """The subjects of a run, `by_name`; one thread at a time reads them."""

    def __init__(self, folder: RunFolder, manifest: Manifest, config: Config) -> None:
        self._folder, self._manifest, self._config = folder, manifest, config
        self._texts = {each.key: TextsBeingRead(each.key) for each in manifest.sets}
        self.by_name = {each.name: each for each in (*self._measured(), *self._examples())}
        self._at_work = threading.Lock()
        self._through = threading.Event()

    def read_on(self) -> None:
        """Begin to read what is there and has not been read, unless that is being done."""
        lacking = any(each.lacking for each in self.by_name.values())
        if not lacking:
            self._through.set()
        elif self._at_work.acquire(blocking=False):
            threading.Thread(target=self._read_on, daemon=True).start()

    def wait(self, seconds: float = 0) -> bool:
        """Whether all that was there at the start has been read, within so long."""
        return self._through.wait(seconds)

    def _measured(self) -> Iterator[Subject]:
        """The cases of each metric that was measured, or is to be."""
        manifest, found = self._manifest, self._folder.as_of_now()
        for kind in METRICS.values():
            if issubclass(kind, Predictor) and kind.role in manifest.roles and self._config.cases:
                sets = manifest.sets_of(kind.role)
                for each in sets:
                    if kind.name in self._config.metrics or any(
                        found.has_found(kind.name, shard) for shard in each.shards
                    ):
                        name = kind.name if len(sets) == 1 else f"{kind.name}-{each.max_tokens}"
                        yield self._subject(name, each, kind.of(self._config, each))

    def _examples(self) -> Iterator[Subject]:
        """The examples themselves."""
        kinds = Counter(each.kind for each in self._manifest.sets)
        for number, each in enumerate(self._manifest.sets, 1):
            name = f"{each.kind}s" if kinds[each.kind] == 1 else f"{each.kind}s-{number}"
            yield self._subject(name, each, None)

    def _subject(self, name: str, examples: ExampleSet, metric: Predictor | None) -> Subject:
        texts = self._texts[examples.key].read
        return Subject(name, examples, metric, CasesBeingRead(metric, self._manifest.heads, texts))

    def _read_on(self) -> None:
        try:
            found = self._folder.as_of_now()
            for examples in self._manifest.sets:
                own = [each for each in self.by_name.values() if each.examples is examples]
                for shard in examples.shards:
                    for subject in own:
                        if shard not in subject.done and not self._is_read(found, subject, shard):
                            return
        finally:
            self._through.set()
            self._at_work.release()

    def _is_read(self, found: RunFolder, subject: Subject, shard: int) -> bool:
        """Read a shard of a subject; whether to go on: not where no other would fare better."""
        try:
            self._read(found, subject, shard)
        except Exception as error:
            subject.failed[shard] = str(described(error))
            return ends_all(error) is None
        return True

    def _read(self, found: RunFolder, subject: Subject, shard: int) -> None:
        texts = self._texts[subject.examples.key]
        if shard not in texts.of_shard:
            columns = self._folder.example_columns(*self._manifest.shard(shard), [*texts.columns])
            texts.add(shard, columns)
        if subject.metric is None:
            subject.reading.add_examples(texts.read)
        elif found.has_found(subject.metric.name, shard):
            cases = self._folder.cases(subject.metric.name, shard)
            subject.reading.add(texts.read, texts.of_shard[shard], cases)
        else:
            return
        subject.done.add(shard)
