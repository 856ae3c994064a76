"""A planned run: its folder, its configuration, its frozen plan, and what it measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

from attnray.config import Config, corpora
from attnray.corpus.roles import ROLES
from attnray.errors import InputError
from attnray.metrics.base import Measured, Metric
from attnray.metrics.registry import GAP, METRICS, PROBES, roles_of
from attnray.stages.analyse import stage
from attnray.stages.probe import ProbeTask
from attnray.store.folder import RunFolder, fingerprint, sha256
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
class Run:
    """A planned run; `twin` is the same run of the model it is compared with, if any."""

    folder: RunFolder
    config: Config
    manifest: Manifest
    twin: Run | None = None

    @property
    def model(self) -> str:
        """The model's name, as in the tables."""
        return str(self.manifest.identity["model"]["name"])

    @property
    def members(self) -> list[Run]:
        """The run and its twin, in the order of the tables."""
        return [self, self.twin] if self.twin else [self]

    @property
    def metrics(self) -> list[str]:
        """The configured metrics of shards whose corpus has what they need."""
        return [m for m in self._planned if m in METRICS and m not in self._lacking]

    @property
    def probes(self) -> list[ProbeTask]:
        """The configured probes, from each seed; none where the corpus lacks what they need."""
        if PROBES not in self._planned or PROBES in self._lacking:
            return []
        settings, shards = self.config.probe, {r: self._shards(r) for r in ("train", "dev")}
        return [
            ProbeTask(
                self.folder,
                number,
                name,
                seed,
                shards["train"],
                shards["dev"],
                settings,
                self.config.model,
                self.config.seed,
                str(self.manifest.identity["device"]),
                self._probe_identity(name, seed, shards),
            )
            for number, (name, seed) in enumerate(product(settings.probes, settings.seeds))
        ]

    def _shards(self, role: str) -> tuple[int, ...]:
        (examples,) = self.manifest.sets_of(role)
        return tuple(examples.shards)

    def _probe_identity(self, name: str, seed: int, shards: dict[str, tuple[int, ...]]) -> str:
        settings = asdict(self.config.probe)
        attention = {
            role: [self.manifest.attention_identity(shard) for shard in numbers]
            for role, numbers in shards.items()
        }
        vectors = settings.pop("vectors")
        varied = {"probes": name, "seeds": seed, "vectors": vectors and contents(vectors)}
        return fingerprint({"version": 1, **settings, **varied, **attention})

    def measurements(self, metric: str) -> list[Measurement]:
        """A metric over each of its example sets."""
        entry = METRICS[metric]
        return [
            Measurement(entry.make(self.config, examples.max_tokens), examples)
            for examples in self.manifest.sets_of(entry.role)
        ]

    @property
    def extracted_shards(self) -> list[int]:
        """The shards whose attention is needed."""
        roles = {METRICS[metric].role for metric in self.metrics if METRICS[metric].attention}
        sets = (each for role in roles for each in self.manifest.sets_of(role))
        measured = {shard for examples in sets for shard in examples.shards}
        return sorted(measured.union(*((*task.train, *task.dev) for task in self.probes[:1])))

    def partial_identity(self, metric: Measured, shard: int) -> str:
        """The fingerprint of a metric's partial."""
        return self.manifest.partial_identity(metric.name, metric.parameters, shard)

    def table_identity(self, metric: str) -> str:
        """The fingerprint of a metric's tables, the twin's rows included."""
        partials = [
            member.partial_identity(each.metric, shard)
            for member in self.members
            for each in member.measurements(metric)
            for shard in each.examples.shards
        ]
        return fingerprint({"partials": partials, **METRICS[metric].tables(self.config)})

    @property
    def heads_identity(self) -> str:
        """The fingerprint of the table `heads`."""
        made_of: dict[str, object] = {
            m: self.table_identity(m) for m in ("patterns", "divergence") if m in self.metrics
        }
        behaviour = asdict(self.config.behaviour)
        return fingerprint({**made_of, "behaviour": behaviour, "seed": self.config.seed})

    @property
    def probes_identity(self) -> str:
        """The fingerprint of the tables of the probes, the twin's rows included."""
        return fingerprint(
            {member.model: [task.identity for task in member.probes] for member in self.members}
        )

    def unfinished(self, metric: str) -> Iterator[tuple[Metric, int]]:
        """A metric with each shard that has no partial of it yet."""
        for each in self.measurements(metric):
            for shard in each.examples.shards:
                if not self.measured(each.metric, shard):
                    yield each.metric, shard

    def measured(self, metric: Measured, shard: int) -> bool:
        """Whether a shard has its partial of a metric."""
        return self.folder.done(stage(metric.name), shard, self.partial_identity(metric, shard))

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables the run writes."""
        named = (METRICS[m].make(self.config, None).table_names for m in self.metrics)
        heads = ("heads",) if "patterns" in self.metrics else ()
        probes = ("probes", "probe_differences") if self.probes else ()
        return (*(table for names in named for table in names), *heads, *probes, "corpus")

    @property
    def notes(self) -> list[str]:
        """What the run leaves out, and why."""
        return [f"{metric} was left out: {what}" for metric, what in self._lacking.items()]

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
        wanted = [each for m in self.config.metrics for each in (m, *self._with(m))]
        lacking = [m for m in wanted if not self.manifest.roles.keys() >= set(roles_of(m))]
        if lacking:
            raise InputError(
                f"{self.folder.path} has no plan for {', '.join(lacking)}: run jobs/run.py or "
                "jobs/plan.py with these metrics on it first"
            )
        return wanted

    def _with(self, metric: str) -> tuple[str, ...]:
        """What is measured beside a configured metric, because of its corpus."""
        forms = {role: corpus.format for role, corpus in corpora(self.config).items()}
        return (GAP,) if metric == "coreference" and forms["coreference"] == "gap" else ()
