"""The best heads as JSON for other tools; there layers and heads count from 0."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from attnray import __version__
from attnray.report.findings import Tables

#: The tables of best heads.
TABLES = ("syntax_best", "coreference_best", "gap_best")
ABOUT = (
    "Best heads, held against the best baseline. Layers and heads count from 0 here, as in the "
    "code of models, and from 1 in the tables of the same names and in the report."
)


def best_heads(tables: Tables, model: str) -> str:
    """The rows of a model in the tables of best heads, with the names of their columns.

    Args:
        tables: those of a run; others are left aside.
        model: its name; a random twin has rows too.
    """
    there = {name: tables[name] for name in TABLES if name in tables}
    content = {
        "about": ABOUT,
        "first_layer": 0,
        "first_head": 0,
        "attnray": __version__,
        "model": model,
        "tables": {name: _of(table, model) for name, table in there.items()},
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _of(table: pa.Table, model: str) -> dict[str, Any]:
    own = table.filter(pc.field("model") == model)
    rows = own.drop_columns(["model", "corpus"]).to_pylist()
    return {"corpus": own["corpus"][0].as_py(), "rows": [_from_zero(row) for row in rows]}


def _from_zero(row: dict[str, Any]) -> dict[str, Any]:
    """A row without a case has no head."""
    places = {key: row[key] for key in ("layer", "head") if row[key] is not None}
    return row | {key: place - 1 for key, place in places.items()}
