"""The typed configuration: what can be set, and which values are possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from attnray.errors import InputError
from attnray.nearest import meant


@dataclass
class ModelConfig:
    """Which checkpoint: the folder `path` where one is given, else `hub` at `revision`."""

    #: What tables call it; null is the name of the folder, or the last part of the hub's.
    name: str | None = MISSING
    #: A folder with a Hugging Face checkpoint.
    path: str | None = None
    #: A checkpoint of the Hugging Face hub, as OWNER/NAME.
    hub: str | None = None
    #: Of the hub's: a branch, a tag or a commit.
    revision: str | None = None
    #: The sha256 of files by their names: others are refused.
    checksums: dict[str, str] = field(default_factory=dict)
    #: Its configuration with new weights.
    random_init: bool = False
    #: What new weights are drawn from; null is the run's `seed`.
    seed: int | None = None
    #: On a GPU, what autocast computes in; the softmax stays in float32.
    dtype: str = "float32"
    #: For people to read.
    licence: str | None = None
    #: For people to read.
    size: str | None = None


@dataclass
class CorpusConfig:
    """Which corpus, and how it is read. `corpora.ROLE` has the same settings."""

    #: What tables call it.
    name: str = MISSING
    #: conllu, conll2012, word_head, gap, json, parquet or text.
    format: str = MISSING
    #: A file, a pattern such as `dir/**/*_conll`, or a list of these, here or at an address
    #: (https://, s3://, gs://, hf://datasets/).
    path: Any = MISSING
    #: The sha256 of files by their names: others are refused. Null takes whatever they are.
    checksums: dict[str, str] | None = field(default_factory=dict)
    #: The first so many documents; of plain text, pairs.
    limit: int | None = None
    #: What patterns are measured on: sentence, document or pair; null is sentences where there are
    #: any, else pairs.
    segment: str | None = None
    #: In which plain text is split into sentences.
    language: str = "en"
    #: CoNLL-U: the fields of `Entity=` in their order, as etype-eid; null for what a file says.
    entity: str | None = None
    #: For people to read.
    licence: str | None = None
    #: For people to read.
    size: str | None = None


@dataclass
class RolesConfig:
    """A corpus of its own for a role: a name or a file, as `corpus` takes it."""

    #: For patterns, divergence and importance; null is `corpus`.
    patterns: CorpusConfig | None = None
    #: For syntax; null is `corpus`.
    syntax: CorpusConfig | None = None
    #: For coreference; null is `corpus`.
    coreference: CorpusConfig | None = None
    #: What probes are trained on: there is no default.
    train: CorpusConfig | None = None
    #: What probes are scored on; null is `corpus`.
    dev: CorpusConfig | None = None


@dataclass
class StoreConfig:
    """How attention is written."""

    #: How a weight is coded; none writes no attention but that of a sample.
    codec: str = MISSING
    #: The weights of one head in a Zarr chunk.
    chunk_cells: int = 32768
    #: Chunks of all heads that take about so many MiB are written together, as one file.
    block_mib: int = 32
    #: With the codec none, or without `keep`: of so many examples of each set attention is kept,
    #: drawn from `seed`.
    sample: int = 64
    #: False removes the attention of a shard once it is measured, but for the sample.
    keep: bool = True


@dataclass
class ExecutorConfig:
    """Where the work runs. Null means as many as fit."""

    #: ray or serial.
    name: str = MISSING
    #: Actors that have the model; null is one a GPU, else half of the cores, and no more than have
    #: a minute's work each.
    extractors: int | None = None
    #: GPUs of each, or a share of one; null is one where there are any, 0 keeps to CPUs.
    gpus_per_extractor: float | None = None
    #: CPUs of each, as Ray counts them.
    cpus_per_extractor: float = 1
    #: Threads of torch in each.
    threads_per_extractor: int = 1
    #: Tasks that measure at once; null is one a CPU.
    analysers: int | None = None
    #: How often a task is tried again.
    retries: int = 3
    #: The seconds after which a task is given up and tried again; null is 30 times what others
    #: took, and ten minutes at the least.
    deadline: float | None = None


@dataclass
class ShardConfig:
    """The size of a shard. Null is what suits the device (`SIZES`)."""

    #: The most examples.
    examples: int | None = None
    #: The most cells: the sum of squared lengths.
    cells: int | None = None


@dataclass
class BatchConfig:
    """The size of a forward pass. Null is what suits the device (`SIZES`)."""

    #: The most tokens, padding included.
    tokens: int | None = None
    #: The most cells, padding included: examples times squared length.
    cells: int | None = None


#: Shards and batches by device. On a GPU a layer of BERT-base gives 0.4 GB of weights at the most;
#: on a CPU what is worked on stays small enough for its caches.
SIZES = {
    "cpu": (ShardConfig(512, 2_000_000), BatchConfig(1024, 1 << 17)),
    "cuda": (ShardConfig(4096, 1 << 26), BatchConfig(1 << 15, 1 << 23)),
}


@dataclass
class BehaviourConfig:
    """What makes a behaviour of a head: its mean weight on a target is above so much."""

    #: On the next token.
    next: float = 0.5
    #: On the previous token.
    previous: float = 0.5
    #: On [CLS].
    cls: float = 0.6
    #: On [SEP].
    sep: float = 0.6
    #: On `.` and `,`.
    punctuation: float = 0.6
    #: The mean entropy in nats at `broad_length` tokens; at other lengths it is the same share of
    #: the entropy of uniform attention.
    broad: float = 3.8
    #: Tokens.
    broad_length: int = 128


@dataclass
class DivergenceConfig:
    """What divergences are measured on."""

    #: So many examples, drawn from `seed`, or `all`.
    examples: Any = 1000


@dataclass
class ProbeConfig:
    """Which probes, from which seeds, and how they are trained."""

    #: Some of right_branching, distances_and_words, attention, attention_and_words.
    probes: list[str] = field(default_factory=list)
    #: Each probe is trained once from each.
    seeds: list[int] = field(default_factory=list)
    #: A GloVe text file; null is the model's own input embeddings.
    vectors: str | None = None
    #: Of Adam.
    learning_rate: float = 0.002
    #: Sentences of a step.
    batch_sentences: int = 5
    #: Units of the hidden layer of distances_and_words.
    hidden: int = 200


@dataclass
class Config:
    """Everything a run can be told; the defaults are in conf/config.yaml."""

    model: ModelConfig = field(default_factory=ModelConfig)
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    corpora: RolesConfig = field(default_factory=RolesConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    executor: ExecutorConfig = field(default_factory=ExecutorConfig)
    shard: ShardConfig = field(default_factory=ShardConfig)
    batch: BatchConfig = field(default_factory=BatchConfig)
    run_dir: str | None = None
    runs: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    controls: str | None = None
    reproduce: str | None = None
    behaviour: BehaviourConfig = field(default_factory=BehaviourConfig)
    permutations: int = 9999
    examples: list[int] = field(default_factory=list)
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    divergence: DivergenceConfig = field(default_factory=DivergenceConfig)
    max_tokens: Any = 128
    merge: str = "mean"
    relation_labels: str = "universal"
    candidates: str = "mentions"
    cases: bool = True
    analysis: str = "workers"
    check_disk: bool = True
    seed: int = 0


PROBES = ("right_branching", "distances_and_words", "attention", "attention_and_words")
#: Whose numbers a run can be held against.
PAPERS = ("clark2019",)

CHOICES: dict[str, tuple[str, ...]] = {
    "model.dtype": ("float32", "bfloat16", "float16"),
    "store.codec": ("log16", "compact", "float32", "float16", "none"),
    "analysis": ("workers", "fused"),
    "merge": ("mean", "first", "max"),
    "relation_labels": ("universal", "full"),
    "candidates": ("mentions", "words"),
}
#: What a run can be held against; `random` is its twin with new weights drawn from `seed`.
CONTROLS = ("random",)
#: What CorefUD and GUM call the field of `Entity=` that says of which entity a mention is.
GROUPS = ("eid", "grp")
SEGMENTS = ("sentence", "document", "pair")
#: The largest number: that of a seed, which no size of anything comes near to.
MOST = 2**32 - 1
_AT_MOST = f" (and at most {MOST:,})"
POSITIVE = (
    "store.chunk_cells",
    "store.block_mib",
    "executor.extractors",
    "executor.cpus_per_extractor",
    "executor.threads_per_extractor",
    "executor.analysers",
    "shard.examples",
    "shard.cells",
    "batch.tokens",
    "batch.cells",
    "probe.batch_sentences",
    "probe.hidden",
)
NOT_NEGATIVE = (
    "model.seed",
    "executor.gpus_per_extractor",
    "executor.retries",
    "store.sample",
    "permutations",
    "seed",
)


def register() -> None:
    """Make the schema known to Hydra under the name that conf/config.yaml starts from."""
    ConfigStore.instance().store(name="schema", node=Config)


def typed(composed: DictConfig) -> Config:
    """The composed configuration as dataclasses.

    Raises:
        InputError: a value that has to be given is not.
    """
    try:
        config = OmegaConf.to_object(composed)
    except MissingMandatoryValue as error:
        key = error.full_key or "a value"
        raise InputError(f"{key} is missing: say {key}=VALUE") from error
    assert isinstance(config, Config)
    return config


def planned(content: dict[str, Any]) -> DictConfig:
    """A manifest's configuration, with the defaults of settings that it does not know."""
    merged = OmegaConf.merge(OmegaConf.structured(Config), content)
    assert isinstance(merged, DictConfig)
    return merged


