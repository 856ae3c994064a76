"""What is written of tables, settings and jobs is what the code says."""

from __future__ import annotations

import runpy

import pytest

from attnray import tables
from attnray.metrics.rows import MODEL_AND_CORPUS, whole_schema
from tests.builders.jobs import ROOT

PAGES = runpy.run_path(str(ROOT / "scripts" / "reference.py"))["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_made_from_the_code(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "write it anew: python scripts/reference.py"


def test_every_table_begins_with_model_and_corpus() -> None:
    for row in (*tables.RUN.values(), *tables.COMPARISON.values()):
        assert list(whole_schema(row).names[:2]) == [name for name, _ in MODEL_AND_CORPUS]
