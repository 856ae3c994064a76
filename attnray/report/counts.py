"""The table `corpus` in words: what was measured, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from attnray.report.wording import spaced

MEASURED = ("documents", "examples", "words", "pieces", "dependencies", "mentions")
REASONS = {
    "too_long": "examples with more pieces than the model accepts",
    "words_past_cut": "words after the cut of their document",
    "mentions_past_cut": "mentions not wholly before the cut of their document",
    "no_word_fits": "documents whose first word is longer than the cut",
    "no_pair": "runs of sentences that could not be split into a pair",
    "discontinuous_mentions": "mentions of several separate parts",
    "mentions_on_empty_nodes": "mentions on empty nodes",
    "words_without_pieces": "words the tokenizer has no piece for (they stay words, attention 0)",
}


@dataclass(frozen=True)
class Measured:
    """The examples of one kind of a corpus, counted; None where an item does not apply.

    `kind` says what they were cut to, and `roles` what they serve.
    """

    corpus: str
    kind: str
    roles: str
    counts: tuple[int | None, ...]


@dataclass(frozen=True)
class LeftOut:
    """Something of a corpus that was left out."""

    corpus: str
    kind: str
    reason: str
    count: int


def measured(table: pa.Table) -> list[Measured]:
    """A row for every kind of example of every corpus, counts in the order of `MEASURED`."""
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in table.to_pylist():
        which = (row["corpus"], _kind(row), row["roles"])
        found.setdefault(which, {})[row["item"]] = row["count"]
    return [
        Measured(*which, tuple(counts.get(item) for item in MEASURED))
        for which, counts in found.items()
    ]


def left_out(table: pa.Table) -> list[LeftOut]:
    """A row for everything counted that was not measured, zeros included."""
    return [
        LeftOut(
            row["corpus"],
            _kind(row),
            REASONS.get(row["item"], spaced(row["item"])),
            row["count"],
        )
        for row in table.to_pylist()
        if row["item"] not in MEASURED
    ]


def _kind(row: dict[str, Any]) -> str:
    cut = row["max_tokens"]
    return str(row["kind"]) if cut is None else f"{row['kind']} of {cut} pieces at most"
