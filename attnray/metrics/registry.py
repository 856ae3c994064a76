"""The metrics by name: how the configuration makes one, and which examples it measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attnray.config import Config, corpora
from attnray.corpus.readers import default_segment
from attnray.metrics.base import Metric
from attnray.metrics.coreference import Coreference
from attnray.metrics.patterns import Patterns
from attnray.metrics.syntax import Syntax


@dataclass(frozen=True)
class Entry:
    """A metric as the pipeline needs it.

    `kind` is that of its examples; `needs` the item of the table `corpus` without which it
    has nothing to measure, and `annotation` what a corpus without it lacks.
    """

    make: Callable[[Config], Metric]
    kind: Callable[[Config], str]
    needs: str
    annotation: str


METRICS = {
    "patterns": Entry(
        make=lambda config: Patterns(),
        kind=lambda config: default_segment(corpora(config)["patterns"]),
        needs="examples",
        annotation="examples",
    ),
    "syntax": Entry(
        make=lambda config: Syntax(config.merge, config.relation_labels),
        kind=lambda config: "sentence",
        needs="dependencies",
        annotation="syntactic heads (HEAD)",
    ),
    "coreference": Entry(
        make=lambda config: Coreference(config.max_tokens, config.merge, config.candidates),
        kind=lambda config: "document",
        needs="mentions",
        annotation="coreferent mentions (Entity=)",
    ),
}
