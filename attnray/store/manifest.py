"""The manifest: the frozen plan of a run, and what must be equal to go on with it."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
import struct
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from attnray import __version__
from attnray.config import Config, CorpusConfig, corpora, lengths, planned, stores
from attnray.corpus.readers import fingerprint as corpus_fingerprint
from attnray.errors import InputError
from attnray.model.source import Checkpoint
from attnray.store.files import FORMAT, Checksum, Form
from attnray.store.folder import MANIFEST, RunFolder, Shard

#: The number of the layout of 0.1.0, whose plans have no `format`.
LAYOUT = 4
#: Packages whose version can change the bits of what is extracted.
PACKAGES = ("torch", "transformers", "tokenizers", "numpy")
#: What of a corpus's configuration decides its examples, beside the contents of its files.
DECISIVE = ("name", "format", "limit", "segment", "language")
#: What else does, where it is said.
WHERE_SAID = ("entity",)
_PACKED = struct.Struct("<Q32s")


class Checksums(Sequence[Checksum]):
    """Checksums, held as bytes: a list of so many takes ten times as much."""

    def __init__(self, checksums: Iterable[Checksum]) -> None:
        self._bytes = b"".join(_PACKED.pack(size, bytes.fromhex(sum_)) for size, sum_ in checksums)

    def __len__(self) -> int:
        return len(self._bytes) // _PACKED.size

    @overload
    def __getitem__(self, place: int) -> Checksum: ...

    @overload
    def __getitem__(self, place: slice) -> list[Checksum]: ...

    def __getitem__(self, place: int | slice) -> Checksum | list[Checksum]:
        chosen = range(len(self))[place]
        if isinstance(chosen, range):
            return [self[each] for each in chosen]
        size, sum_ = _PACKED.unpack_from(self._bytes, _PACKED.size * chosen)
        return Checksum(size, sum_.hex())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Checksums) and self._bytes == other._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)


#: What tells contents apart, and says nothing to people.
_CHECKSUM = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True)
class ExampleSet:
    """The examples of one kind from one corpus, and the shards they fill.

    `key` is the fingerprint of what they were made from; `max_tokens` what they were cut to,
    None for sentences; `sizes` how many examples each shard has, which are numbered on from the
    one before; `tokens` and `cells` the sums of their lengths and of these squared; `counts` the
    rows of `corpus`; `mean_ln_length` the mean of ln(tokens): the entropy of uniform attention,
    in nats; `remark` what is odd about the tokenizer, if anything is.
    """

    key: str
    corpus: str
    kind: str
    max_tokens: int | None
    shards: Sequence[int]
    sizes: Sequence[int]
    tokens: Sequence[int]
    cells: Sequence[int]
    counts: dict[str, int]
    mean_ln_length: float
    remark: str = ""

    def __post_init__(self) -> None:
        """Hold the lists small: shards are numbered one behind the other."""
        object.__setattr__(self, "shards", _consecutive(self.shards))
        for name, code in (("sizes", "I"), ("tokens", "Q"), ("cells", "Q")):
            object.__setattr__(self, name, array(code, getattr(self, name)))

    @property
    def size(self) -> int:
        """How many examples there are."""
        return self.counts["examples"]


@dataclass(frozen=True)
class Manifest:
    """A run's plan.

    `identity` must be the same for a run to go on in the folder. `roles` has the keys of the
    example sets of each role that was planned, none where its corpus has not what it needs;
    `examples` holds the checksum of each shard's file; `samples` the shard that has a sample of a
    set, by its key, where only that is stored; `heads` the model's layers, and the
    heads of each; `width` the size of the vectors that layers pass on; `without` says of metrics
    that the model cannot have what it lacks; `longest` is the most word pieces that the model
    takes, None where an older version did not say; `made` says by which command the run was
    begun, when, and in which folder, where it is known.
    """

    identity: dict[str, Any]
    config: dict[str, Any]
    sets: list[ExampleSet]
    roles: dict[str, list[str]]
    examples: Sequence[Checksum]
    heads: tuple[int, int]
    width: int
    without: dict[str, str] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)
    longest: int | None = None
    made: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "examples", Checksums(self.examples))

    @classmethod
    def read(cls, folder: RunFolder) -> Manifest | None:
        """The manifest of a run folder, None where there is none yet.

        Raises:
            InputError: it is damaged, or was written by another version of the layout.
        """
        content = folder.read_manifest()
        if content is None:
            return None
        written = content.pop("format", None) or content.pop("layout", None)
        if written not in (LAYOUT, FORMAT):
            raise InputError(
                f"{folder.where(MANIFEST)}: a run of format {written}, where attnray {__version__} "
                f"reads {LAYOUT} and {FORMAT}: use the version that made it, or choose another "
                "run_dir"
            )
        try:
            if written == LAYOUT:  # it had no sizes of shards, and no checksum of its own
                content["examples"] = folder.sized(content["examples"])
            content["examples"] = [Checksum(*each) for each in content["examples"]]
            content["sets"] = [ExampleSet(**each) for each in content["sets"]]
            content["heads"] = tuple(content["heads"])
            planned(content["config"])
            return cls(**content)
        except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise folder.damaged_plan(error) from error

    def write(self, folder: RunFolder) -> None:
        """Freeze the plan."""
        folder.write_manifest({**_content(self), "sets": [*map(_content, self.sets)]})

    def shard(self, number: int) -> Shard:
        """A shard, with what its file must hold."""
        return Shard(number, self.examples[number])

    @property
    def shards(self) -> list[Shard]:
        """All shards."""
        return [*map(self.shard, range(len(self.examples)))]

    def sets_of(self, role: str) -> list[ExampleSet]:
        """The examples of a role, for each cut; none where its corpus lacks what it needs."""
        return [each for key in self.roles[role] for each in self.sets if each.key == key]

    def flop(self, examples: ExampleSet) -> NDArray[np.float64]:
        """About how many FLOP the forward pass over each shard takes: (shard,).

        A layer has 12 x width^2 parameters, each a multiplication and an addition a token, and two
        products of width multiplications and additions a pair of tokens.
        """
        tokens, cells = np.array(examples.tokens, float), np.array(examples.cells, float)
        return self.flop_of(tokens, cells)

    def flop_of(
        self, tokens: NDArray[np.float64], cells: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The same of so many tokens and cells."""
        a_token, a_pair = 24 * self.width**2, 4 * self.width
        return self.heads[0] * (a_token * tokens + a_pair * cells)

    def attention_fingerprint(self, shard: int) -> str:
        """The fingerprint of a shard's attention."""
        return self._attention.filled(self.examples[shard].sha256)

    @cached_property
    def _attention(self) -> Form:
        wanted = ("model", "device", "threads", "store", "versions")
        return Form.of({key: self.identity[key] for key in wanted}, "examples")


