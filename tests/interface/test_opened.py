"""What `attnray.open` gives: numbers are those of the tables, and objects show themselves."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import attnray
from attnray.errors import InputError
from attnray.interface import shown
from attnray.interface.opened import Run
from tests.builders.jobs import read_table

pytestmark = pytest.mark.slow


def test_it_says_what_it_is(run: Run, folder: Path) -> None:
    assert (run.model, run.shape, run.folder) == ("minilm", (6, 12), folder)
    assert run.corpora == {"patterns": "sample", "syntax": "sample", "coreference": "sample"}
    assert run.report == folder / "report.html"
    assert run.settings["merge"] == "mean"
    assert run.documents[:2] == ["01-news", "02-recipe"]
    assert sum(len(run.document(name)) for name in run.documents) == len(run)
    assert repr(run).startswith("<run of minilm (6 layers x 12 heads) on sample: 224 examples")
    documents = attnray.open(str(folder), kind="document")
    assert len(documents) == len(run.documents) == len(attnray.open(folder, role="coreference"))


def test_the_best_head_is_that_of_the_table(run: Run, folder: Path) -> None:
    asked = 0
    for metric, item in (("syntax", "relation"), ("coreference", "mention_type")):
        for row in read_table(folder, f"{metric}_best").to_pylist():
            best = run.best(row[item], metric)
            assert (best.head.layer, best.head.head) == (row["layer"], row["head"])
            assert best.direction == row.get("direction")
            assert best.interval == (row["ci_low"], row["ci_high"])
            for name in ("total", "accuracy", "heldout_accuracy", "baseline_heldout_accuracy"):
                assert getattr(best, name) == row[name]
            assert (best.gain, best.p_holm) == (row["difference"], row["p_holm"])
            assert str(best.head) in repr(best).splitlines()[0]
            asked += 1
    assert asked > 20
    assert run.best("all").metric == "syntax"
    assert run.best("pronoun").metric == "coreference"


def test_a_head_has_its_rows_of_every_table(run: Run, folder: Path) -> None:
    head = run.head(3, 1)
    assert head == run.head("3-1") == run.best("obj").head

    def own(name: str, layer: str = "layer", number: str = "head") -> list[dict[str, Any]]:
        rows = read_table(folder, name).to_pylist()
        return [row for row in rows if (row[layer], row[number]) == (3, 1)]

    (behaviour,) = own("heads")
    assert head.behaviour == behaviour["behaviour"]
    values = {row["pattern"]: row["value"] for row in own("patterns")}
    assert {name: row.value for name, row in head.patterns.items()} == values
    for mine, name in ((head.relations, "syntax"), (head.mentions, "coreference")):
        accuracies = [row.accuracy for row in mine]
        expected = [row["accuracy"] or 0 for row in own(name)]
        assert [each or 0 for each in accuracies] == sorted(expected, reverse=True)
    gains = [*own("syntax_gains"), *own("coreference_gains")]
    known = [row["difference"] for row in gains if row["difference"] is not None]
    assert [row.difference for row in head.gains] == sorted(known, reverse=True)
    others = own("divergence", "layer_a", "head_a")
    near = head.nearest(71)
    assert len(near) == 71
    assert [each.divergence for each in near] == sorted(r["js_divergence"] for r in others)[1:]
    assert near[0].head == run.head(4, 9)
    assert "obj +34.5" in repr(head)


def test_tables_are_read_by_name(run: Run, folder: Path) -> None:
    assert set(run.tables) == {path.stem for path in (folder / "tables").glob("*.parquet")}
    for name, table in run.tables.items():
        assert table == pq.read_table(folder / "tables" / f"{name}.parquet", partitioning=None)
    with pytest.raises(KeyError, match="no table probes, but coreference, "):
        run.tables["probes"]


def test_a_table_is_the_same_in_every_form(run: Run) -> None:
    rows = run.table("syntax_best").to_pylist()
    assert run.table("syntax_best", as_="polars").to_dicts() == rows
    frame = run.table("syntax_best", as_="pandas")
    assert frame["correct" if "correct" in frame else "total"].tolist() == [
        r["total"] for r in rows
    ]
    assert [*frame.columns] == [*rows[0]]
    with pytest.raises(InputError, match="as_=csv is not possible: arrow, pandas and polars are"):
        run.table("syntax_best", as_="csv")  # type: ignore[call-overload]


@pytest.mark.parametrize("package", ["pandas", "polars", "xarray"])
def test_what_is_not_installed_is_said(
    run: Run, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    ask: Callable[..., object] = (
        run[0].attention if package == "xarray" else partial(run.table, "heads")
    )
    with pytest.raises(InputError) as told:
        ask(as_=package)
    line = f"as_={package} needs the package {package}: pip install 'attnray[notebooks]'"
    assert str(told.value) == line


def test_what_there_is_not_is_said(run: Run) -> None:
    for ask, line in (
        (
            lambda: run.best("objj"),
            "nothing was measured of objj, but of all, .*: did you mean obj?",
        ),
        (lambda: run.best("obj", "coreference"), "measured of obj, but of all, pronoun"),
        (lambda: run.best("feminine", "gap"), "sample has no table gap_best"),
        (lambda: run.best("pronoun", max_tokens=99), "not measured at max_tokens=99"),
        (lambda: run.head(7, 1), "there is no layer 7: they count from 1 to 6"),
        (lambda: run.head("1-13"), "there is no head 13: they count from 1 to 12"),
        (lambda: run.head("31"), "'31' is no head: say '3-1' or"),
        (lambda: run.errors("obj", "3-1", "up"), "direction=up is not possible"),
        (lambda: run.errors("objj"), "measured of objj"),
    ):
        with pytest.raises(InputError, match=line):
            ask()


def test_what_notebooks_show_is_escaped(run: Run) -> None:
    assert "case 5-8 (+42.2), obj 3-1 (+34.5), conj" in run._repr_html_()
    for each in (run, run.tables, run.best("obj"), run.head(3, 1), run.errors("obj"), run[7]):
        html = each._repr_html_()
        assert html.startswith(("<p>", "<table>"))
    rows = [("<script>", "\x1b[1m"), *[("b", "")] * 30]
    html = shown.table("a & b", ("<i>", ""), iter(rows), 31)
    assert "<script>" not in html
    assert "<i>" not in html
    assert "\x1b" not in html
    assert "<td>&lt;script&gt;</td>" in html
    assert html.count("<tr>") == 21
    assert "… and 11 more" in html
