"""The tables: what is written about their columns is what their row types say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from attnray import tables
from attnray.metrics.rows import MODEL_AND_CORPUS, schema, whole_schema

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
#: What README lists, by the sentence before the list.
LISTED = {
    "Its tables, beside": tables.COMPARISON,
    "Tidy Parquet in `tables/`": tables.RUN,
}


def listed(start: str) -> dict[str, list[str]]:
    """The tables of README's first list after some words, each with its columns."""
    after = README.partition(start)[2].partition("| table | columns |\n|---|---|\n")[2]
    rows = after.partition("\n\n")[0].splitlines()
    found = [re.fullmatch(r"\| `(\w+)` \| ([\w, ]+)(?::.*)? \|", row) for row in rows]
    return {each[1]: each[2].split(", ") for each in found if each}


def test_the_documentation_is_made_of_the_row_types() -> None:
    assert (ROOT / "docs" / "tables.md").read_text() == tables.documentation()


@pytest.mark.parametrize("start", LISTED)
def test_the_readme_lists_every_table_with_its_columns_in_order(start: str) -> None:
    known: Mapping[str, type] = LISTED[start]
    assert listed(start) == {name: schema(row).names for name, row in known.items()}


def test_every_table_begins_with_model_and_corpus() -> None:
    for row in (*tables.RUN.values(), *tables.COMPARISON.values()):
        assert list(whole_schema(row).names[:2]) == [name for name, _ in MODEL_AND_CORPUS]
