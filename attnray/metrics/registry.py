"""The metrics by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attnray.config import Config, require_some
from attnray.metrics.base import Metric
from attnray.metrics.coreference import Coreference
from attnray.metrics.divergence import Divergence
from attnray.metrics.gap import Gap
from attnray.metrics.importance import Importance
from attnray.metrics.patterns import Patterns
from attnray.metrics.syntax import Syntax

METRICS: dict[str, type[Metric]] = {
    metric.name: metric for metric in (Patterns, Divergence, Importance, Syntax, Coreference, Gap)
}
#: Trained and scored on two roles, and not by shards: see `attnray.probe`.
PROBES = "probes"
#: What can be asked for by name.
NAMES = (*(name for name, metric in METRICS.items() if metric.beside is None), PROBES)


def roles_of(metric: str) -> tuple[str, ...]:
    """The roles of the corpora that a metric, or the probes, need."""
    return ("train", "dev") if metric == PROBES else (METRICS[metric].role,)


def check(config: Config) -> None:
    """Refuse metrics that there are not.

    Raises:
        InputError: says what is possible.
    """
    require_some("metrics", config.metrics, [*NAMES, *own(METRICS)])


def own(metrics: Iterable[str]) -> list[str]:
    """Those of some metrics that are not attnray's."""
    return [name for name in metrics if METRICS[name].said]


def known(metrics: Sequence[str]) -> list[str]:
    """Those of some metrics that there are: one's own are known where the command line has them."""
    return [name for name in metrics if name in METRICS or name == PROBES]


def beside(metric: str, form: str) -> tuple[str, ...]:
    """What is measured beside a metric where its corpus has this format."""
    return tuple(name for name, each in METRICS.items() if each.beside == (metric, form))
