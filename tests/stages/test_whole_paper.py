"""Every analysis of the paper in one run, on a tiny masked LM: experiment=clark2019."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from attnray.config import PROBES
from tests.builders import oracle
from tests.builders.cases import assert_same_rows, case_of
from tests.builders.conll2012 import sentence, written
from tests.builders.jobs import SMALL, kill_when, markers, refusal, succeed, tables
from tests.builders.masked_lm import saved

TABLES = {
    "patterns",
    "divergence",
    "layer_closeness",
    "heads",
    "importance",
    "syntax",
    "syntax_baselines",
    "syntax_best",
    "coreference",
    "coreference_baselines",
    "coreference_best",
    "probes",
    "probe_differences",
    "corpus",
    "reproduction",
}
TWO_SENTENCES = (
    sentence("(TOP (S (NP (DT the) (NN dog)) (VP (VBD saw) (NP (PRP it)))))", {0: "(1", 1: "1)"}),
    sentence("(TOP (S (NP (PRP He)) (VP (VBD slept))))", {0: "(1)"}),
)


@pytest.fixture(scope="module")
def overrides(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The experiment on halves of the sample and a document of CoNLL-2012."""
    folder = tmp_path_factory.mktemp("corpora")
    sample = resources.files("attnray.corpus").joinpath("sample.conllu").read_text()
    documents = [f"# newdoc{each}" for each in sample.split("# newdoc")[1:]]
    (folder / "dev.conllu").write_text("".join(documents[:6]))
    (folder / "train.conllu").write_text("".join(documents[6:14]))
    written(folder / "x_gold_conll", *TWO_SENTENCES)
    checkpoint = tmp_path_factory.mktemp("models") / "lm"
    return (
        "experiment=clark2019",
        f"model.path={saved(tiny_model, checkpoint)}",
        f"corpus.path={folder / 'dev.conllu'}",
        f"corpora.train.path={folder / 'train.conllu'}",
        f"corpora.coreference.path={folder}/*_gold_conll",
        "max_tokens=48",
        "seed=7",
        *SMALL,
    )


