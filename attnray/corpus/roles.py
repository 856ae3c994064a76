"""The roles of a corpus in a run: the examples each is made into, and what they must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attnray.config import CorpusConfig
from attnray.corpus.readers import default_segment


@dataclass(frozen=True)
class Role:
    """What a corpus is measured as.

    `kind` is that of its examples; `needs` the item of the table `corpus` without which there
    is nothing to measure, and `annotation` what a corpus without it lacks. `every_length` asks
    for examples cut to each of `max_tokens`, not to the first alone.
    """

    kind: Callable[[CorpusConfig], str]
    needs: str
    annotation: str
    every_length: bool = False


_TREES = Role(
    lambda _: "sentence",
    "dependencies",
    "syntactic heads with relations (in CoNLL-U: HEAD and DEPREL)",
)
ROLES = {
    "patterns": Role(default_segment, "examples", "examples"),
    "syntax": _TREES,
    "coreference": Role(
        lambda _: "document",
        "mentions",
        "coreferent mentions (in CoNLL-U: Entity= with a group, eid or GRP)",
        every_length=True,
    ),
    "train": _TREES,
    "dev": _TREES,
}
