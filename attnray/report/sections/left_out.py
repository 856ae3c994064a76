"""What was left out of the corpora, and why."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter

from attnray.corpus.counts import CorpusRow
from attnray.report.columns import Column, PageTable, label, number
from attnray.report.counts import CORPUS, MEASURED, kind
from attnray.report.findings import Findings, Placed
from attnray.report.section import Section, template_of
from attnray.report.wording import count, spaced

STAYS = "(they stay"
REASONS = {
    "too_long": "examples with more pieces than the model accepts",
    "words_past_cut": "words after the cut of their document",
    "mentions_past_cut": "mentions not wholly before the cut of their document",
    "no_word_fits": "documents whose first word is longer than the cut",
    "no_pair": "runs of sentences that could not be split into a pair",
    "discontinuous_mentions": "mentions of several separate parts",
    "mentions_on_empty_nodes": "mentions on empty nodes",
    "mentions_without_group": "mentions without a group (eid, GRP)",
    "unknown_pieces": "word pieces that stand for what the vocabulary lacks (they stay)",
    "placeholders": "words that stand for others, such as _ and [WORD] (they stay)",
    "sentences_with_circles": "sentences with heads in a circle (they stay)",
    "sentences_with_several_roots": "sentences with more than one root (they stay)",
    "sentences_without_root": "sentences without a root (they stay)",
    "words_without_pieces": "words the tokenizer has no piece for (they stay words, attention 0)",
}
COLUMNS: tuple[Column[Placed[CorpusRow]], ...] = (
    Column("What and why", lambda each: REASONS.get(each.row.item, spaced(each.row.item))),
    label("Corpus", lambda each: each.corpus),
    Column("Kind of example", lambda each: kind(each.row)),
    number("Count", attrgetter("row.count"), count),
)


def context(findings: Findings) -> Mapping[str, object]:
    """A row for everything counted that was not measured, zeros included."""
    rows = [each for each in CORPUS.placed(findings.tables) if each.row.item not in MEASURED]
    return {"left_out": PageTable("Table: what was left out", COLUMNS, rows, "plain", "corpus")}


def lines(findings: Findings) -> list[str]:
    """What was left out, in one; what stays is not."""
    counted: dict[str, dict[str, None]] = {}
    for row in CORPUS.rows(findings.tables):
        reason = REASONS.get(row.item, STAYS)
        if row.count and STAYS not in reason:
            counted.setdefault(reason, {})[_counted(row)] = None
    said = [f"{reason} ({', '.join(counts)})" for reason, counts in counted.items()]
    return [f"left out: {', '.join(said)}"] if said else []


def _counted(row: CorpusRow) -> str:
    return count(row.count) + (f" at {row.max_tokens} pieces" if row.max_tokens else "")


SECTION = Section(
    "left-out",
    "What was left out",
    template_of(__file__),
    needs=[CORPUS],
    lines=lines,
    context=context,
)