@pytest.fixture(scope="module")
def undisturbed(
    overrides: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A serial run, and what it printed."""
    run_dir = tmp_path_factory.mktemp("runs") / "undisturbed"
    return run_dir, succeed("run", "executor=serial", f"run_dir={run_dir}", *overrides)


def table(run_dir: Path, name: str) -> pa.Table:
    return pq.read_table(run_dir / "tables" / f"{name}.parquet", partitioning=None)


def test_every_table_and_figure_of_the_paper_is_there(undisturbed: tuple[Path, str]) -> None:
    run_dir, printed = undisturbed
    assert {path.stem for path in (run_dir / "tables").iterdir()} == TABLES
    for name in TABLES - {"corpus", "reproduction", "probe_differences"}:
        assert set(table(run_dir, name)["model"].to_pylist()) == {"lm", "lm-random-7"}
    figures = {path.stem for path in (run_dir / "figures").iterdir()}
    assert figures >= {"special_tokens", "importance", "entropy", "clusters", "syntax"}
    assert "left out" not in printed
    assert "reproduction.html" in printed
    assert "<h2" in (run_dir / "reproduction.html").read_text()


def test_pairs_are_of_the_treebank(undisturbed: tuple[Path, str]) -> None:
    corpus = table(undisturbed[0], "corpus").filter(pc.field("model") == "lm")
    kinds = {(row["roles"], row["kind"], row["max_tokens"]) for row in corpus.to_pylist()}
    assert kinds == {
        ("patterns", "pair", 48),
        ("syntax, dev", "sentence", None),
        ("coreference", "document", 48),
        ("train", "sentence", None),
    }


def test_the_numbers_of_the_paper_stand_beside_ours(undisturbed: tuple[Path, str]) -> None:
    run_dir, _ = undisturbed
    found = table(run_dir, "reproduction")
    assert set(found["model"].to_pylist()) == {"lm"}
    rows = {(r["source"], r["item"], r["quantity"]): r for r in found.to_pylist()}
    assert len(rows) == len(found)
    best = table(run_dir, "syntax_best").filter(pc.field("model") == "lm").to_pylist()
    det = rows["table 1", "det", "best head"]
    assert (det["paper"], det["paper_detail"]) == (0.943, "8-11")
    assert det["ours"] == next(row["accuracy"] for row in best if row["relation"] == "det")
    assert det["difference"] == pytest.approx(det["ours"] - 0.943)
    probes = table(run_dir, "probes").filter(pc.field("probe") == "attention_and_words")
    uas = dict(zip(probes["model"].to_pylist(), probes["uas"].to_pylist(), strict=True))
    assert rows["table 3", "attention_and_words", "probe"]["ours"] == uas["lm"]
    assert rows["table 3", "attention_and_words", "random twin"]["ours"] == uas["lm-random-7"]
    for key in (
        ("table 2", "all", "sieve"),
        ("table 2", "pronoun", "best head"),
        ("figure 1", "broad", "heads of this behaviour"),
        ("figure 4", "entropy_from_cls", "mean over the heads of the last layer"),
    ):
        assert rows[key]["ours"] is not None, key
    # No head of the paper's is a head of a model of another size, and prep is not of UD.
    assert rows["table 1", "all", "the paper's head"]["ours"] is None
    assert rows["table 1", "prep", "best head"]["ours"] is None
    assert rows["table 1", "prep", "best head"]["difference"] is None


def test_ray_gives_the_same_tables(
    undisturbed: tuple[Path, str], overrides: tuple[str, ...], tmp_path: Path
) -> None:
    succeed("run", "executor=ray", f"run_dir={tmp_path / 'ray'}", *overrides)
    assert tables(tmp_path / "ray") == tables(undisturbed[0])


def test_killed_while_it_probes_it_goes_on(
    undisturbed: tuple[Path, str], overrides: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "killed"
    everything = ("executor=serial", f"run_dir={run_dir}", *overrides)
    kill_when(lambda: len(markers(run_dir, "probes")) > 0, "run", *everything)
    kept = {stage: markers(run_dir, stage) for stage in ("probes", "analyse-importance")}
    assert kept["analyse-importance"]
    succeed("run", *everything)
    assert tables(run_dir) == tables(undisturbed[0])
    for stage, before in kept.items():
        assert before.items() <= markers(run_dir, stage).items()


def test_probes_alone_on_a_run_folder(undisturbed: tuple[Path, str], tmp_path: Path) -> None:
    copied = Path(shutil.copytree(undisturbed[0], tmp_path / "copied"))
    before = markers(copied, "probes")
    succeed("probe", "executor=serial", f"run_dir={copied}", "probe.seeds=[0,1]")
    found = table(copied, "probes")
    assert len(found) == 2 * 2 * len(PROBES)
    first = found.filter(pc.field("seed") == 0)
    assert first.equals(table(undisturbed[0], "probes"))
    assert len(markers(copied, "probes")) == 2 * len(before)


def test_importance_is_that_of_the_slow_way(
    undisturbed: tuple[Path, str], overrides: tuple[str, ...]
) -> None:
    """The same gradients of each single example, summed up by plain loops."""
    from attnray.config import ModelConfig
    from attnray.model.masked_lm import MaskedLM
    from attnray.model.source import locate
    from attnray.reading import RunReader

    path = overrides[1].partition("=")[2]
    model = MaskedLM(locate(ModelConfig(path=path), 7), "cpu")
    cases = []
    for stored in RunReader(str(undisturbed[0]), role="patterns"):
        example = stored.example
        layers = model.gradients([example.pieces], [example.types])
        maps = [layer[0].double().numpy() for layer in layers]
        cases.append(case_of(example, np.stack(maps)))
    found = table(undisturbed[0], "importance").filter(pc.field("model") == "lm")
    expected = oracle.importance(cases)
    largest = max(row["value"] for row in expected)
    assert largest > 0
    # Shares of the largest: an example alone and in its batch differ in float32's last bits.
    for row in expected:
        row["value"] /= largest
    shares = pa.array(found["value"].to_numpy() / largest)
    found = found.set_column(found.column_names.index("value"), "value", shares)
    assert_same_rows(found, expected, ("layer", "head", "target"))


def test_probes_need_a_corpus_of_their_own(tmp_path: Path) -> None:
    assert "corpora.train" in refusal("run", "metrics=[probes]")
    same = "pkg://attnray/corpus/sample.conllu"
    trained = ("corpora.train=conllu", f"corpora.train.path='{same}'")
    said = refusal("run", "metrics=[probes]", *trained, f"run_dir={tmp_path}", "executor=serial")
    assert "the same contents" in said


def test_a_model_without_a_masked_lm_head_says_so(tiny_model: Path, tmp_path: Path) -> None:
    settings = (f"model.path={tiny_model}", "corpus.limit=3", "executor=serial")
    asked = "metrics=[patterns,importance]"
    printed = succeed("run", asked, f"run_dir={tmp_path / 'run'}", *settings)
    note = "importance was left out: the checkpoint has no masked-LM head"
    assert note in printed
    assert note in (tmp_path / "run" / "report.html").read_text()
