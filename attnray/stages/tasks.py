"""What a task is told: light enough to be sent anywhere, and to be made without a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from attnray.config import ModelConfig, ProbeConfig, StoreConfig
from attnray.corpus.example import Example
from attnray.metrics.base import Heads, Metric
from attnray.store.files import Checksum
from attnray.store.folder import RunFolder
from attnray.store.run import Trial


@dataclass(frozen=True)
class OfShard:
    """A task about a shard, whose file of examples must hold what `checksum` says."""

    folder: RunFolder
    shard: int
    checksum: Checksum

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"shard {self.shard:05}"

    @property
    def place(self) -> tuple[str, int]:
        """What tells its shard from those of other runs."""
        return str(self.folder), self.shard

    @property
    def examples(self) -> list[Example]:
        """Its examples, with how their tokens are spelled where a metric needs that."""
        metrics: tuple[Metric, ...] = getattr(self, "metrics", ())
        spellings = any(metric.spellings for metric in metrics)
        return self.folder.examples(self.shard, self.checksum, spellings)


@dataclass(frozen=True)
class ExtractTask(OfShard):
    """A shard to extract, of a model with so many layers and heads.

    Its attention is stored as `store` says, if it does, under the fingerprint `fingerprint`; it is
    analysed by `metrics`, each with the fingerprint its marker gets.
    """

    stage: ClassVar[str] = "extract"
    heads: Heads
    store: StoreConfig | None
    fingerprint: str
    metrics: tuple[Metric, ...] = ()
    fingerprints: tuple[str, ...] = ()
    cases: bool = True


@dataclass(frozen=True)
class DifferentiateTask(OfShard):
    """A shard to differentiate for a metric, and the fingerprint its marker gets."""

    stage: ClassVar[str] = "differentiate"
    metric: Metric
    fingerprint: str


@dataclass(frozen=True)
class AnalyseTask(OfShard):
    """A shard to analyse by metrics, each with the fingerprint its marker gets.

    `cases` says whether the cases of predictors are kept, `keep` whether its attention is.
    """

    stage: ClassVar[str] = "analyse"
    metrics: tuple[Metric, ...]
    fingerprints: tuple[str, ...]
    cases: bool
    keep: bool = True


@dataclass(frozen=True)
class ProbeTask:
    """A probe to train and to score."""

    stage: ClassVar[str] = "probe"
    folder: RunFolder
    trial: Trial
    config: ProbeConfig
    model: ModelConfig
    model_seed: int
    device: str

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"{self.trial.probe} from seed {self.trial.seed}"


#: What needs the model and its device.
ModelTask = ExtractTask | DifferentiateTask
Task = ModelTask | AnalyseTask | ProbeTask
