"""Plan: from a corpus to the frozen list of shards."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import cached_property
from itertools import accumulate, islice

from attnray.config import Config, CorpusConfig, corpora, lengths, stores
from attnray.corpus.example import Example
from attnray.corpus.readers import FORMATS, annotated, read
from attnray.corpus.roles import ROLES
from attnray.corpus.segment import Segmenter
from attnray.corpus.shards import batched, shards
from attnray.corpus.units import FEWEST_DOCUMENTS, Units
from attnray.errors import InputError
from attnray.model.families import longest_input
from attnray.model.pieces import WordPieces
from attnray.model.source import Checkpoint
from attnray.store.files import fingerprint
from attnray.store.folder import RunFolder
from attnray.store.manifest import ExampleSet, Manifest, with_sets

#: Where example sets were planned, by the fingerprint of all that decides their shards.
PlannedSets = dict[str, tuple[RunFolder, ExampleSet]]


class Planner:
    """Plans the roles a manifest does not have yet, writing their shards.

    Args:
        folder: the run folder.
        config: the run's configuration.
        checkpoint: the model, for its tokenizer and its longest input.
        planned: the example sets planned so far by the runs of a sweep; gets those of this one.
    """

    def __init__(
        self,
        folder: RunFolder,
        config: Config,
        checkpoint: Checkpoint,
        planned: PlannedSets,
    ) -> None:
        self._planned = planned
        self._folder = folder
        self._config = config
        self._checkpoint = checkpoint

    def plan(self, manifest: Manifest, roles: Iterable[str]) -> Manifest:
        """Add the roles that are not planned yet, and freeze the plan.

        Raises:
            InputError: a corpus cannot be read, or none has what it is needed for.
        """
        wanted = list(roles)
        for role in wanted:
            if role not in manifest.roles:
                manifest = self._add(manifest, role)
        if not any(manifest.roles[role] for role in wanted):
            lacking = (f"{role} needs {ROLES[role].annotation}" for role in wanted)
            raise InputError(
                f"the corpus has nothing to measure: {', '.join(lacking)}; "
                "choose other metrics or another corpus"
            )
        if not stores(self._config):
            for key in (key for role in wanted for key in manifest.roles[role]):
                if key not in manifest.samples:
                    manifest = self._sampled(manifest, key)
        manifest.write(self._folder)
        return manifest

    def _sampled(self, manifest: Manifest, key: str) -> Manifest:
        """The manifest with a shard more: a seeded sample of an example set, to be stored."""
        (examples,) = (each for each in manifest.sets if each.key == key)
        count = min(self._config.store.sample, examples.size)
        chooser = random.Random(f"{self._config.seed}:{key}")
        chosen = frozenset(chooser.sample(range(examples.size), count))
        ends = list(accumulate(examples.sizes))
        shards = sorted({examples.shards[bisect_right(ends, index)] for index in chosen})
        found = [
            e for s in shards for e in self._folder.examples(s, spellings=True) if e.index in chosen
        ]
        if not found:
            return manifest
        number = len(manifest.examples)
        written = self._folder.write_examples(number, batched(found, self._config.batch))
        return replace(
            manifest,
            examples=[*manifest.examples, written],
            samples={**manifest.samples, key: number},
        )

    def _add(self, manifest: Manifest, role: str) -> Manifest:
        """The manifest with the example sets of a role, one for each cut."""
        found: list[ExampleSet] = []
        examples: list[str] = []
        for cut in lengths(self._config) if ROLES[role].every_length else [self._first_cut]:
            first = len(manifest.examples) + len(examples)
            new, written = self._set(manifest, role, cut, first)
            found += [new] if new else []
            examples += written
        return with_sets(manifest, role, found, examples)

    def _set(
        self, manifest: Manifest, role: str, cut: int, first: int
    ) -> tuple[ExampleSet | None, list[str]]:
        """An example set of a role, None where the corpus lacks what it needs.

        Its shards are numbered from `first`; gives the checksums of those that were written.
        """
        entry, corpus = ROLES[role], corpora(self._config)[role]
        kind = entry.kind(corpus)
        most = None if kind == "sentence" else cut
        content = manifest.identity["corpora"][role]
        key = fingerprint({**content, "segment": kind, "max_tokens": most})
        known = next((each for each in manifest.sets if each.key == key), None)
        if known is not None:
            return (known if known.counts.get(entry.needs) else None), []
        again = fingerprint({"set": key, "cut": cut, **self._decisive})
        if again in self._planned and self._planned[again][1].counts.get(entry.needs):
            return self._copied(*self._planned[again], first)
        if not _may_have(entry.needs, corpus):
            return None, []
        blocks = self._few_documents(corpus, kind, cut)
        segmenter = self._segmenter(kind, Units(blocks), cut)
        examples, sizes = self._write_shards(segmenter, corpus, first)
        counts = segmenter.counts
        numbers = list(range(first, first + len(examples)))
        if not counts[entry.needs]:
            for number in numbers:
                self._folder.remove_examples(number)
            return None, []
        mean = segmenter.log_lengths / counts["examples"]
        found = ExampleSet(key, corpus.name, kind, most, numbers, sizes, dict(counts), mean)
        self._planned[again] = (self._folder, found)
        return found, examples

    @cached_property
    def _decisive(self) -> dict[str, object]:
        """What decides the shards of a corpus, beside the corpus and how it is cut."""
        config = self._config
        limits = {"shard": asdict(config.shard), "batch": asdict(config.batch)}
        tokenizer = self._checkpoint.tokenizer()
        return {"tokenizer": tokenizer, "longest": self._longest, "seed": config.seed, **limits}

    def _copied(
        self, folder: RunFolder, examples: ExampleSet, first: int
    ) -> tuple[ExampleSet, list[str]]:
        """An example set of another run, its shards copied and numbered from `first`."""
        numbers = list(range(first, first + len(examples.shards)))
        pairs = zip(examples.shards, numbers, strict=True)
        written = [self._folder.copy_examples(new, folder, old) for old, new in pairs]
        return replace(examples, shards=numbers), written

    @property
    def _first_cut(self) -> int:
        return lengths(self._config)[0]

    def _write_shards(
        self, segmenter: Segmenter, corpus: CorpusConfig, first: int
    ) -> tuple[list[str], list[int]]:
        """Write the shards of an example set, numbered from `first`: their checksums and sizes."""
        written, sizes = [], []
        cut = shards(_examples(segmenter, corpus), self._config.shard, self._config.batch)
        for number, shard in enumerate(cut, first):
            written.append(self._folder.write_examples(number, shard))
            sizes.append(len(shard))
        return written, sizes

    def _few_documents(self, corpus: CorpusConfig, kind: str, cut: int) -> bool:
        """Whether there are too few documents to take intervals over them.

        Of unlabelled text the documents are counted that the first `limit` examples reach.
        """
        if annotated(corpus):
            count = sum(1 for _ in islice(read(corpus), FEWEST_DOCUMENTS))
            return count < FEWEST_DOCUMENTS
        seen: set[int] = set()
        for example in _examples(self._segmenter(kind, Units(blocks=False), cut), corpus):
            seen.add(example.unit)
            if len(seen) >= FEWEST_DOCUMENTS:
                return False
        return True

    @cached_property
    def _longest(self) -> int:
        """The most pieces that the model accepts."""
        from attnray.model.encoder import read_config

        return longest_input(read_config(self._checkpoint))

    @cached_property
    def _word_pieces(self) -> WordPieces:
        return WordPieces(self._checkpoint.folder)

    def _segmenter(self, kind: str, units: Units, cut: int) -> Segmenter:
        return Segmenter(kind, self._word_pieces, self._longest, cut, units, self._config.seed)


def _may_have(item: str, corpus: CorpusConfig) -> bool:
    """Whether it is worth reading a corpus for what a role needs of it."""
    if item == "examples" or (item == "mentions" and FORMATS[corpus.format].mentions):
        return True
    return annotated(corpus)


def _examples(segmenter: Segmenter, corpus: CorpusConfig) -> Iterator[Example]:
    """The examples of a corpus; of unlabelled text, the first `limit` of them."""
    examples = (e for document in read(corpus) for e in segmenter.examples(document))
    return islice(examples, None if annotated(corpus) else corpus.limit)
