"""What every head picks for the cases in some examples that are drawn from a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnray.metrics.base import nearest_first
from attnray.metrics.coreference import anaphors
from attnray.metrics.syntax import relation_label
from attnray.report.wording import legible

if TYPE_CHECKING:
    from attnray.corpus.example import Example
    from attnray.reading import RunReader

#: Examples are drawn as so many stretches of neighbours, which lie in few shards.
STRETCHES = 4
#: Longer examples are passed over.
MOST_PIECES = 160


class Case(NamedTuple):
    """A word that heads pick another for, all by their places in an example of the run.

    The first of the `candidates` with the most attention is picked; `answers` are right.
    """

    example: int
    word: int
    answers: frozenset[int]
    candidates: Sequence[int]
    label: str


@dataclass(frozen=True, eq=False)
class Picks:
    """Cases in some examples of a run, and what every head picks for each.

    `picked`, words, and `weights`, the attention on them, are (case, layer, head, direction).
    """

    reader: RunReader
    examples: Sequence[int]
    cases: Sequence[Case]
    picked: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        reader: RunReader,
        examples: Sequence[int],
        cases_of: Callable[[Example], Iterable[Case]],
        merge: str,
    ) -> Picks:
        """Read the attention of some examples, each once for all heads."""
        cases, found = [], []
        for example in map(reader.__getitem__, examples):
            own = list(cases_of(example))
            if own:
                between = example.attention(words=True, merge=merge)
                found += [_picked(between, case) for case in own]
                cases += own
        picked, weights = zip(*found, strict=True) if found else ((), ())
        return cls(reader, examples, cases, np.array(picked), np.array(weights))

    def right(self, case: int, layer: int, head: int, direction: int) -> bool:
        """Whether a head, counted from 1, picks an answer in a direction, counted from 0."""
        picked = self.picked[case, layer - 1, head - 1, direction]
        return int(picked) in self.cases[case].answers


def drawn(reader: RunReader, most: int, seed: int) -> list[int]:
    """Some of the stored examples, by number, in ascending order.

    Args:
        reader: a run, open at the kind of example that is wanted.
        most: how many at most.
        seed: decides which.
    """
    stored, size = reader.stored, most // STRETCHES
    stretches = [stored[first : first + size] for first in range(0, len(stored), size)]
    chosen = np.random.default_rng(seed).permutation(len(stretches))[:STRETCHES]
    return [number for place in sorted(chosen.tolist()) for number in stretches[place]]


def dependencies(example: Example, labels: str) -> Iterator[Case]:
    """The cases of syntax: every word that has a head (docs/definitions.md: Syntax).

    Args:
        example: at most `MOST_PIECES` long, else it has none.
        labels: universal or full.
    """
    if example.length > MOST_PIECES:
        return
    words = range(len(example.words))
    for word, (head, relation) in enumerate(zip(example.heads, example.relations, strict=True)):
        if head > 0 and relation:
            others = nearest_first(words, word)[1:]
            label = legible(relation_label(relation, labels))
            yield Case(example.index, word, frozenset({head - 1}), others, label)


def antecedents(example: Example, candidates: str) -> Iterator[Case]:
    """The cases of coreference: every anaphor (docs/definitions.md: Coreference).

    Args:
        example: at most `MOST_PIECES` long, else it has none.
        candidates: mentions or words.
    """
    if example.length <= MOST_PIECES:
        for each in anaphors(example, candidates):
            kind = each.mention.type
            yield Case(example.index, each.head, each.antecedents, each.candidates, kind)


def _picked(between: NDArray[Any], case: Case) -> tuple[NDArray[Any], NDArray[Any]]:
    """The word that each head picks, attending and attended, and the weight on it."""
    others = np.array(case.candidates, np.int32)
    shares = np.stack([between[..., case.word, others], between[..., others, case.word]], axis=2)
    place = shares.argmax(-1)
    weights = np.take_along_axis(shares, place[..., None], -1)[..., 0]
    return others[place], weights.astype(np.float32)
