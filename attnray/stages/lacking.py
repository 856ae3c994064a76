"""Which tasks of a run are not done yet; of a shard this is found out when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from attnray.metrics.base import Metric
from attnray.metrics.registry import METRICS, PROBES
from attnray.stages.tasks import AnalyseTask, DifferentiateTask, ExtractTask, ProbeTask
from attnray.store.files import Checksum
from attnray.store.folder import RunFolder, measured
from attnray.store.run import Run


class Lacking:
    """The tasks that a run lacks.

    Args:
        run: a planned run, without its twin.
        found: what was looked up of it; by default that is done now.

    `examples`, `cells` and `cost` have how many examples and cells a shard has, and about how many
    FLOP its forward pass takes; `stored` whether its attention is to be stored: (shard,).
    """

    def __init__(self, run: Run, found: RunFolder | None = None) -> None:
        count = len(run.manifest.examples)
        self._run = run
        self._found = found or run.folder.as_of_now()
        self.examples = np.zeros(count, np.int32)
        self.cells = np.zeros(count)
        self.cost = np.zeros(count)
        self.stored = np.zeros(count, np.bool_)
        self.stored[run.stored_shards] = True
        #: The metrics of attention over each example set, and the place of a shard's set there.
        self._metrics: list[tuple[Metric, ...]] = [()]
        self._of = np.zeros(count, np.int32)
        for each in run.manifest.sets:
            if (sample := run.manifest.samples.get(each.key)) is not None:
                self.examples[sample] = min(run.config.store.sample, each.size)
                self.cells[sample] = self.examples[sample] * sum(each.cells) / each.size
            self.examples[each.shards] = each.sizes
            self.cells[each.shards] = each.cells
            self.cost[each.shards] = run.manifest.flop(each)
            self._of[each.shards] = len(self._metrics)
            self._metrics.append(
                tuple(
                    found.metric
                    for name in run.metrics
                    if METRICS[name].made_of == "attention"
                    for found in run.measurements(name)
                    if found.examples.key == each.key
                )
            )

    @cached_property
    def analysed(self) -> NDArray[np.bool_]:
        """Whether metrics of attention measure a shard: (shard,)."""
        return np.array([bool(metrics) for metrics in self._metrics])[self._of]

    @property
    def on_model(self) -> NDArray[np.bool_]:
        """Whether a shard's attention is stored, or measured as it is made: (shard,)."""
        return self.stored | self.analysed if self._run.fused else self.stored

    def extraction(self, shard: int) -> ExtractTask | None:
        """What of a shard has to pass through the model: to be stored, or to be measured."""
        run = self._run
        stored = bool(self.stored[shard]) and not self._is_over(shard)
        fingerprint = run.manifest.attention_fingerprint(shard) if stored else ""
        raw = stored and not self._found.extracted(shard, fingerprint)
        metrics, fingerprints = self._unmeasured(shard) if run.fused else ((), ())
        if not (raw or metrics):
            return None
        store = run.store if raw else None
        heads, cases = run.manifest.heads, run.config.cases
        return ExtractTask(
            *self._about(shard), heads, store, fingerprint, metrics, fingerprints, cases
        )

    def analysis(self, shard: int) -> AnalyseTask | None:
        """What has to be measured in a shard's stored attention, or whether it is to go."""
        run, (metrics, fingerprints) = self._run, self._unmeasured(shard)
        passing = self._passes(shard)
        if run.fused or not (metrics or (passing and run.folder.has_attention(shard))):
            return None
        cases, keep = run.config.cases, not passing
        return AnalyseTask(*self._about(shard), metrics, fingerprints, cases, keep)

    def differentiations(self) -> Iterator[tuple[int, DifferentiateTask | None]]:
        """The shards that metrics of gradients measure, each with its task if that is lacking."""
        run = self._run
        gradients = [name for name in run.metrics if METRICS[name].made_of == "gradients"]
        for each in (each for name in gradients for each in run.measurements(name)):
            stage = measured(each.metric.name)
            for shard in each.examples.shards:
                made_from = run.partial_fingerprint(each.metric, shard)
                done = self._found.done(stage, shard, made_from)
                task = DifferentiateTask(*self._about(shard), each.metric, made_from)
                yield shard, None if done else task

    def probes(self) -> Iterator[ProbeTask]:
        """The probes that are not scored yet."""
        run = self._run
        config, device = run.config, str(run.manifest.identity["device"])
        for trial in run.trials:
            if not self._found.done(PROBES, trial.number, trial.fingerprint):
                settings = (config.probe, config.model, config.seed, device)
                yield ProbeTask(run.folder, trial, *settings)

    def _passes(self, shard: int) -> bool:
        """Whether a shard's attention goes once it is measured."""
        return not self._run.config.store.keep and bool(self.analysed[shard])

    def _is_over(self, shard: int) -> bool:
        """Whether a shard's attention went, or is to go, and is not needed any more."""
        return self._passes(shard) and not self._unmeasured(shard)[0]

    def _about(self, shard: int) -> tuple[RunFolder, int, Checksum]:
        """What a task about a shard begins with."""
        return self._run.folder, *self._run.manifest.shard(shard)

    def _unmeasured(self, shard: int) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
        """The metrics of attention that a shard lacks, and their fingerprints."""
        run = self._run
        lacking = [
            (metric, made_from)
            for metric in self._metrics[self._of[shard]]
            for made_from in (run.partial_fingerprint(metric, shard),)
            if not self._found.done(measured(metric.name), shard, made_from)
        ]
        return tuple(m for m, _ in lacking), tuple(f for _, f in lacking)
