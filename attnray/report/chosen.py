"""Which heads and examples are shown in full: chosen by tables and words, not by success."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from attnray.corpus.example import Example
from attnray.errors import InputError
from attnray.model.pieces import Role
from attnray.report import wording
from attnray.report.clusters import BEHAVIOURS
from attnray.report.findings import RelationBest, frequent, legible
from attnray.report.findings import relations as ordered
from attnray.report.maps import Panel

if TYPE_CHECKING:
    from attnray.reading import RunReader, StoredExample

BROAD = "broad"
MOST_RELATIONS = 6
#: Where no examples are named, the short ones among the first so many.
FIRST_EXAMPLES = 200
FEWEST_WORDS, MOST_WORDS = 8, 16
#: An example that holds what is wanted so often is preferred.
OFTEN = 2


def behaviours(
    reader: RunReader, heads: pa.Table, patterns: pa.Table, examples: Sequence[int] = ()
) -> list[Panel]:
    """The most typical head of each behaviour, all on one example, between word pieces.

    A head is the more typical the higher its value of the pattern of that name is; of those
    that attend broadly, the higher its mean entropy. The example has "." or ",".

    Args:
        reader: a run, open at the kind of example that the patterns measure.
        heads: the table of that name.
        patterns: the table of that name.
        examples: numbers of examples to choose from, the preferred ones first; by default
            the short ones among the first of the run, the shortest first.

    Returns:
        In the order of the contract; none where no example or head is fit to be shown.

    Raises:
        InputError: there is no example of such a number.
    """
    example = _choose(_candidates(reader, examples), _punctuation)
    if example is None:
        return []
    panels = []
    for each in BEHAVIOURS:
        found = _typical(each.name, heads, patterns)
        if found:
            value, layer, head = found
            share = f"{wording.percent(value)} of attention"
            panels.append(
                Panel(
                    title=f"{each.label}: head {wording.head(layer, head)}",
                    words=example.tokens,
                    weights=example.attention(layer, head),
                    note=f"entropy {value:.2f} nats" if each.name == BROAD else share,
                )
            )
    return panels


def relations(
    reader: RunReader,
    best: pa.Table,
    examples: Sequence[int] = (),
    merge: str = "mean",
    relation_labels: str = "universal",
) -> list[Panel]:
    """The best head of the most frequent relations, each on an example, between words.

    Only relations whose best head beats the best fixed offset, and which an example holds.
    The pairs of the relation are highlighted, from the attending to the attended word.

    Args:
        reader: a run, open at its sentences.
        best: the table `syntax_best`.
        examples: as for `behaviours`.
        merge: as the table was made: mean, first or max.
        relation_labels: as the table was made: universal or full.

    Raises:
        InputError: there is no example of such a number.
    """
    candidates = _candidates(reader, examples)
    rows = ordered(best)
    better = [row for row in frequent(rows, len(rows)) if _beats_offset(row)]
    panels = (_relation(candidates, row, merge, relation_labels) for row in better)
    return list(islice((panel for panel in panels if panel), MOST_RELATIONS))


def _typical(behaviour: str, heads: pa.Table, patterns: pa.Table) -> tuple[float, int, int] | None:
    """The value, layer and head of the head that shows a behaviour most clearly."""
    pattern = "entropy" if behaviour == BROAD else behaviour
    shown = heads.filter(pc.field("behaviour") == behaviour).select(["layer", "head"])
    values = patterns.filter(pc.field("pattern") == pattern).select(["layer", "head", "value"])
    rows = values.join(shown, ["layer", "head"], join_type="inner").to_pylist()
    best = min(rows, key=lambda r: (-r["value"], r["layer"], r["head"]), default=None)
    return best and (best["value"], best["layer"], best["head"])


def _relation(
    candidates: Sequence[StoredExample], row: RelationBest, merge: str, relation_labels: str
) -> Panel | None:
    def pairs(example: Example) -> Iterator[tuple[int, int]]:
        """Word and head of each case, from 0."""
        for word, (head, label) in enumerate(zip(example.heads, example.relations, strict=True)):
            if head > 0 and _label(label, relation_labels) == legible(row.relation):
                yield word, head - 1

    chosen = _choose(candidates, lambda example: len(list(pairs(example))))
    if chosen is None:
        return None
    found = list(pairs(chosen.example))
    if row.direction == "head_to_dependent":
        found = [(head, word) for word, head in found]
    return Panel(
        title=f"{row.relation}: head {wording.head(row.layer, row.head)}",
        words=chosen.words,
        weights=chosen.attention(row.layer, row.head, words=True, merge=merge),
        highlight=frozenset(found),
        note=f"{wording.direction(row.direction)}, {wording.percent(row.accuracy)} right",
    )


def _candidates(reader: RunReader, examples: Sequence[int]) -> list[StoredExample]:
    """The preferred ones first."""
    for number in examples:
        if not 0 <= number < len(reader):
            raise InputError(f"no example {number} to show: they count from 0 to {len(reader) - 1}")
    if examples:
        return [reader[number] for number in examples]
    first = [reader[number] for number in reader.stored[:FIRST_EXAMPLES]]
    short = [each for each in first if FEWEST_WORDS <= len(each.words) <= MOST_WORDS]
    return sorted(short, key=lambda each: len(each.tokens))


def _choose(
    candidates: Sequence[StoredExample], count: Callable[[Example], int]
) -> StoredExample | None:
    """The first that holds what is counted often, else the first that holds it."""
    counts = [count(each.example) for each in candidates]
    for enough in (OFTEN, 1):
        for each, found in zip(candidates, counts, strict=True):
            if found >= enough:
                return each
    return None


def _punctuation(example: Example) -> int:
    return int((example.roles == Role.PUNCTUATION).sum())


def _label(relation: str, relation_labels: str) -> str:
    return legible(relation if relation_labels == "full" else relation.partition(":")[0])


def _beats_offset(row: RelationBest) -> bool:
    accuracy, baseline = row.accuracy, row.baseline_accuracy
    return accuracy is not None and (baseline is None or accuracy > baseline)
