"""Plan: from a corpus to the frozen list of shards."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from itertools import accumulate, chain
from operator import attrgetter

from attnray.config import Config, CorpusConfig, corpora, lengths, stores
from attnray.corpus import parts as corpus_parts
from attnray.corpus.readers import annotated, may_have_mentions
from attnray.corpus.roles import ROLES
from attnray.corpus.shards import batched
from attnray.corpus.units import FEWEST_DOCUMENTS, Units
from attnray.errors import InputError
from attnray.model.families import longest_input
from attnray.model.source import Checkpoint
from attnray.stages.parts import (
    Drafted,
    DraftTask,
    ExampleSettings,
    NumberTask,
    Spread,
    TokenizerSettings,
    draft,
    number,
)
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
        spread: has the parts of a corpus planned.
    """

    def __init__(
        self,
        folder: RunFolder,
        config: Config,
        checkpoint: Checkpoint,
        planned: PlannedSets,
        spread: Spread = map,
    ) -> None:
        self._planned = planned
        self._spread = spread
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
        try:
            drafted = self._drafted(corpus, kind, cut)
            counts = _summed(drafted)
            if not counts.get(entry.needs):
                return None, []
            examples = self._numbered(drafted, first)
        finally:
            self._folder.remove_drafts()
        numbers = list(range(first, first + len(examples)))
        sizes, tokens, cells = (
            [value for each in drafted for value in part(each)]
            for part in map(attrgetter, ("sizes", "tokens", "cells"))
        )
        mean = math.fsum(each.log_lengths for each in drafted) / counts["examples"]
        found = ExampleSet(
            key, corpus.name, kind, most, numbers, sizes, tokens, cells, counts, mean
        )
        self._planned[again] = (self._folder, found)
        return found, examples

    def _drafted(self, corpus: CorpusConfig, kind: str, cut: int) -> list[Drafted]:
        """What each part of a corpus has, drafted."""
        settings = self._example_settings(corpus, kind, cut)
        settings = replace(settings, blocks=_few_documents(settings))
        # Blocks, and a limit, reach over what would be parts.
        together = settings.blocks or corpus.limit is not None
        found = [corpus_parts.whole(corpus)] if together else corpus_parts.parts(corpus)
        tasks = [DraftTask(self._folder, n, part, settings) for n, part in enumerate(found)]
        return list(self._spread(draft, tasks))

    def _numbered(self, drafted: Sequence[Drafted], shard: int) -> list[str]:
        """Write the shards of drafted parts, numbered from this one; gives their checksums."""
        tasks = []
        example = unit = 0
        for part, each in enumerate(drafted):
            tasks.append(NumberTask(self._folder, part, shard, example, unit))
            shard += len(each.sizes)
            example += sum(each.sizes)
            unit += each.units
        return list(chain.from_iterable(self._spread(number, tasks)))

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

    @cached_property
    def _longest(self) -> int:
        """The most pieces that the model accepts."""
        from attnray.model.encoder import read_config

        return longest_input(read_config(self._checkpoint))

    def _example_settings(self, corpus: CorpusConfig, kind: str, cut: int) -> ExampleSettings:
        config, model = self._config, self._config.model
        identity = fingerprint(self._checkpoint.tokenizer())
        return ExampleSettings(
            corpus=corpus,
            annotated=annotated(corpus),
            kind=kind,
            max_tokens=cut,
            longest=self._longest,
            blocks=False,
            seed=config.seed,
            shard=config.shard,
            batch=config.batch,
            tokenizer=TokenizerSettings(model.path, model.hub, model.revision, identity),
        )


def _summed(drafted: Iterable[Drafted]) -> dict[str, int]:
    """What was counted, of all parts together."""
    counts: Counter[str] = Counter()
    for each in drafted:
        counts.update(each.counts)
    return dict(counts)


def _few_documents(settings: ExampleSettings) -> bool:
    """Whether there are too few documents to take intervals over them.

    Of unlabelled text the documents are counted that the first `limit` examples reach.
    """
    if settings.annotated:
        return not corpus_parts.has_documents(settings.corpus, FEWEST_DOCUMENTS)
    seen: set[int] = set()
    segmenter = settings.segmenter(Units(blocks=False))
    for each in settings.drafts(segmenter, corpus_parts.whole(settings.corpus)):
        seen.add(each.unit)
        if len(seen) >= FEWEST_DOCUMENTS:
            return False
    return True


def _may_have(item: str, corpus: CorpusConfig) -> bool:
    """Whether it is worth reading a corpus for what a role needs of it."""
    if item == "examples":
        return True
    return may_have_mentions(corpus) if item == "mentions" else annotated(corpus)
