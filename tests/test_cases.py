"""Cases on disk: the tables can be made from them alone; what they are; and runs without them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import attnray
from attnray.errors import InputError
from attnray.interface.opened import Run
from attnray.reading import StoredExample
from tests.builders import from_cases, gap_corpus, oracle, shared_runs
from tests.builders.cases import assert_same_rows
from tests.builders.jobs import SMALL, refusal, succeed, tables
from tests.builders.once import Once
from tests.builders.oracle import DIRECTIONS, MENTION_TYPES, Row

#: MiniLM's.
LAYERS, HEADS = 6, 12


@pytest.fixture(scope="module")
def sample(once: Once) -> Path:
    """MiniLM over the sample, in many shards."""
    metrics = ("metrics=[syntax,coreference]", "max_tokens=[96,128]", "store=float32", *SMALL)

    def make(folder: Path) -> None:
        succeed("run", "executor=serial", f"run_dir={folder}", *metrics)

    return once("sample", make)


@pytest.fixture(scope="module")
def treebank(shared: Path, once: Once) -> Path:
    return shared_runs.ewt(shared, once)


@pytest.fixture(scope="module")
def documents(shared: Path, once: Once) -> Path:
    path = shared / "gum" / "ontogum-dev.conllu"
    return once("gum", lambda folder: shared_runs.run_on(path, folder, "metrics=[coreference]"))


# Tables


def assert_same_part(run_dir: Path, table: str, rows: Sequence[Row], key: Sequence[str]) -> None:
    """A table has these rows, as far as their columns go, and no others."""
    found = pq.read_table(run_dir / "tables" / f"{table}.parquet", partitioning=None)
    assert_same_rows(found.select(list(rows[0])), rows, key)
    assert len(found) == len(rows)


def check_syntax(run_dir: Path) -> None:
    found = from_cases.syntax(from_cases.cases_of(run_dir, "syntax"), LAYERS, HEADS)
    key = ("layer", "head", "direction", "relation")
    assert_same_part(run_dir, "syntax", found["syntax"], key)
    assert_same_part(run_dir, "syntax_best", found["syntax_best"], ("relation",))
    assert_same_part(run_dir, "syntax_gains", found["syntax_gains"], ("relation", "layer", "head"))
    baselines = ("relation", "offset")
    assert_same_part(run_dir, "syntax_baselines", found["syntax_baselines"], baselines)
    columns = pq.read_schema(run_dir / "tables" / "syntax.parquet").names
    assert {"model", "corpus", *found["syntax"][0]} == set(columns)


def check_coreference(run_dir: Path, cuts: Sequence[int]) -> None:
    cases, table, best = from_cases.cases_of(run_dir, "coreference"), [], []
    for cut in cuts:
        own = [case for case in cases if case["max_tokens"] == cut]
        found = from_cases.by_kind(own, "mention_type", MENTION_TYPES, LAYERS, HEADS, cut)
        table += found[0]
        best += found[1]
    key = ("max_tokens", "layer", "head", "mention_type")
    assert_same_part(run_dir, "coreference", table, key)
    assert_same_part(run_dir, "coreference_best", best, ("max_tokens", "mention_type"))
    columns = pq.read_schema(run_dir / "tables" / "coreference.parquet").names
    assert {"model", "corpus", *table[0]} == set(columns)


def test_the_tables_of_syntax_are_made_of_cases(sample: Path) -> None:
    check_syntax(sample)


def test_the_tables_of_coreference_are_made_of_cases(sample: Path) -> None:
    check_coreference(sample, [96, 128])


@pytest.mark.shared
def test_those_of_a_treebank_too(treebank: Path) -> None:
    check_syntax(treebank)


@pytest.mark.shared
def test_those_of_real_documents_too(documents: Path) -> None:
    check_coreference(documents, [128])


def test_the_accuracies_of_gap_are_made_of_cases(tiny_model: Path, tmp_path: Path) -> None:
    path, run_dir = gap_corpus.written(tmp_path / "gap.tsv", 40), tmp_path / "run"
    settings = ("executor=serial", f"model.path={tiny_model}", "metrics=[coreference]")
    succeed("run", *settings, "corpus=gap", f"corpus.path={path}", f"run_dir={run_dir}")
    cases = from_cases.cases_of(run_dir, "gap")
    kinds = ("all", "feminine", "masculine")
    table, best = from_cases.by_kind(cases, "gender", kinds, 2, 3, 128)
    assert_same_part(run_dir, "gap", table, ("layer", "head", "gender"))
    assert_same_part(run_dir, "gap_best", best, ("gender",))
    for row in table:
        wrong = attnray.open(run_dir).errors(
            row["gender"], (row["layer"], row["head"]), metric="gap"
        )
        assert len(wrong) == row["total"] - row["correct"]
        assert not any(mistake.picked in mistake.right for mistake in wrong)


# Sizes


@pytest.mark.shared
def test_a_case_takes_at_most_60_bytes(treebank: Path) -> None:
    paths = list((treebank / "cases" / "syntax").iterdir())
    count = sum(pq.read_metadata(path).num_rows for path in paths)
    assert count > 20_000
    assert sum(path.stat().st_size for path in paths) <= 60 * count


# Without cases


def test_a_run_without_cases(tiny_model: Path, tmp_path: Path) -> None:
    settings = ("executor=serial", f"model.path={tiny_model}", "corpus.limit=6", *SMALL)
    found = []
    for name, cases in (("with", "true"), ("without", "false")):
        run = (f"run_dir={tmp_path / name}", "metrics=[syntax,coreference]", f"cases={cases}")
        succeed("run", *settings, *run)
        found.append(tables(tmp_path / name))
    assert found[0] == found[1]
    assert (tmp_path / "with" / "cases" / "coreference").is_dir()
    assert not (tmp_path / "without" / "cases").exists()
    with pytest.raises(InputError, match="cases=False"):
        attnray.open(str(tmp_path / "without")).cases("syntax")
    both = f"runs=[{tmp_path / 'with'},{tmp_path / 'without'}]"
    target = f"run_dir={tmp_path / 'comparison'}"
    line = refusal("compare", both, target)
    assert f"{tmp_path / 'without'} kept no cases to compare" in line
    assert "start it again with cases=true" in line
    succeed("run", *settings, *run[:2], "cases=true")
    assert tables(tmp_path / "without") == found[0]
    succeed("compare", both, target)


# Looking at them


@pytest.fixture(scope="module")
def run(sample: Path) -> Run:
    return attnray.open(str(sample))


def right_in_syntax(stored: StoredExample, case: Row, layer: int, head: int, way: str) -> bool:
    """Whether a head of an example finds the head of a word, by the attention itself."""
    matrix = stored.attention(layer=layer, head=head, words=True)
    weight = (matrix if way == DIRECTIONS[0] else matrix.T)[case["word"]].tolist()
    others = [other for other in range(len(stored.words)) if other != case["word"]]
    guess = oracle.most_attended(others, weight, case["word"])
    return guess == stored.heads[case["word"]] - 1


@pytest.mark.parametrize("direction", [None, *DIRECTIONS])
@pytest.mark.parametrize("right", [None, True, False])
def test_cases_of_a_head_are_those_of_its_attention(
    run: Run, direction: str | None, right: bool | None
) -> None:
    asked: dict[str, Any] = {"direction": direction} if direction else {}
    found = run.cases("syntax", layer=3, head=1, relation="obj", right=right, **asked)
    expected = []
    for about in run:
        for word, relation in enumerate(about.relations):
            if about.heads[word] > 0 and relation == "obj":
                case = {"example": about.index, "word": word, "document": about.document}
                is_right = right_in_syntax(about, case, 3, 1, direction or DIRECTIONS[0])
                if right in (None, is_right):
                    row = {"head_word": about.heads[word] - 1, "relation": relation}
                    row |= {"distance": about.heads[word] - 1 - word, "right": is_right}
                    row |= {"unit": about.unit, "fold": about.fold}
                    expected.append({**case, **row, "sentence": " ".join(about.words)})
    assert sorted(found.to_pylist(), key=place) == sorted(expected, key=place)
    assert len(expected) > 10
    assert found.column_names[-2:] == ["right", "sentence"]


def place(case: Row) -> tuple[int, int]:
    return case["example"], case["word"]


@pytest.mark.parametrize(("cut", "number"), [(96, 0), (128, 1)])
def test_mentions_are_cases_of_each_cut(sample: Path, cut: int, number: int) -> None:
    reader = attnray.open(sample, role="coreference")
    assert reader._manifest.sets_of("coreference")[number].max_tokens == cut
    found = reader.cases("coreference", layer=3, head=5, max_tokens=cut, mention_type="pronoun")
    (row,) = (
        row
        for row in reader.table("coreference").to_pylist()
        if (row["max_tokens"], row["mention_type"]) == (cut, "pronoun")
        and (row["layer"], row["head"]) == (3, 5)
    )
    assert len(found) == row["total"] > 0
    assert sum(found["right"].to_pylist()) == row["correct"]
    for case in found.to_pylist():
        words = case["sentence"].split(" ")
        assert case["start"] <= case["word"] <= case["end"] < len(words)
    wrong = reader.errors("pronoun", "3-5", max_tokens=cut)
    assert len(wrong) == row["total"] - row["correct"]
    for mistake in wrong:
        assert " ".join(mistake.example.words) == mistake.case["sentence"]
        assert mistake.picked not in mistake.right


def test_without_a_head_there_are_the_bits_of_all(run: Run) -> None:
    found = run.cases("syntax", document="02-recipe")
    assert set(found["document"].to_pylist()) == {"02-recipe"}
    assert found["right"].type == pa.binary(LAYERS * HEADS * 2 // 8)
    one = run.cases("syntax", layer=6, head=12, direction=DIRECTIONS[1], document="02-recipe")
    assert [each[-1] >> 7 for each in found["right"].to_pylist()] == one["right"].to_pylist()
    assert len(run.cases("syntax", relation="no such relation")) == 0


REFUSED: dict[str, tuple[Callable[[Run], pa.Table], str]] = {
    "unknown metric": (lambda run: run.cases("semantics"), "semantics has no cases: syntax, co"),
    "metric without": (lambda run: run.cases("patterns"), "patterns has no cases: syntax, coref"),
    "not measured": (lambda run: run.cases("gap"), "has no cases of gap: it was made with"),
    "column": (lambda run: run.cases("syntax", entity="e"), "no column entity, but document, ex"),
    "layer": (
        lambda run: run.cases("syntax", layer=7, head=1),
        "no layer 7: they count from 1 to 6",
    ),
    "head": (
        lambda run: run.cases("syntax", layer=1, head=0),
        "no head 0: they count from 1 to 12",
    ),
    "direction": (
        lambda run: run.cases("syntax", layer=1, head=1, direction="up"),
        "direction=up is not possible: dependent_to_head, head_to_dependent are",
    ),
    "right alone": (
        lambda run: run.cases("syntax", right=True),
        "say which, with layer= and head=",
    ),
    "layer alone": (lambda run: run.cases("syntax", layer=3), "said with layer= and head="),
    "head alone": (
        lambda run: run.cases("syntax", head=3, right=False),
        "said with layer= and head=",
    ),
    "direction alone": (
        lambda run: run.cases("syntax", direction=DIRECTIONS[0]),
        "said with layer= and head=",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_there_is_not_is_said(run: Run, what: str) -> None:
    ask, reason = REFUSED[what]
    with pytest.raises(InputError) as refused:
        ask(run)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
