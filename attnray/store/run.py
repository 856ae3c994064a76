"""A planned run: its folder, its configuration, its frozen plan, and what it measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from pathlib import Path

from attnray.called import called
from attnray.config import Config, StoreConfig, corpora, fused, keeps, stores
from attnray.corpus.counts import remarks
from attnray.corpus.roles import ROLES
from attnray.errors import InputError
from attnray.metrics import heads
from attnray.metrics.base import Metric, Predictor
from attnray.metrics.registry import METRICS, PROBES, beside, known, roles_of
from attnray.metrics.rows import schema
from attnray.store.files import Form, fingerprint, sha256
from attnray.store.folder import RunFolder, Shard, measured
from attnray.store.manifest import ExampleSet, Manifest


@lru_cache
def contents(path: str) -> str:
    """The sha256 of a file that stays the same while a job runs.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return sha256(Path(path))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a readable file") from error


@dataclass(frozen=True)
class Measurement:
    """A metric over one example set."""

    metric: Metric
    examples: ExampleSet


@dataclass(frozen=True)
class Trial:
    """A probe from one seed, the shards it learns from and is scored on, and its fingerprint.

    `number` is its place among those of the run.
    """

    number: int
    probe: str
    seed: int
    train: tuple[Shard, ...]
    dev: tuple[Shard, ...]
    fingerprint: str


