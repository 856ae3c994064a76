"""A planned run: its folder, its configuration, its frozen plan, and what it measures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from attnray.config import Config
from attnray.corpus.roles import ROLES
from attnray.errors import InputError
from attnray.metrics.base import Metric
from attnray.metrics.registry import METRICS
from attnray.pipeline.analyse import stage
from attnray.pipeline.manifest import ExampleSet, Manifest
from attnray.store.folder import RunFolder, fingerprint


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
        """The configured metrics whose corpus has what they need."""
        return [m for m in self._planned if m not in self._lacking]

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
        sets = (each for role in self._extracted for each in self.manifest.sets_of(role))
        return sorted({shard for examples in sets for shard in examples.shards})

    @property
    def _extracted(self) -> dict[str, None]:
        """The roles whose attention is measured."""
        return dict.fromkeys(METRICS[m].role for m in self.metrics if METRICS[m].attention)

    def partial_identity(self, metric: Metric, shard: int) -> str:
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
        return fingerprint({"partials": partials})

    @property
    def heads_identity(self) -> str:
        """The fingerprint of the table `heads`."""
        made_of: dict[str, object] = {
            m: self.table_identity(m) for m in ("patterns", "divergence") if m in self.metrics
        }
        behaviour = asdict(self.config.behaviour)
        return fingerprint({**made_of, "behaviour": behaviour, "seed": self.config.seed})

    def unfinished(self, metric: str) -> Iterator[tuple[Metric, int]]:
        """A metric with each shard that has no partial of it yet."""
        for each in self.measurements(metric):
            for shard in each.examples.shards:
                identity = self.partial_identity(each.metric, shard)
                if not self.folder.done(stage(metric), shard, identity):
                    yield each.metric, shard

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables the run writes."""
        named = (METRICS[m].make(self.config, None).table_names for m in self.metrics)
        heads = ("heads",) if "patterns" in self.metrics else ()
        return (*(table for names in named for table in names), *heads, "corpus")

    @property
    def notes(self) -> list[str]:
        """What the run leaves out, and why."""
        return [f"{metric} was left out: {what}" for metric, what in self._lacking.items()]

    @property
    def _lacking(self) -> dict[str, str]:
        """The configured metrics that cannot be measured, and what is missing for them."""
        lacking = {
            metric: f"the corpus has no {ROLES[METRICS[metric].role].annotation}"
            for metric in self._planned
            if not self.manifest.roles[METRICS[metric].role]
        }
        without = self.manifest.without
        return lacking | {m: without[m] for m in self._planned if m in without}

    @property
    def _planned(self) -> list[str]:
        wanted = self.config.metrics
        lacking = [m for m in wanted if METRICS[m].role not in self.manifest.roles]
        if lacking:
            raise InputError(
                f"{self.folder.path} has no plan for {', '.join(lacking)}: run jobs/run.py or "
                "jobs/plan.py with these metrics on it first"
            )
        return wanted
