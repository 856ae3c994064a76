"""The page of a reproduction: the numbers of the paper beside those of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import NamedTuple

from attnray.report.columns import Column, PageTable, label
from attnray.report.findings import Facts, Findings, Placed, Source, Tables
from attnray.report.rendering import whole_page
from attnray.report.reproduction import ReproductionRow
from attnray.report.wording import NOTHING, legible, percent, points, spaced

CAPTIONS = {
    "table 1": "Accuracy of the best head and the best fixed offset for each relation, in percent.",
    "table 2": "Accuracy in coreference, by type of mention, in percent.",
    "table 3": "Probing classifiers: UAS without punctuation, in percent.",
    "figure 1": "Heads with a behaviour that the figure shows by example.",
    "figure 2": "Attention to special tokens and neighbours.",
    "figure 3": "The gradient of the masked-LM loss with respect to attention to [SEP].",
    "figure 4": "The entropy of the attention of [CLS], in nats.",
    "figure 5": "The heads whose attention the figure shows, accuracy in percent.",
    "figure 6": "The divergence of heads of one layer and of different layers, in nats.",
}


def _number(
    row: ReproductionRow, value: float | None, share: Callable[[float | None], str] = percent
) -> str:
    """A number as its unit is written: shares in percent, anything else as it is."""
    if value is None:
        return NOTHING
    return share(value) if row.unit == "share" else f"{value:.3g}".replace("-", "−")


def _share(
    header: str,
    value: Callable[[ReproductionRow], float | None],
    share: Callable[[float | None], str] = percent,
) -> Column[ReproductionRow]:
    return Column(header, lambda row: _number(row, value(row), share), "number", value)


NUMBERS = Source("reproduction", ReproductionRow)
COLUMNS: tuple[Column[ReproductionRow], ...] = (
    label("Item", lambda row: spaced(row.item)),
    label("Quantity", lambda row: spaced(row.quantity)),
    _share("Paper", attrgetter("paper")),
    label("there", lambda row: row.paper_detail),
    _share("Ours", attrgetter("ours")),
    label("here", lambda row: spaced(row.our_detail)),
    _share("Difference", attrgetter("difference"), points),
)


class PaperPart(NamedTuple):
    """A table or figure of the paper, its numbers beside ours, and the corpora of ours."""

    source: str
    caption: str
    corpora: list[str]
    numbers: PageTable[ReproductionRow]


def reproduction_page(tables: Tables, model: str) -> str:
    """The page of a model's rows of `reproduction`."""
    rows = NUMBERS.placed(Findings.of(tables, Facts(model)).tables)
    sources = dict.fromkeys(each.row.source for each in rows)
    parts = [_part(source, [r for r in rows if r.row.source == source]) for source in sources]
    return whole_page("reproduction.html.jinja", {"model": legible(model), "parts": parts})


def _part(source: str, rows: Sequence[Placed[ReproductionRow]]) -> PaperPart:
    corpora = sorted({each.corpus for each in rows if each.corpus})
    table = PageTable(
        f"Numbers of {source}", COLUMNS, [each.row for each in rows], source=NUMBERS.name
    )
    return PaperPart(source, CAPTIONS[source], corpora, table)
