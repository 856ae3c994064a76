"""Plan: from a corpus to the frozen list of shards."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from itertools import accumulate, islice
from operator import attrgetter
from typing import TYPE_CHECKING

from attnray.config import Config, CorpusConfig, corpora, fused, keeps, lengths
from attnray.corpus import parts as corpus_parts
from attnray.corpus.readers import annotated, may_have_mentions
from attnray.corpus.roles import ROLES
from attnray.corpus.shards import batched
from attnray.corpus.units import FEWEST_DOCUMENTS, Units
from attnray.errors import InputError
from attnray.metrics.registry import METRICS
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
from attnray.store.files import Checksum, fingerprint
from attnray.store.folder import RunFolder, Shard
from attnray.store.manifest import ExampleSet, Manifest, with_sets

if TYPE_CHECKING:
    from transformers import PretrainedConfig

#: So many parts are numbered at a time, at the most.
AT_A_TIME = 32
#: Where example sets were planned, by the fingerprint of all that decides their shards.
PlannedSets = dict[str, tuple[RunFolder, ExampleSet, list[Checksum]]]


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
        self.folder = folder
        self._config = config
        self._checkpoint = checkpoint

    def elsewhere(self, folder: RunFolder) -> Planner:
        """The same in another folder, which takes over nothing."""
        return Planner(folder, self._config, self._checkpoint, {}, self._spread)

    def grow(self, manifest: Manifest, roles: Sequence[str]) -> Iterator[Manifest]:
        """Add the roles that are not planned yet: the plan as it grows.

        Each time it has all roles of the shards that it has; at last it has all.

        Raises:
            InputError: a corpus cannot be read.
        """
        for role in roles:
            if role not in manifest.roles:
                for state in self._adding(manifest, role, roles):
                    yield self._with_shared(state, roles)
                manifest = state

    def freeze(self, manifest: Manifest, roles: Sequence[str]) -> Manifest:
        """Write a plan that has all roles, with what is to be kept where only samples are.

        Raises:
            InputError: no corpus has what it is needed for.
        """
        if not any(manifest.roles[role] for role in roles):
            lacking = (f"{role} needs {ROLES[role].annotation}" for role in roles)
            raise InputError(
                f"the corpus has nothing to measure: {', '.join(lacking)}; "
                "choose other metrics or another corpus"
            )
        if not keeps(self._config):
            for key in (key for role in roles for key in manifest.roles[role]):
                if key not in manifest.samples:
                    manifest = self._sampled(manifest, key)
        manifest.write(self.folder)
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
            e
            for s in shards
            for e in self.folder.examples(*manifest.shard(s), spellings=True)
            if e.index in chosen
        ]
        if not found:
            return manifest
        number = len(manifest.examples)
        written = self.folder.write_examples(number, batched(found, self._config.batch))
        return replace(
            manifest,
            examples=[*manifest.examples, written.checksum],
            samples={**manifest.samples, key: number},
        )

    def _adding(self, manifest: Manifest, role: str, wanted: Sequence[str]) -> Iterator[Manifest]:
        """The manifest as it gets the example sets of a role, one for each cut."""
        whole: list[ExampleSet] = []
        examples: list[Checksum] = []
        for cut in self._cuts(role):
            sharing = self._sharing(manifest, role, cut, wanted)
            found: ExampleSet | None = None
            written: list[Checksum] = []
            for found, written in self._set(manifest, role, cut, len(examples)):
                if found and self._begins(found, sharing):
                    yield with_sets(manifest, role, [*whole, found], [*examples, *written])
            whole += [found] if found else []
            examples += written
        yield with_sets(manifest, role, whole, examples)

    def _begins(self, growing: ExampleSet, sharing: Sequence[str]) -> bool:
        """Whether all is known that will be measured on the shards of a growing set."""
        counted = all(growing.counts.get(ROLES[role].needs) for role in sharing)
        kinds = [METRICS[name] for name in self._config.metrics if name in METRICS]
        of_whole = any(kind.of_whole_set for kind in kinds if kind.role in sharing)
        return counted and not (of_whole and fused(self._config))

    def _sharing(self, manifest: Manifest, role: str, cut: int, wanted: Sequence[str]) -> list[str]:
        """The roles, this one among them, that may have the same example set."""
        key, _, _ = self._key(manifest, role, cut)
        return [
            other
            for other in wanted
            if _may_have(ROLES[other].needs, corpora(self._config)[other])
            and any(self._key(manifest, other, c)[0] == key for c in self._cuts(other))
        ]

    def _with_shared(self, manifest: Manifest, wanted: Sequence[str]) -> Manifest:
        """The manifest with the roles yet to come that have example sets which are there."""
        counts = {each.key: each.counts for each in manifest.sets}
        shared: dict[str, list[str]] = {}
        for role in (role for role in wanted if role not in manifest.roles):
            keys = [self._key(manifest, role, cut)[0] for cut in self._cuts(role)]
            known = [key for key in keys if counts.get(key, {}).get(ROLES[role].needs)]
            shared |= {role: known} if known else {}
        return replace(manifest, roles={**manifest.roles, **shared})

    def _cuts(self, role: str) -> list[int]:
        cuts = lengths(self._config)
        return cuts if ROLES[role].every_length else cuts[:1]

    def _key(self, manifest: Manifest, role: str, cut: int) -> tuple[str, str, int | None]:
        """The key of the example set of a role, its kind, and what it is cut to."""
        kind = ROLES[role].kind(corpora(self._config)[role])
        most = None if kind == "sentence" else cut
        content = manifest.identity["corpora"][role]
        return fingerprint({**content, "segment": kind, "max_tokens": most}), kind, most

    def _set(
        self, manifest: Manifest, role: str, cut: int, first: int
    ) -> Iterator[tuple[ExampleSet | None, list[Checksum]]]:
        """An example set of a role as it grows, None where the corpus lacks what it needs.

        Its shards are numbered from the `first` behind those of the manifest; gives with it the
        checksums of those that were written.
        """
        entry, corpus = ROLES[role], corpora(self._config)[role]
        key, kind, most = self._key(manifest, role, cut)
        first += len(manifest.examples)
        known = next((each for each in manifest.sets if each.key == key), None)
        if known is not None:
            yield (known if known.counts.get(entry.needs) else None), []
            return
        again = fingerprint({"set": key, "cut": cut, **self._decisive})
        if again in self._planned and self._planned[again][1].counts.get(entry.needs):
            yield self._copied(*self._planned[again], first)
            return
        if not _may_have(entry.needs, corpus):
            return
        growing = _Growing(ExampleSet(key, corpus.name, kind, most, [], [], [], [], {}, 0.0), first)
        written: list[Checksum] = []
        try:
            for parts in _more_and_more(self._spread(draft, self._parts(corpus, kind, cut))):
                tasks = [growing.add(self.folder, each) for each in parts]
                for checksums in self._spread(number, tasks):
                    written += checksums
                if growing.counts.get(entry.needs):
                    yield growing.set, list(written)
        finally:
            self.folder.remove_drafts()
        if growing.counts.get(entry.needs):
            self._planned[again] = (self.folder, growing.set, written)

    def _parts(self, corpus: CorpusConfig, kind: str, cut: int) -> list[DraftTask]:
        """The parts of a corpus, to be drafted."""
        settings = self._example_settings(corpus, kind, cut)
        settings = replace(settings, blocks=_few_documents(settings))
        # Blocks, and a limit, reach over what would be parts.
        together = settings.blocks or corpus.limit is not None
        found = [corpus_parts.whole(corpus)] if together else corpus_parts.parts(corpus)
        return [DraftTask(self.folder, n, part, settings) for n, part in enumerate(found)]

    @cached_property
    def _decisive(self) -> dict[str, object]:
        """What decides the shards of a corpus, beside the corpus and how it is cut."""
        config = self._config
        limits = {"shard": asdict(config.shard), "batch": asdict(config.batch)}
        tokenizer = self._checkpoint.tokenizer()
        return {"tokenizer": tokenizer, "longest": self._longest, "seed": config.seed, **limits}

    def _copied(
        self, folder: RunFolder, examples: ExampleSet, checksums: list[Checksum], first: int
    ) -> tuple[ExampleSet, list[Checksum]]:
        """An example set of another run, its shards copied and numbered from `first`."""
        for place, shard in enumerate(map(Shard, examples.shards, checksums), first):
            self.folder.copy_shard(place, folder, shard)
        return replace(examples, shards=range(first, first + len(checksums))), checksums

    @cached_property
    def _longest(self) -> int:
        """The most pieces that the model accepts."""
        return longest_input(self._model)

    @cached_property
    def _model(self) -> PretrainedConfig:
        from attnray.model.configuration import read_config

        return read_config(self._checkpoint)

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
            tokenizer=TokenizerSettings(
                model.path, model.hub, model.revision, self._model.vocab_size, identity
            ),
        )


class _Growing:
    """An example set that gets the shards of one part after another, numbered from `first`."""

    def __init__(self, empty: ExampleSet, first: int) -> None:
        self._empty = empty
        self._first = first
        self._parts: list[Drafted] = []
        self.counts: Counter[str] = Counter()
        self._units = 0

    def add(self, folder: RunFolder, part: Drafted) -> NumberTask:
        """Adds a part; gives what numbers its shards, examples and units."""
        shard = self._first + sum(len(each.sizes) for each in self._parts)
        task = NumberTask(folder, len(self._parts), shard, self.counts["examples"], self._units)
        self._parts.append(part)
        self.counts.update(part.counts)
        self._units += part.units
        return task

    @property
    def set(self) -> ExampleSet:
        """The set so far."""
        sizes, tokens, cells = (
            [value for each in self._parts for value in part(each)]
            for part in map(attrgetter, ("sizes", "tokens", "cells"))
        )
        logs = math.fsum(each.log_lengths for each in self._parts)
        return replace(
            self._empty,
            shards=[*range(self._first, self._first + len(sizes))],
            sizes=sizes,
            tokens=tokens,
            cells=cells,
            counts=dict(self.counts),
            mean_ln_length=logs / self.counts["examples"],
            remark=self._parts[0].remark,
        )


def _more_and_more(parts: Iterable[Drafted]) -> Iterator[list[Drafted]]:
    """One part, two, four, … at a time: the first waits for no other, and later ones are many."""
    left, size = iter(parts), 1
    while taken := list(islice(left, size)):
        yield taken
        size = min(2 * size, AT_A_TIME)


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