def corpora(config: Config) -> dict[str, CorpusConfig]:
    """The corpus of each role: its own where one is chosen, else `corpus`.

    Probes are trained on a corpus of its own or not at all.
    """
    roles = {f.name: getattr(config.corpora, f.name) for f in fields(RolesConfig)}
    chosen = {role: own or config.corpus for role, own in roles.items()}
    return chosen if config.corpora.train else {k: v for k, v in chosen.items() if k != "train"}


def lengths(config: Config) -> list[int]:
    """What documents are cut to, in pieces; pairs are cut to the first."""
    given = config.max_tokens
    return list(given) if isinstance(given, list) else [given]


def sized(config: Config, device: str) -> Config:
    """The configuration with the sizes of shards and batches that suit a device."""
    shard, batch = SIZES[device]
    given = {key: value for key, value in asdict(config.shard).items() if value is not None}
    chosen = {key: value for key, value in asdict(config.batch).items() if value is not None}
    return replace(config, shard=replace(shard, **given), batch=replace(batch, **chosen))


def fused(config: Config) -> bool:
    """Whether metrics are computed in the extractors, from attention as it is made."""
    return config.analysis == "fused" or not stores(config)


def stores(config: Config) -> bool:
    """Whether attention is written."""
    return config.store.codec != "none"


