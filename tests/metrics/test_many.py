"""Very many mentions or relations: each is looked at once, so that this ends at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from attnray.corpus.example import Antecedent, Example
from attnray.metrics.antecedents import Chooser, answers
from attnray.metrics.coreference import anaphors
from attnray.metrics.syntax import Syntax

NOTHING = np.zeros(0, np.int32)


def example(mentions: list[Antecedent]) -> Example:
    words = ["a", "b", "A", "c"]
    empty = [""] * len(words)
    small = NOTHING.astype(np.int8)
    return Example(
        0, "d", "", 0, 0, 0, NOTHING, [], small, small, NOTHING, words, [-1] * 4, empty, mentions
    )


def test_mentions() -> None:
    """Words 0 to 3 are mentions of 4,000 entities each, in turn."""
    count = 4000
    one = Antecedent(0, 0, 0, "", "nominal", 0, 0)
    mentions = [
        replace(one, start=word, end=word, head=word, entity=f"e{n}")
        for word in range(4)
        for n in range(count)
    ]
    found = anaphors(example(mentions), "mentions")
    assert len(found) == 3 * count
    for place, each in enumerate(found):
        word = 1 + place // count
        assert each.candidates == [*range(word - 1, -1, -1)]
        assert each.antecedents == frozenset(range(word))
    given = answers([Chooser(0, example(mentions), each) for each in found])
    # Word 2 has the form of word 0; no other has that of another.
    assert given[0] == [0, None, 0]
    assert given[count] == [1, 0, 0]
    assert given[2 * count] == [2, None, 2]
    assert all(given[n] == given[n // count * count] for n in range(3 * count))


def test_relations() -> None:
    """300 relations, each with two cases of each of 20 units, of which one head has one right."""
    relations, units = 300, 20
    shape = (relations, units, 2)
    label, unit, twin = (each.ravel() for each in np.indices(shape))
    cases = pa.table(
        {
            "relation": [f"r{number:03}" for number in label],
            "unit": unit,
            "fold": unit % 5,
            "distance": np.ones(label.size, np.int64),
        }
    )
    right = np.zeros((label.size, 1, 1, 2), bool)
    right[:, 0, 0, 0] = twin == 0
    partial = Syntax("mean", "universal").sums(cases, right, units)
    assert len(partial.rows) == relations + 2
    for row, found in partial.rows.items():
        times = 1 if row.startswith("r") else relations
        assert found.heads.t == 2 * units * times
        assert found.heads.c.ravel().tolist() == [units * times, 0]
        assert int(found.heads.units) == units
