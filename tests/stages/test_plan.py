"""Plan: whose folder it is, what each role reads, and what is planned once for several runs."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import attnray.stages.plan as planning
from attnray.config import Config, CorpusConfig, ModelConfig, ShardConfig, StoreConfig
from attnray.metrics.divergence import Divergence
from attnray.stages.parts import Drafted, DraftTask, draft
from attnray.stages.planned import Place, plan
from attnray.store.run import Run
from tests.builders.jobs import refusal, succeed, tables


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("store=float32", "store.codec was log16 and is float32"),
        ("corpus.limit=3", "limit"),
        ("model.random_init=true", "model"),
        ("max_tokens=64", "max_tokens was [128] and is [64]"),
        ("batch.tokens=99", "batch.tokens"),
    ],
)
def test_another_run_in_the_same_folder_is_refused(
    override: str, named: str, copied: Path, undisturbed: Path, tiny_settings: tuple[str, ...]
) -> None:
    kept = [each for each in tiny_settings if not each.startswith(override.partition("=")[0])]
    line = refusal("run", "executor=serial", f"run_dir={copied}", *kept, override)
    assert named in line
    assert "run_dir" in line
    assert tables(copied) == tables(undisturbed)


def test_plain_text_becomes_pairs_and_a_role_has_its_own_corpus(
    tiny_settings: tuple[str, ...], tmp_path: Path
) -> None:
    text = tmp_path / "text.txt"
    text.write_text(
        "\n\n".join("She saw it. He did not. It was late. They left." for _ in range(9))
    )
    run_dir = tmp_path / "run"
    roles = ("corpora.patterns=text", f"corpora.patterns.path={text}", "corpora.patterns.limit=7")
    succeed("run", "executor=serial", f"run_dir={run_dir}", *roles, *tiny_settings)
    patterns = pq.read_table(run_dir / "tables" / "patterns.parquet")
    assert set(patterns["corpus"].to_pylist()) == {"text"}
    assert set(patterns["examples"].to_pylist()) == {7}
    syntax = pq.read_table(run_dir / "tables" / "syntax_best.parquet")
    assert set(syntax["corpus"].to_pylist()) == {"sample"}


def test_a_corpus_without_coreference_says_so(
    tiny_settings: tuple[str, ...], tmp_path: Path
) -> None:
    corpus = tmp_path / "trees.conllu"
    rows = ["1\tshe\t_\tPRON\t_\t_\t2\tnsubj\t_\t_", "2\truns\t_\tVERB\t_\t_\t0\troot\t_\t_"]
    corpus.write_text("\n".join([*rows, "", *rows, ""]))
    overrides = ("executor=serial", "corpus=conllu", f"corpus.path={corpus}", *tiny_settings)
    printed = succeed("run", f"run_dir={tmp_path / 'run'}", *overrides)
    assert "coreference was left out" in printed
    assert "coreference.parquet" not in tables(tmp_path / "run")
    line = refusal("run", f"run_dir={tmp_path / 'other'}", "metrics=[coreference]", *overrides)
    assert "Entity=" in line


def test_shards_are_planned_once_for_all_models_of_a_tokenizer(
    tiny_model: Path, tiny_roberta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafted: list[DraftTask] = []

    def counted(task: DraftTask) -> Drafted:
        drafted.append(task)
        return draft(task)

    monkeypatch.setattr(planning, "draft", counted)
    place = Place(tmp_path)
    runs = []
    counts = []
    for model in (
        ModelConfig(name=None, path=str(tiny_model)),
        ModelConfig(name=None, path=str(tiny_model), random_init=True, seed=5),
        ModelConfig(name=None, path=str(tiny_roberta)),
    ):
        config = Config(
            model=model,
            corpus=CorpusConfig("sample", "conllu", "pkg://attnray/corpus/sample.conllu"),
            store=StoreConfig("log16"),
            metrics=["syntax", "coreference"],
        )
        config.executor.name = "serial"
        runs.append(plan(config, "cpu", place))
        counts.append(len(drafted))
    assert counts == [2, 2, 4]
    first, second = (
        [path.read_bytes() for path in sorted(Path(run.folder.root, "shards").iterdir())]
        for run in runs[:2]
    )
    assert first == second
    assert runs[0].manifest.examples == runs[1].manifest.examples


def test_examples_planned_for_one_metric_do_not_serve_one_that_needs_more(
    tiny_model: Path, tmp_path: Path
) -> None:
    treeless = tmp_path / "treeless.conllu"
    rows = "".join(f"{n}\tword{n}" + "\t_" * 8 + "\n" for n in range(1, 5))
    treeless.write_text("".join(f"# newdoc\n{rows}\n" for _ in range(3)))
    place = Place(tmp_path / "runs")
    runs = []
    for seed, metrics in enumerate((["patterns"], ["syntax", "patterns"])):
        config = Config(
            model=ModelConfig(name=None, path=str(tiny_model), random_init=True, seed=seed),
            corpus=CorpusConfig("treeless", "conllu", str(treeless)),
            store=StoreConfig("log16"),
            metrics=metrics,
        )
        config.executor.name = "serial"
        runs.append(plan(config, "cpu", place))
    assert runs[1].metrics == ["patterns"]
    (note,) = runs[1].notes
    assert note.startswith("syntax was left out: the corpus has no syntactic heads with relations")


def sampled(run: Run) -> dict[str, dict[int, list[str]]]:
    """The sample of each set of examples: their words, by their numbers."""
    return {
        key: {each.index: each.words for each in run.folder.examples(*run.manifest.shard(shard))}
        for key, shard in run.manifest.samples.items()
    }


def test_samples_are_the_same_whatever_the_shards_and_the_metrics(
    tiny_model: Path, tmp_path: Path
) -> None:
    def planned(name: str, sample: int, shard: int, *metrics: str, seed: int = 0) -> Run:
        config = Config(
            model=ModelConfig(name=None, path=str(tiny_model)),
            corpus=CorpusConfig("sample", "conllu", "pkg://attnray/corpus/sample.conllu"),
            store=StoreConfig("none", sample=sample),
            shard=ShardConfig(examples=shard),
            metrics=list(metrics),
            run_dir=str(tmp_path / name),
            seed=seed,
        )
        config.executor.name = "serial"
        config.divergence.examples = 25
        return plan(config, "cpu")

    def diverging(run: Run) -> set[int]:
        (each,) = run.measurements("divergence")
        assert isinstance(each.metric, Divergence)
        return set(filter(each.metric.takes, range(each.examples.size)))

    small = planned("small", 9, 12, "divergence", "coreference")
    large = planned("large", 9, 400, "syntax", "coreference", "divergence")
    other = planned("other", 9, 400, "divergence", "coreference", seed=1)
    whole = planned("whole", 10**6, 12, "divergence", "coreference")
    assert len(small.manifest.sets) == len(large.manifest.sets) == 2
    assert sampled(small) == sampled(large)
    assert [len(each) for each in sampled(small).values()] == [9, 9]
    assert diverging(small) == diverging(large)
    assert len(diverging(small)) == 25
    assert diverging(small) != diverging(other)
    assert sampled(small) != sampled(other)
    assert small.stored_shards == sorted(small.manifest.samples.values())
    for examples in whole.manifest.sets:
        assert sorted(sampled(whole)[examples.key]) == [*range(examples.size)]
        for index, words in sampled(small)[examples.key].items():
            assert sampled(whole)[examples.key][index] == words
