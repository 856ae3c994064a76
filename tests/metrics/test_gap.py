"""GAP: its tables against the slow implementation, on random maps and on a real model."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attnray
from attnray.corpus.formats.gap import COLUMNS, read_gap
from attnray.corpus.segment import Segmenter
from attnray.corpus.units import Units
from attnray.metrics.gap import Gap
from tests.builders import gap_oracle
from tests.builders.cases import assert_same_rows, document_case
from tests.builders.gap_oracle import NAMES
from tests.builders.jobs import succeed
from tests.builders.passages import Draft, drafts, passages_of
from tests.builders.random_maps import (
    MERGES,
    Attended,
    LetterPieces,
    attended,
    by_document,
    total,
)
from tests.builders.segmented import examples_of


def check(tables: dict[str, pa.Table], slow: gap_oracle.Gap) -> None:
    assert_same_rows(tables["gap"], slow.table(), ("layer", "head", "gender"))
    assert_same_rows(tables["gap_baselines"], slow.baselines(), ("baseline", "gender"))
    assert_same_rows(tables["gap_best"], slow.best(), ("gender",))
    assert_same_rows(tables["gap_gains"], slow.gains(), ("layer", "head", "gender"))


@settings(max_examples=150)
@given(
    st.lists(drafts(), min_size=1, max_size=12),
    st.integers(0, 2**32),
    MERGES,
    st.sampled_from([16, 24, 512]),
    st.integers(1, 3),
)
def test_random_maps(drafted: list[Draft], seed: int, how: str, cut: int, shards: int) -> None:
    names = [f"d{number}" for number in range(len(drafted))]
    documents = [draft.document(name) for draft, name in zip(drafted, names, strict=True)]
    segmenter = Segmenter("document", LetterPieces(), 512, cut, Units(blocks=False), 0)  # type: ignore[arg-type]
    examples: list[Attended] = attended(examples_of(segmenter, *documents), seed)
    metric = Gap(cut, how)
    tables = metric.tables(total(metric, by_document(examples, shards)))
    cases = [
        document_case(document, example, attention, [document.id])
        for document, (example, attention) in zip(documents, examples, strict=True)
    ]
    check(tables, gap_oracle.Gap(passages_of(drafted, cases, names), cases, cut, how))


def test_the_scorer_by_hand() -> None:
    gold = "a\tfeminine\tTRUE\tFALSE\nb\tfeminine\tFALSE\tFALSE\nc\tmasculine\tFALSE\tTRUE"
    system = "a\tTRUE\tFALSE\nb\tTRUE\tFALSE\nc\tFALSE\tFALSE"
    card = gap_oracle.scorecard(gold, system)
    assert card["all"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert card["feminine"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3)}
    assert card["masculine"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


@pytest.fixture(scope="module")
def run(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first passages of the development set through the embedded model."""
    folder = tmp_path_factory.mktemp("gap") / "run"
    corpus = ("corpus=gap", f"corpus.path={development(shared)}", "corpus.limit=200")
    cut = ("max_tokens=96", "metrics=[coreference]", "store=float32")
    printed = succeed("run", "executor=serial", *corpus, *cut, f"run_dir={folder}")
    assert "best head of each gender of ambiguous pronouns" in printed
    return folder


def development(shared: Path) -> Path:
    return shared / "gap" / "gap-development.tsv"


@pytest.mark.shared
def test_a_real_model_on_real_passages(run: Path, shared: Path) -> None:
    reader = attnray.open(str(run))
    documents = list(read_gap(str(development(shared))))[:200]
    assert len(reader) == len(documents)
    drafted, cases = [], []
    lines = development(shared).read_text(encoding="utf-8").splitlines()[1:201]
    for document, line in zip(documents, lines, strict=True):
        (stored,) = reader.document(document.id)
        units = [document.id] * len(document.sentences)
        cases.append(document_case(document, stored, stored.attention(), units))
        drafted.append(drafted_from(dict(zip(COLUMNS, line.split("\t"), strict=True))))
    passages = passages_of(drafted, cases, [document.id for document in documents])
    slow = gap_oracle.Gap(passages, cases, 96, "mean")
    assert 0 < slow.left_out < 100
    names = ("gap", "gap_baselines", "gap_best", "gap_gains")
    check({name: reader.table(name) for name in names}, slow)


def drafted_from(row: dict[str, str]) -> Draft:
    """A passage, its words found by putting spaces around the pronoun and the names."""
    columns = {"P": "Pronoun", "A": "A", "B": "B"}
    offsets = {of: int(row[f"{column}-offset"]) for of, column in columns.items()}
    text, spans = row["Text"], {}
    edges = {o + n for of, o in offsets.items() for n in (0, len(row[columns[of]]))}
    spaced = "".join(f" {c}" if place in edges else c for place, c in enumerate(text))
    for of, offset in offsets.items():
        before = "".join(f" {c}" if n in edges else c for n, c in enumerate(text[:offset]))
        first, size = len(before.split()), len(row[columns[of]].split())
        spans[of] = (first, first + size - 1)
    coref = {name: row[f"{name}-coref"] == "TRUE" for name in NAMES}
    return Draft(spaced.split(), [], spans, coref)


@pytest.mark.shared
def test_the_page_says_what_heads_choose(run: Path) -> None:
    page = (run / "report.html").read_text()
    assert "ambiguous pronouns of passages cut to 96 pieces the best head finds" in page
    assert "of 200 passages are left out" in page
