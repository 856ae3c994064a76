"""The stage around the page: which tables it reads, and what it writes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyarrow.csv import read_csv

from attnray.report.page import page
from attnray.stages.report import shown_tables, write_report
from attnray.store.folder import RunFolder, tabulated
from tests.builders import hand_made


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path)
    for name, table in hand_made.ALL.items():
        folder.commit(tabulated(name), 0, "", folder.write_table(name, table))
    return folder


def test_tables_of_other_runs_and_those_that_no_section_shows_are_not_read(
    folder: RunFolder,
) -> None:
    run: Any = SimpleNamespace(
        folder=folder, metrics=["divergence"], tables=("corpus", "syntax_baselines", "probes")
    )
    assert shown_tables(run) == hand_made.some("corpus", "probes")
    assert shown_tables(run, {"probes"}) == hand_made.some("probes")


def test_the_page_is_written_last(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    tables = hand_made.some("patterns", "corpus")
    report = page(tables, hand_made.facts())
    csv, *names = written = [*write_report(folder, report, tables)]
    assert names == ["figures/special_tokens.svg", "figures/entropy.svg", "report.html"]
    texts = [Path(tmp_path, name).read_text() for name in names]
    assert texts == [*report.figures.values(), report.text]
    assert {each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*.*")} == {*written}
    assert read_csv(tmp_path / csv).to_pylist() == tables["corpus"].to_pylist()
    assert f'href="{csv}"' in report.text