def keeps(config: Config) -> bool:
    """Whether the attention of all examples stays, not only that of samples."""
    return stores(config) and config.store.keep


def check(config: Config) -> None:
    """Refuse impossible values.

    (Of what is chosen by name, the registries of metrics, formats and executors know the names.)

    Raises:
        InputError: names the setting, its value and what is possible.
    """
    for key, choices in CHOICES.items():
        require_one(key, _get(config, key), choices)
    for key in POSITIVE:
        value = _get(config, key)
        _require(key, value, value is None or 0 < value <= MOST, f"more than 0{_AT_MOST}")
    for key in NOT_NEGATIVE:
        value = _get(config, key)
        _require(key, value, value is None or 0 <= value <= MOST, f"0 or more{_AT_MOST}")
    _check_lengths(config)
    sample = config.divergence.examples
    whole = type(sample) is int and 0 < sample <= MOST
    allowed = f"all, or more than 0{_AT_MOST}"
    _require("divergence.examples", sample, whole or sample == "all", allowed)
    for key, known in (("controls", CONTROLS), ("reproduce", PAPERS)):
        if (given := _get(config, key)) is not None:
            require_one(key, given, ("null", *known))
    if config.controls == "random" and config.model.random_init:
        raise InputError(
            "controls=random compares trained weights with random ones: "
            "leave out model.random_init=true"
        )
    if config.analysis == "fused" and stores(config) and not config.store.keep:
        raise InputError(
            "analysis=fused measures attention before it is stored, store.keep=false stores it to "
            "be measured: leave one out, or say store=none"
        )
    for key, path in (("model.path", config.model.path), ("probe.vectors", config.probe.vectors)):
        _require(key, path, path is None or "://" not in path, "on this machine, and no address")
    _check_probes(config)
    _check_corpus("corpus", config.corpus)
    for item in fields(RolesConfig):
        own = getattr(config.corpora, item.name)
        if own is not None:
            _check_corpus(f"corpora.{item.name}", own)