def identity(config: Config, checkpoint: Checkpoint, device: str) -> dict[str, Any]:
    """What decides a run's attention: it names the default folder and guards every folder."""
    return {
        "model": checkpoint.identity(),
        "device": device,
        # Sums are split among threads, which can change a weight's last bits.
        "threads": config.executor.threads_per_extractor,
        "corpora": {
            role: {**_decisive(corpus), "sha256": corpus_fingerprint(corpus)}
            for role, corpus in corpora(config).items()
        },
        "max_tokens": lengths(config),
        "seed": config.seed,
        "shard": asdict(config.shard),
        "batch": asdict(config.batch),
        "store": _decisive_store(config),
        "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
    }


def _decisive(corpus: CorpusConfig) -> dict[str, Any]:
    settings = asdict(corpus).items()
    return {k: v for k, v in settings if k in DECISIVE or (k in WHERE_SAID and v is not None)}


def _decisive_store(config: Config) -> dict[str, Any]:
    """What decides the stored bytes; the size of a sample does where only that is stored."""
    store = asdict(config.store)
    del store["keep"]
    if stores(config):
        del store["sample"]
    return store


def refuse_other(
    folder: RunFolder,
    planned: dict[str, Any],
    now: dict[str, Any],
    roles: Collection[str] | None = None,
) -> None:
    """Refuse to go on in a folder that was planned otherwise.

    Args:
        folder: the run folder.
        planned: what it was planned with.
        now: what it is to go on with.
        roles: the roles whose corpora must be the same, those already planned; None for all.

    Raises:
        InputError: says what differs.
    """
    before, after = flat(_of_roles(planned, roles)), flat(_of_roles(now, roles))
    if before != after:
        raise InputError(
            f"{folder} holds another run: {'; '.join(_differences(before, after))}. "
            "Choose another run_dir, or the settings it was planned with"
        )


def _differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What differs, by settings; of what these do not explain, that the files are others."""
    pairs = {key: (before.get(key), after.get(key)) for key in sorted(before | after)}
    changed = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
    files = [
        key for key, pair in changed.items() if any(_CHECKSUM.fullmatch(v or "") for v in pair)
    ]
    said = {_corpus(key, changed): changed[key] for key in changed if key not in files}
    explained = {_owner(key) for key in said}
    others = [_owner(_corpus(key, changed)) for key in files]
    return [
        *(f"{key} was {then} and is {now}" for key, (then, now) in said.items()),
        *(f"the files of {each} are others" for each in {*others} - explained),
    ]


def _corpus(key: str, changed: Mapping[str, object]) -> str:
    """A setting of a role's corpus, as one of `corpus` where that of others differs likewise."""
    _, _, field = key.rpartition(".")
    alike = [other for other in changed if other.startswith("corpora.") and other.endswith(field)]
    shared = len(alike) > 1 and len({changed[other] for other in alike}) == 1
    return f"corpus.{field}" if key in alike and shared else key


def _owner(key: str) -> str:
    """Whose setting it is: that of the model, of a corpus, …"""
    return ".".join(key.split(".")[: 2 if key.startswith("corpora.") else 1])


def with_sets(
    manifest: Manifest, role: str, found: list[ExampleSet], examples: list[Checksum]
) -> Manifest:
    """The manifest with one more role planned, on new sets or on those it has."""
    known = {each.key for each in manifest.sets}
    return dataclasses.replace(
        manifest,
        sets=manifest.sets + [each for each in found if each.key not in known],
        roles={**manifest.roles, role: [each.key for each in found]},
        examples=[*manifest.examples, *examples],
    )


def _content(of: Manifest | ExampleSet) -> dict[str, Any]:
    return {each.name: getattr(of, each.name) for each in fields(of)}


def _consecutive(numbers: Sequence[int]) -> Sequence[int]:
    """Numbers as a range, where they follow one another."""
    if not numbers:
        return range(0)
    found = range(numbers[0], numbers[0] + len(numbers))
    return found if [*found] == [*numbers] else tuple(numbers)


def _of_roles(content: dict[str, Any], roles: Collection[str] | None) -> dict[str, Any]:
    if roles is None:
        return content
    chosen = {role: corpus for role, corpus in content["corpora"].items() if role in roles}
    return {**content, "corpora": chosen}


def flat(content: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """What is nested under names with points, as settings are said."""
    found: dict[str, str] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = str(value)
    return found
