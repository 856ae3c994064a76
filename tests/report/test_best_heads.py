"""The best heads for other tools: the rows of their tables, counted from 0, and saying so."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from attnray.report.best_heads import best_heads
from tests.builders.hand_made import MODEL, some


def test_those_of_a_run_are_those_of_its_tables(undisturbed: Path) -> None:
    content = json.loads((undisturbed / "best_heads.json").read_text())
    assert content["tables"].keys() == {"syntax_best", "coreference_best"}
    assert (content["first_layer"], content["first_head"]) == (0, 0)
    for name, found in content["tables"].items():
        rows = pq.read_table(undisturbed / "tables" / f"{name}.parquet", partitioning=None)
        assert {*rows["model"].to_pylist()} == {content["model"]}
        assert {*rows["corpus"].to_pylist()} == {found["corpus"]}
        expected = rows.drop_columns(["model", "corpus"]).to_pylist()
        for row in expected:
            row.update({key: row[key] - 1 for key in ("layer", "head") if row["total"]})
        assert found["rows"] == expected
        assert any(row["layer"] == 0 for row in found["rows"])


def test_a_twin_has_no_rows_and_what_has_no_case_no_head() -> None:
    tables = some("syntax_best", "coreference_best", "patterns")
    (syntax, coreference, _) = tables.values()
    twin = syntax.set_column(0, "model", pa.array(["twin"] * len(syntax)))
    nobody = pa.array([None] * len(coreference), pa.int64())
    for column in ("layer", "head"):
        place = coreference.schema.get_field_index(column)
        coreference = coreference.set_column(place, column, nobody)
    both = {"syntax_best": pa.concat_tables([syntax, twin]), "coreference_best": coreference}
    content = json.loads(best_heads(both, MODEL))
    assert len(content["tables"]["syntax_best"]["rows"]) == len(syntax)
    rows = content["tables"]["coreference_best"]["rows"]
    assert {(row["layer"], row["head"]) for row in rows} == {(None, None)}