def _check_lengths(config: Config) -> None:
    given = lengths(config)
    whole = all(type(length) is int and 3 <= length <= MOST for length in given)
    possible = bool(given) and whole and len(set(given)) == len(given)
    allowed = f"at least 3{_AT_MOST}, or a list of such numbers, each once"
    _require("max_tokens", config.max_tokens, possible, allowed)


def _check_probes(config: Config) -> None:
    probe = config.probe
    require_some("probe.probes", probe.probes, PROBES)
    possible = bool(probe.seeds) and len(set(probe.seeds)) == len(probe.seeds)
    allowed = f"one or more numbers, each once, 0 or more{_AT_MOST}"
    possible = possible and min(probe.seeds) >= 0 and max(probe.seeds) <= MOST
    _require("probe.seeds", probe.seeds, possible, allowed)
    rate = probe.learning_rate
    _require("probe.learning_rate", rate, 0 < rate < float("inf"), "more than 0")
    if "probes" in config.metrics and not keeps(config):
        raise InputError(
            "metrics=[probes] are trained on stored attention: choose store=log16 or float32, "
            "without store.keep=false"
        )
    if "probes" in config.metrics and config.corpora.train is None:
        raise InputError(
            "metrics=[probes] needs a corpus to train on: say corpora.train=conllu "
            "corpora.train.path=…; they are scored on corpora.dev, or else on corpus"
        )


def _check_corpus(key: str, corpus: CorpusConfig) -> None:
    _require(f"{key}.name", corpus.name, "://" not in corpus.name, "a name, and no address")
    if corpus.segment is not None:
        require_one(f"{key}.segment", corpus.segment, SEGMENTS)
    limit = corpus.limit
    _require(f"{key}.limit", limit, limit is None or 0 < limit <= MOST, f"more than 0{_AT_MOST}")
    entity = corpus.entity
    possible = entity is None or bool({*GROUPS} & {*entity.casefold().split("-")})
    _require(f"{key}.entity", entity, possible, "fields, eid or GRP among them, as etype-eid")
    paths = corpus.path if isinstance(corpus.path, list) else [corpus.path]
    possible = bool(paths) and all(isinstance(path, str) and path for path in paths)
    _require(f"{key}.path", corpus.path, possible, "a file, a pattern or a list of these")


def _require(key: str, value: Any, possible: bool, allowed: str) -> None:
    if not possible:
        raise InputError(f"{key}={value} is not possible: it must be {allowed}")


def require_one(key: str, value: str, known: Sequence[str]) -> None:
    """Refuse a value that is none of the names that there are.

    Raises:
        InputError: names the setting, its value and what is possible.
    """
    allowed = f"one of {', '.join(known)}{meant(value, known)}"
    _require(key, value, value in known, allowed)


def require_some(key: str, values: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a list that is not of one or more of the names that there are, each once.

    Raises:
        InputError: names the setting, its value and what is possible.
    """
    strange = next((each for each in values if each not in known), None)
    possible = bool(values) and strange is None and len(set(values)) == len(values)
    near = meant(strange, known) if strange else ""
    allowed = f"one or more of {', '.join(known)}, each once{near}"
    _require(key, f"[{','.join(values)}]", possible, allowed)


def _get(config: Config, key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = getattr(value, part)
    return value
