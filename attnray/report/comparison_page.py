"""The page of a comparison: for each corpus, its figures and the tables behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from attnray.report import comparison, wording
from attnray.report.findings import legible
from attnray.report.page import template
from attnray.store.folder import RunFolder

#: What is drawn of a corpus: the figure, the table it is made of, and how.
FIGURES: dict[str, tuple[str, Callable[[pa.Table, str], str]]] = {
    "relations": ("syntax_best", comparison.relations),
    "coreference": ("coreference_best", comparison.coreference),
    "pronouns": ("gap_best", comparison.pronouns),
    "probes": ("probes", comparison.probes),
    "depth": ("behaviours_by_depth", comparison.depth),
    "matches": ("head_matches", comparison.matches),
}
#: So many of the best matched heads of two models are shown.
MATCHES_SHOWN = 5
#: With more pairs of models than this, differences by relation are in the table alone.
FEW_PAIRS = 6


def write_comparison(target: RunFolder, tables: dict[str, pa.Table]) -> Path:
    """Write the figures and the page of a comparison; gives the page.

    Args:
        target: the folder of the comparison.
        tables: its tables by name.
    """
    names = [corpus for table in tables.values() for corpus in table["corpus"].to_pylist()]
    corpora = list(dict.fromkeys(names))
    sections = []
    for number, corpus in enumerate(corpora, 1):
        own = {n: t.filter(pc.field("corpus") == corpus) for n, t in tables.items()}
        own = {name: table for name, table in own.items() if len(table)}
        figures = {
            figure: draw(own[table], f"{figure}-{number}")
            for figure, (table, draw) in FIGURES.items()
            if table in own
        }
        for figure, svg in figures.items():
            target.write_figure(f"{figure}-{number}", svg)
        sections.append(_section(legible(corpus), own, figures))
    page = template("comparison.html.jinja").render(
        sections=sections,
        models=[legible(model) for model in _models(tables)],
        wording=wording,
    )
    return target.write_page("report", page)


def _section(corpus: str, tables: dict[str, pa.Table], figures: dict[str, str]) -> dict[str, Any]:
    rows = {name: [_legible(row) for row in table.to_pylist()] for name, table in tables.items()}
    differences = rows.get("differences", [])
    pairs = len({(row["model"], row["other_model"]) for row in differences})
    return {
        "corpus": corpus,
        "figures": {name: Markup(svg) for name, svg in figures.items()},
        "relations": [r for r in rows.get("syntax_best", []) if r["relation"] == "all"],
        "all_relations": rows.get("syntax_best", []),
        "mentions": rows.get("coreference_best", []),
        "pronouns": rows.get("gap_best", []),
        "probes": rows.get("probes", []),
        "differences": [row for row in differences if row["item"] == "all"],
        "all_differences": differences if pairs <= FEW_PAIRS else [],
        "probe_differences": rows.get("probe_differences", []),
        "matches": _closest(rows.get("head_matches", [])),
    }


def _closest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of every two models, how near matched heads are, and the most alike of them."""
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        pairs.setdefault((row["model"], row["other_model"]), []).append(row)
    found = []
    for (model, other), own in pairs.items():
        nearest = sorted(own, key=lambda row: row["distance"] - row["mean_distance"])
        shown = [
            f"{wording.head(r['layer'], r['head'])} ~ "
            f"{wording.head(r['other_layer'], r['other_head'])}"
            for r in nearest[:MATCHES_SHOWN]
        ]
        found.append(
            {
                "model": model,
                "other_model": other,
                "distance": sum(row["distance"] for row in own) / len(own),
                "mean_distance": sum(row["mean_distance"] for row in own) / len(own),
                "heads": shown,
            }
        )
    return found


def _legible(row: dict[str, Any]) -> dict[str, Any]:
    return {name: legible(v) if isinstance(v, str) else v for name, v in row.items()}


def _models(tables: dict[str, pa.Table]) -> list[str]:
    names = [model for table in tables.values() for model in table["model"].to_pylist()]
    return list(dict.fromkeys(names))