@dataclass(frozen=True)
class Run:
    """A planned run; `twin` is the same run of the model it is compared with, if any.

    Until its plan is `whole` it has the metrics and shards that are planned so far.
    """

    folder: RunFolder
    config: Config
    manifest: Manifest
    twin: Run | None = None
    whole: bool = True

    @property
    def model(self) -> str:
        """The model's name, as in the tables."""
        return str(self.manifest.identity["model"]["name"])

    @property
    def with_twin(self) -> list[Run]:
        """The run and its twin, in the order of the tables."""
        return [self, self.twin] if self.twin else [self]

    @property
    def metrics(self) -> list[str]:
        """The configured metrics of shards whose corpus has what they need."""
        return [m for m in self._planned if m in METRICS and m not in self._lacking]

    @property
    def trials(self) -> list[Trial]:
        """The configured probes, from each seed; none where the corpus lacks what they need."""
        if PROBES not in self._planned or PROBES in self._lacking:
            return []
        settings, shards = self.config.probe, {r: self._shards(r) for r in ("train", "dev")}
        return [
            Trial(
                number,
                name,
                seed,
                **shards,
                fingerprint=self._trial_fingerprint(name, seed, shards),
            )
            for number, (name, seed) in enumerate(product(settings.probes, settings.seeds))
        ]

    def _shards(self, role: str) -> tuple[Shard, ...]:
        (examples,) = self.manifest.sets_of(role)
        return tuple(map(self.manifest.shard, examples.shards))

    def _trial_fingerprint(self, name: str, seed: int, shards: dict[str, tuple[Shard, ...]]) -> str:
        settings = asdict(self.config.probe)
        attention = {
            role: [self.manifest.attention_fingerprint(shard.number) for shard in numbers]
            for role, numbers in shards.items()
        }
        vectors = settings.pop("vectors")
        varied = {"probes": name, "seeds": seed, "vectors": vectors and contents(vectors)}
        return fingerprint({"version": 2, **settings, **varied, **attention})

    def measurements(self, metric: str) -> list[Measurement]:
        """A metric over each of its example sets."""
        kind = METRICS[metric]
        return [
            Measurement(kind.of(self.config, examples), examples)
            for examples in self.manifest.sets_of(kind.role)
        ]

    @property
    def fused(self) -> bool:
        """Whether metrics are computed as attention is made."""
        return fused(self.config)

    @property
    def store(self) -> StoreConfig:
        """How attention is stored; a sample exactly as the model gave it."""
        store = self.config.store
        return store if stores(self.config) else replace(store, codec="float32")

    @property
    def stored_shards(self) -> list[int]:
        """The shards whose attention is stored, for some time at least: what is measured, samples.

        (Without a store of all, samples alone.)
        """
        samples = [] if keeps(self.config) else sorted(self.manifest.samples.values())
        if not stores(self.config):
            return samples
        roles = {METRICS[m].role for m in self.metrics if METRICS[m].made_of == "attention"}
        roles.update(roles_of(PROBES) if self.trials else ())
        keys = {key for role in roles for key in self.manifest.roles[role]}
        # Sets are numbered one behind the other.
        sets = (each for each in self.manifest.sets if each.key in keys)
        return [*(shard for each in sets for shard in each.shards), *samples]

    @property
    def kept_shards(self) -> list[int]:
        """The shards whose attention stays."""
        passing = stores(self.config) and not keeps(self.config)
        return sorted(self.manifest.samples.values()) if passing else self.stored_shards

    def partial_fingerprint(self, metric: Metric, shard: int) -> str:
        """The fingerprint of what a metric finds in a shard."""
        if metric not in self._forms:
            self._forms[metric] = self._form(metric)
        return self._forms[metric].filled(self.manifest.attention_fingerprint(shard))

    @cached_property
    def _forms(self) -> dict[Metric, Form]:
        """What decides the partials of a metric, beside the attention of a shard."""
        return {}

    def _form(self, metric: Metric) -> Form:
        made_by = {"metric": metric.name, "version": metric.version, **metric.parameters}
        if metric.source:
            made_by["source"] = metric.source
        if self.fused:  # then it measures what the model gives, whatever is stored
            made_by["store"] = None
        if isinstance(metric, Predictor):
            made_by["cases"] = self.config.cases
        return Form.of(made_by, "attention")

    def table_fingerprint(self, metric: str) -> str:
        """The fingerprint of a metric's tables, the twin's rows included."""
        partials = (
            run.partial_fingerprint(each.metric, shard)
            for run in self.with_twin
            for each in run.measurements(metric)
            for shard in each.examples.shards
        )
        kind = METRICS[metric]
        columns = {name: schema(row).names for name, row in kind.rows.items()}
        decided = {"columns": columns, **kind.of(self.config, None).settings}
        return Form.of(decided, "partials").listing(partials)

    @property
    def heads_fingerprint(self) -> str:
        """The fingerprint of the table `heads`."""
        made_of = {
            m: self.table_fingerprint(m) for m in (heads.NEEDS, heads.USES) if m in self.metrics
        }
        behaviour = asdict(self.config.behaviour)
        return fingerprint({**made_of, "behaviour": behaviour, "seed": self.config.seed})

    @property
    def probes_fingerprint(self) -> str:
        """The fingerprint of the tables of the probes, the twin's rows included."""
        trials = {run.model: [trial.fingerprint for trial in run.trials] for run in self.with_twin}
        return fingerprint({"version": 2, "trials": trials})

    def unfinished(self, *metrics: str) -> Iterator[tuple[Metric, int]]:
        """All metrics, or these, with each shard in which they have not been measured yet."""
        found = self.folder.as_of_now()
        for each in (e for metric in metrics or self.metrics for e in self.measurements(metric)):
            for shard in each.examples.shards:
                made_from = self.partial_fingerprint(each.metric, shard)
                if not found.done(measured(each.metric.name), shard, made_from):
                    yield each.metric, shard

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables the run writes."""
        named = [name for metric in self.metrics for name in METRICS[metric].rows]
        named += [heads.HEADS] if heads.NEEDS in self.metrics else []
        named += ["probes", "probe_differences"] if self.trials else []
        return (*named, "corpus")

    @property
    def notes(self) -> list[str]:
        """What the run leaves out, and why, and what is odd about its inputs."""
        left_out = [f"{metric} was left out: {what}" for metric, what in self._lacking.items()]
        longest = self.manifest.longest
        cut = max((each.max_tokens or 0 for each in self.manifest.sets), default=0)
        if longest and cut > longest:
            taken = f"{self.model} takes {longest} word pieces"
            left_out.append(f"max_tokens={cut} cuts to {longest}: {taken}")
        odd: dict[tuple[str, str], str] = {}
        for each in self.manifest.sets:
            if each.remark:
                odd.setdefault(("tokenizer", ""), f"the tokenizer of {self.model} {each.remark}")
            for item, said in remarks(each.corpus, each.counts).items():
                odd.setdefault((each.corpus, item), said)
        return [*left_out, *odd.values()]

    @property
    def _lacking(self) -> dict[str, str]:
        """The configured metrics that cannot be measured, and what is missing for them."""
        lacking = {
            metric: f"the corpus has no {ROLES[role].annotation}"
            for metric in self._planned
            for role in roles_of(metric)
            if not self.manifest.roles[role]
        }
        without = self.manifest.without
        return lacking | {m: without[m] for m in self._planned if m in without}

    @property
    def _planned(self) -> list[str]:
        """The configured metrics, and what is measured beside them because of their corpus."""
        forms = {role: corpus.format for role, corpus in corpora(self.config).items()}
        wanted = [
            each
            for metric in known(self.config.metrics)
            for each in (metric, *beside(metric, forms.get(roles_of(metric)[0], "")))
        ]
        lacking = [m for m in wanted if not self.manifest.roles.keys() >= set(roles_of(m))]
        if not self.whole:
            return [metric for metric in wanted if metric not in lacking]
        if lacking:
            raise InputError(
                f"{self.folder} has no plan for {', '.join(lacking)}: `{called('run')}` or "
                f"`{called('plan')}` with these metrics comes first"
            )
        return wanted
