"""The metrics by name: how the configuration makes one, and the role of the corpus it measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attnray.config import Config
from attnray.metrics.base import Metric
from attnray.metrics.coreference import Coreference
from attnray.metrics.divergence import Divergence
from attnray.metrics.gap import Gap
from attnray.metrics.importance import Importance
from attnray.metrics.patterns import Patterns
from attnray.metrics.syntax import Syntax


@dataclass(frozen=True)
class Entry:
    """A metric as the pipeline needs it.

    `make` takes the configuration and the pieces that the examples were cut to (None for
    sentences); `role` says which corpus they come from (see `attnray.corpus.roles`), and
    `attention` whether it is made from stored attention; `tables` what decides its tables
    beside its partials.
    """

    make: Callable[[Config, int | None], Metric]
    role: str
    attention: bool = True
    tables: Callable[[Config], dict[str, object]] = lambda _: {}


#: Trained and scored on two roles, and not by shards: see `attnray.probe`.
PROBES = "probes"
#: Measured with coreference where the corpus is GAP.
GAP = "gap"


def roles_of(metric: str) -> tuple[str, ...]:
    """The roles of the corpora that a metric, or the probes, need."""
    return ("train", "dev") if metric == PROBES else (METRICS[metric].role,)


METRICS = {
    "patterns": Entry(lambda config, _: Patterns(), "patterns"),
    "divergence": Entry(
        lambda config, _: Divergence(config.permutations, config.seed),
        "patterns",
        tables=lambda config: {"permutations": config.permutations},
    ),
    "importance": Entry(lambda config, _: Importance(), "patterns", attention=False),
    "syntax": Entry(lambda config, _: Syntax(config.merge, config.relation_labels), "syntax"),
    "coreference": Entry(
        lambda config, cut: Coreference(cut or 0, config.merge, config.candidates), "coreference"
    ),
    GAP: Entry(lambda config, cut: Gap(cut or 0, config.merge), "coreference"),
}
