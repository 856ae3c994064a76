"""The page of a reproduction: the numbers of the paper beside those of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from attnray.report import wording
from attnray.report.findings import legible
from attnray.report.page import template
from attnray.report.reproduction import Models, reproduction
from attnray.store.folder import RunFolder

TABLE = "reproduction"
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
_TEXTS = ("item", "quantity", "paper_detail", "our_detail")


def write_reproduction(
    folder: RunFolder, paper: str, names: tuple[str, ...], models: Models
) -> list[Path]:
    """Write the table `reproduction` and its page.

    Args:
        folder: the run folder.
        paper: whose numbers.
        names: the tables of the run.
        models: the model, and its twin.

    Returns:
        What was written: the table, then the page.
    """
    table = reproduction(paper, {name: folder.table(name) for name in names}, models)
    page = _page(table, models.main)
    return [folder.write_table(TABLE, table), folder.write_page(TABLE, page)]


def _page(table: pa.Table, model: str) -> str:
    sources: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        sources.setdefault(row["source"], []).append(row)
    return template("reproduction.html.jinja").render(
        model=legible(model),
        sources={source: [_shown(row) for row in rows] for source, rows in sources.items()},
        corpora={
            source: sorted({legible(row["corpus"]) for row in rows if row["corpus"]})
            for source, rows in sources.items()
        },
        captions=CAPTIONS,
        wording=wording,
    )


def _shown(row: dict[str, Any]) -> dict[str, str]:
    """A row as the page writes it: shares in percent, anything else as it is."""
    share = row["unit"] == "share"
    number, signed = (wording.percent, wording.points) if share else (_plain, _plain)
    return {name: legible(row[name]) for name in _TEXTS} | {
        "paper": number(row["paper"]),
        "ours": number(row["ours"]),
        "difference": signed(row["difference"]),
    }


def _plain(value: float | None) -> str:
    return wording.NOTHING if value is None else f"{value:.3g}".replace("-", "−")
