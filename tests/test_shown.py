"""Real corpora and the embedded model: the known figures, and whole tables by the slow way."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import attnray
from attnray.config import CorpusConfig
from attnray.corpus.readers import read
from attnray.interface.opened import Run
from tests.builders import oracle, shared_runs
from tests.builders.cases import assert_same_rows, case_of, document_case
from tests.builders.once import Once

pytestmark = pytest.mark.shared


def only(table: pa.Table, **wanted: object) -> list[dict[str, object]]:
    for column, value in wanted.items():
        table = table.filter(pc.equal(table[column], value))
    rows: list[dict[str, object]] = table.to_pylist()
    return rows


@pytest.fixture(scope="module", params=["float32", "log16"])
def ewt(request: pytest.FixtureRequest, shared: Path, once: Once) -> Run:
    return attnray.open(str(shared_runs.ewt(shared, once, request.param)))


@pytest.fixture(scope="module")
def gum(shared: Path, once: Once) -> tuple[Run, Path]:
    folder = shared_runs.gum(shared, once)
    return attnray.open(str(folder)), shared / "gum" / "ontogum-train.conllu"


def test_the_known_figures_of_syntax(ewt: Run) -> None:
    assert len(ewt) == 2001
    best = ewt.table("syntax_best")
    (obj,) = only(best, relation="obj")
    assert (obj["layer"], obj["head"], obj["direction"]) == (3, 1, "dependent_to_head")
    assert obj["total"] == 1211
    assert obj["accuracy"] == pytest.approx(0.740, abs=0.003)
    assert obj["baseline_offset"] == -2
    assert obj["baseline_accuracy"] == pytest.approx(0.358, abs=0.0005)
    (det,) = only(best, relation="det")
    assert (det["layer"], det["head"]) == (3, 9)
    assert det["accuracy"] == pytest.approx(0.806, abs=0.003)


def test_the_known_figures_of_coreference(gum: tuple[Run, Path]) -> None:
    run, _ = gum
    (head,) = only(run.table("coreference"), layer=3, head=5, mention_type="all")
    assert head["total"] == 1145
    assert head["accuracy"] == pytest.approx(0.7415, abs=0.003)
    (match,) = only(run.table("coreference_baselines"), baseline="head_match", mention_type="all")
    assert match["accuracy"] == pytest.approx(0.5485, abs=0.00005)


def test_every_table_of_syntax_and_patterns_is_that_of_the_slow_way(
    shared: Path, once: Once
) -> None:
    run = attnray.open(str(shared_runs.ewt_begin(shared, once)))
    cases = [case_of(each, each.attention()) for each in run]
    units = {case.unit for case in cases}
    assert_same_rows(run.table("patterns"), oracle.patterns(cases), ("layer", "head", "pattern"))
    key = ("layer", "head", "direction", "relation")
    assert_same_rows(run.table("syntax"), oracle.syntax(cases), key)
    baselines = oracle.syntax_baselines(cases)
    assert_same_rows(run.table("syntax_baselines"), baselines, ("relation", "offset"))
    assert_same_rows(run.table("syntax_best"), oracle.syntax_best(cases, units), ("relation",))


def test_every_table_of_coreference_is_that_of_the_slow_way(gum: tuple[Run, Path]) -> None:
    run, path = gum
    cases = []
    for document in read(CorpusConfig("gum", "conllu", str(path))):
        (stored,) = run.document(document.id)
        units = [document.id] * len(document.sentences)
        cases.append(document_case(document, stored, stored.attention(), units))
    key = ("layer", "head", "mention_type")
    assert_same_rows(run.table("coreference"), oracle.coreference(cases, 128), key)
    best = oracle.coreference_best(cases, 128)
    assert_same_rows(run.table("coreference_best"), best, ("mention_type",))
    gains = oracle.coreference_gains(cases, 128)
    assert_same_rows(run.table("coreference_gains"), gains, ("mention_type", "layer", "head"))
    expected = oracle.coreference_baselines(cases, 128)
    assert_same_rows(run.table("coreference_baselines"), expected, ("baseline", "mention_type"))
