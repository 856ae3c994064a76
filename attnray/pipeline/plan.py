"""Plan: from a corpus to the frozen list of shards."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from attnray.config import Config, CorpusConfig, corpora
from attnray.corpus.example import Example, to_table
from attnray.corpus.readers import FORMATS, read
from attnray.corpus.segment import Segmenter
from attnray.corpus.shards import shards
from attnray.corpus.units import FEWEST_DOCUMENTS, Units
from attnray.errors import InputError
from attnray.metrics.registry import METRICS
from attnray.model.pieces import WordPieces
from attnray.model.source import Checkpoint
from attnray.pipeline.manifest import ExampleSet, Manifest, with_set
from attnray.store.folder import RunFolder, fingerprint, sha256, write_table


class Planner:
    """Plans the metrics a manifest does not have yet, writing their shards.

    Args:
        folder: the run folder.
        config: the run's configuration.
        checkpoint: the model, for its tokenizer and its longest input.
        longest: the most pieces the model accepts.
    """

    def __init__(
        self, folder: RunFolder, config: Config, checkpoint: Checkpoint, longest: int
    ) -> None:
        self._folder = folder
        self._config = config
        self._longest = longest
        self._checkpoint = checkpoint

    def plan(self, manifest: Manifest) -> Manifest:
        """Add what is missing for the configured metrics, and freeze it.

        Raises:
            InputError: a corpus cannot be read, or no metric finds what it needs.
        """
        for metric in self._config.metrics:
            if metric not in manifest.metrics:
                manifest = self._add(manifest, metric)
        if not any(manifest.metrics[metric] for metric in self._config.metrics):
            lacking = (f"{m} needs {METRICS[m].annotation}" for m in self._config.metrics)
            raise InputError(
                f"the corpus has nothing to measure: {', '.join(lacking)}; "
                "choose other metrics or another corpus"
            )
        manifest.write(self._folder)
        return manifest

    def _add(self, manifest: Manifest, metric: str) -> Manifest:
        entry, corpus = METRICS[metric], corpora(self._config)[metric]
        kind = entry.kind(self._config)
        key = fingerprint({**manifest.identity["corpora"][metric], "segment": kind})
        known = next((each for each in manifest.sets if each.key == key), None)
        if known is not None:
            return with_set(manifest, metric, known if known.counts.get(entry.needs) else None, [])
        if entry.needs != "examples" and not FORMATS[corpus.format].annotated:
            return with_set(manifest, metric, None, [])
        first = len(manifest.examples)
        segmenter = self._segmenter(kind, Units(blocks=self._few_documents(corpus, kind)))
        examples = self._write_shards(segmenter, corpus, first)
        counts = segmenter.counts
        numbers = list(range(first, first + len(examples)))
        if not counts[entry.needs]:
            for number in numbers:
                self._folder.shard(number).unlink()
            return with_set(manifest, metric, None, [])
        mean = segmenter.log_lengths / counts["examples"]
        found = ExampleSet(key, corpus.name, kind, numbers, dict(counts), mean)
        return with_set(manifest, metric, found, examples)

    def _write_shards(self, segmenter: Segmenter, corpus: CorpusConfig, first: int) -> list[str]:
        """Write the shards of an example set, numbered from `first`; gives their checksums."""
        written = []
        cut = shards(_examples(segmenter, corpus), self._config.shard, self._config.batch)
        for number, shard in enumerate(cut, first):
            path = self._folder.shard(number)
            write_table(path, to_table(shard))
            written.append(sha256(path))
        return written

    def _few_documents(self, corpus: CorpusConfig, kind: str) -> bool:
        """Whether there are too few documents to take intervals over them.

        Of unlabelled text the documents are counted that the first `limit` examples reach.
        """
        if FORMATS[corpus.format].annotated:
            count = sum(1 for _ in islice(read(corpus), FEWEST_DOCUMENTS))
            return count < FEWEST_DOCUMENTS
        seen: set[int] = set()
        for example in _examples(self._segmenter(kind, Units(blocks=False)), corpus):
            seen.add(example.unit)
            if len(seen) >= FEWEST_DOCUMENTS:
                return False
        return True

    @cached_property
    def _word_pieces(self) -> WordPieces:
        return WordPieces(self._checkpoint.folder)

    def _segmenter(self, kind: str, units: Units) -> Segmenter:
        config = self._config
        return Segmenter(
            kind, self._word_pieces, self._longest, config.max_tokens, units, config.seed
        )


def _examples(segmenter: Segmenter, corpus: CorpusConfig) -> Iterator[Example]:
    """The examples of a corpus; of unlabelled text, the first `limit` of them."""
    examples = (e for document in read(corpus) for e in segmenter.examples(document))
    return islice(examples, None if FORMATS[corpus.format].annotated else corpus.limit)
