"""Fused runs: the tables and cases of a float32 store, and a sample of examples that is kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import attnray
from attnray.errors import InputError
from attnray.interface.opened import Run
from attnray.metrics.registry import METRICS
from attnray.model.pieces import TokenRole
from attnray.reading import RunReader
from attnray.report.examples import candidates, choose
from attnray.stages.planned import CONTROLS
from tests.builders.gap_corpus import written
from tests.builders.jobs import SMALL, kill_when, markers, refusal, succeed, tables
from tests.builders.masked_lm import saved
from tests.builders.once import Once

PASSAGES, KEPT = 12, 9
KINDS = ("sentence", "document")
#: Weights of another batch differ by a few roundings.
CLOSE = 2e-6


@pytest.fixture(scope="module")
def model(tiny_model: Path, once: Once) -> Path:
    """A checkpoint that every metric can be taken of."""
    return once("fused-model", lambda folder: saved(tiny_model, folder / "lm")) / "lm"


@pytest.fixture(scope="module")
def settings(model: Path, once: Once) -> tuple[str, ...]:
    """Every metric and a twin: GAP's passages serve coreference; any head looks like `next`."""
    passages = once("fused-gap", lambda folder: written(folder / "gap.tsv", PASSAGES))
    return (
        f"model.path={model}",
        "corpus.limit=12",
        "corpora.coreference=gap",
        f"corpora.coreference.path={passages / 'gap.tsv'}",
        "max_tokens=60",
        "divergence.examples=20",
        "behaviour.next=0.001",
        "controls=random",
        f"store.sample={KEPT}",
        *SMALL,
    )


@pytest.fixture(scope="module")
def stored(settings: tuple[str, ...], once: Once) -> Path:
    """A serial run that measures its store."""
    run = ("executor=serial", "store=float32", *settings)
    return once("fused-stored", lambda folder: succeed("run", f"run_dir={folder}", *run))


@pytest.fixture(scope="module")
def fused(settings: tuple[str, ...], once: Once) -> Path:
    """A serial run without a store."""
    run = ("executor=serial", "store=none", *settings)
    return once("fused", lambda folder: succeed("run", f"run_dir={folder}", *run))


@pytest.fixture
def copied(fused: Path, tmp_path: Path) -> Path:
    """A copy of the run without a store, times of files included."""
    return Path(shutil.copytree(fused, tmp_path / "copied"))


def twin(run_dir: Path) -> Path:
    return run_dir / CONTROLS / "random"


def found(run_dir: Path) -> dict[str, bytes]:
    """What was found in the shards of a run and its twin: partials, and cases."""
    return {
        str(path.relative_to(run_dir)): path.read_bytes()
        for folder in (run_dir, twin(run_dir))
        for kind in ("partials", "cases")
        for path in (folder / kind).rglob("*.parquet")
    }


def measured(run_dir: Path) -> dict[str, int]:
    """The markers of all metrics."""
    return {
        f"{metric}/{name}": time
        for metric in METRICS
        for name, time in markers(run_dir, f"analyse-{metric}").items()
    }


def readers(run_dir: Path) -> list[Run]:
    return [attnray.open(str(run_dir), kind=kind) for kind in KINDS]


def kept(run_dir: Path) -> list[dict[int, np.ndarray]]:
    """The attention of the sample of each kind of examples, by their numbers."""
    return [{n: reader[n].attention() for n in reader.stored} for reader in readers(run_dir)]


def assert_same_kept(run_dir: Path, other: Path) -> None:
    for ours, theirs in zip(kept(run_dir), kept(other), strict=True):
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[number], theirs[number]) for number in ours)


# What is found


def test_tables_and_cases_are_those_of_a_store(fused: Path, stored: Path) -> None:
    expected = tables(stored)
    names = {f"{name}.parquet" for metric in METRICS.values() for name in metric.rows}
    assert names | {"heads.parquet", "corpus.parquet"} == expected.keys()
    assert tables(fused) == expected
    assert {path.split("/")[-2] for path in found(fused)} == METRICS.keys()
    assert found(fused) == found(stored)


def test_what_is_kept_is_a_sample_of_every_kind_of_examples(fused: Path, stored: Path) -> None:
    for each in (fused, twin(fused)):
        folders = sorted(path.name for path in (each / "attention").iterdir())
        assert len(folders) == len(KINDS)
        assert [f"{name[:5]}.json" for name in folders] == sorted(markers(each, "extract"))
    for sample, whole in zip(readers(fused), readers(stored), strict=True):
        assert len(sample) == len(whole) > KEPT == len(sample.stored)
        assert whole.stored == list(range(len(whole)))
        for number in sample.stored:
            assert sample[number].words == whole[number].words
            ours, theirs = sample[number].attention(), whole[number].attention()
            assert np.allclose(ours, theirs, rtol=0, atol=CLOSE)
            words = sample[number].attention(layer=2, head=1, words=True)
            assert words.shape == (len(whole[number].words),) * 2


def test_killed_it_goes_on_with_two_extractors_to_the_same_bits(
    fused: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "killed"
    overrides = (f"run_dir={run_dir}", "store=none", *settings)
    job = ("run", "executor=serial", *overrides)
    kill_when(lambda: len(markers(run_dir, "analyse-syntax")) > 1, *job)
    before = measured(run_dir)
    actors = ("executor=ray", "executor.extractors=2", "executor.cpus_per_extractor=0.5")
    succeed("run", *actors, *overrides)
    assert tables(run_dir) == tables(fused)
    assert found(run_dir) == found(fused)
    assert before.items() <= measured(run_dir).items()
    assert_same_kept(run_dir, fused)


def test_one_extractor_of_ray_gives_the_same_bits(
    fused: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    actors = ("executor=ray", "executor.extractors=1")
    succeed("run", *actors, f"run_dir={run_dir}", "store=none", *settings)
    assert tables(run_dir) == tables(fused)
    assert_same_kept(run_dir, fused)
    figures, expected = ((each / "figures").iterdir() for each in (run_dir, fused))
    assert {p.name: p.read_bytes() for p in figures} == {p.name: p.read_bytes() for p in expected}


def test_with_a_store_everything_is_kept_and_can_be_measured_from_it(
    stored: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "both"
    overrides = ("executor=serial", f"run_dir={run_dir}", "store=float32", *settings)
    succeed("run", "analysis=fused", *overrides)
    assert tables(run_dir) == tables(stored)
    assert_same_kept(run_dir, stored)
    extracted, before = markers(run_dir, "extract"), measured(run_dir)
    # Here the two ways find the same, but what is coded otherwise is not what the model gave.
    succeed("run", "analysis=workers", *overrides)
    after = measured(run_dir)
    assert before.keys() == after.keys()
    assert not before.items() & after.items()
    assert markers(run_dir, "extract") == extracted
    assert tables(run_dir) == tables(stored)


# What follows


def test_compared_with_its_twin_it_is_as_a_run_with_a_store(
    fused: Path, stored: Path, tmp_path: Path
) -> None:
    pages = []
    for run_dir in (fused, stored):
        pages.append(tmp_path / run_dir.name)
        succeed("compare", f"runs=[{run_dir}]", f"run_dir={pages[-1]}")
    assert tables(pages[0]) == tables(pages[1])
    assert {"differences.parquet", "behaviours_by_depth.parquet"} < tables(pages[0]).keys()


def test_a_sweep_is_as_one_with_stores(model: Path, tmp_path: Path) -> None:
    models = ("-m", f"model={model},{model}-random-1", "corpus=sample", "corpus.limit=6")
    said = (*models, "executor=serial", "metrics=[patterns,syntax]", *SMALL)
    for store in ("none", "float32"):
        succeed("run", *said, f"store={store}", f"run_dir={tmp_path / store}")
    found = [
        {
            path.name.split("-sample")[0]: tables(path)
            for path in (tmp_path / store / "runs").iterdir()
        }
        for store in ("none", "float32")
    ]
    assert found[0].keys() == {"lm", "lm-random-1"}
    assert found[0] == found[1]
    assert tables(tmp_path / "none") == tables(tmp_path / "float32")


def test_another_setting_passes_through_the_model_again(
    copied: Path, stored: Path, tmp_path: Path
) -> None:
    changed = (f"run_dir={copied}", "merge=max", "executor=serial")
    line = refusal("analyse", *changed, status=1)
    assert "extract.py`" in line
    before, kept_before = measured(copied), markers(copied, "extract")
    succeed("extract", *changed)
    succeed("reduce", *changed)
    again = {name for name, time in measured(copied).items() if before[name] != time}
    assert {name.split("/")[0] for name in again} == {"syntax", "coreference", "gap"}
    assert markers(copied, "extract") == kept_before
    other = Path(shutil.copytree(stored, tmp_path / "stored"))
    for stage in ("analyse", "reduce"):
        succeed(stage, f"run_dir={other}", "merge=max", "executor=serial")
    assert tables(copied) == tables(other)
    assert tables(copied) != tables(stored)


def test_one_more_metric_leaves_the_others_and_the_sample_alone(
    fused: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    overrides = ("executor=serial", f"run_dir={run_dir}", "store=none", *settings)
    succeed("run", "metrics=[patterns]", *overrides)
    before, extracted = measured(run_dir), markers(run_dir, "extract")
    assert {name.split("/")[0] for name in before} == {"patterns"}
    assert len(extracted) == 1
    succeed("run", *overrides)
    assert before.items() <= measured(run_dir).items()
    assert extracted.items() <= markers(run_dir, "extract").items()
    assert tables(run_dir) == tables(fused)
    assert_same_kept(run_dir, fused)


def test_single_maps_are_drawn_from_the_sample(fused: Path) -> None:
    reader = RunReader(fused, role="patterns")
    among = candidates(reader)
    assert among
    assert {each.index for each in among} <= set(reader.stored)
    shown = choose(among, lambda each: int((each.roles == TokenRole.PUNCTUATION).sum()))
    assert shown is not None
    drawn = (fused / "figures" / "behaviours.svg").read_text()
    assert all(f">{token}<" in drawn for token in shown.tokens if token.isalnum())


def test_without_a_sample_there_are_no_single_maps(model: Path, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    settings = (f"model.path={model}", "corpus.limit=3", "metrics=[patterns]", *SMALL)
    nothing = ("store=none", "store.sample=0", "behaviour.next=0.001")
    succeed("run", "executor=serial", f"run_dir={run_dir}", *nothing, *settings)
    assert attnray.open(str(run_dir)).stored == []
    assert not (run_dir / "attention").exists()
    assert not (run_dir / "figures" / "behaviours.svg").exists()


# What is refused


@pytest.mark.parametrize("kind", KINDS)
def test_attention_outside_the_sample_is_refused(kind: str, fused: Path) -> None:
    reader = attnray.open(str(fused), kind=kind)
    outside = sorted(set(range(len(reader))) - set(reader.stored))
    assert outside
    for number in outside[:2]:
        stored = reader[number]
        assert stored.words
        with pytest.raises(InputError) as refused:
            stored.attention(layer=1)
        said = str(refused.value)
        assert str(fused) in said
        assert f"example {number} was not kept" in said
        assert f"keeps {KEPT}" in said
        assert "store=log16" in said


def test_a_figure_of_an_example_outside_the_sample_is_refused(copied: Path) -> None:
    reader = attnray.open(copied, role="patterns")
    (outside, *_) = sorted(set(range(len(reader))) - set(reader.stored))
    line = refusal("report", f"run_dir={copied}", f"examples=[{outside}]")
    assert f"example {outside} was not kept" in line


def test_probes_are_refused(copied: Path, tmp_path: Path) -> None:
    same = "pkg://attnray/corpus/sample.conllu"
    train = ("corpora.train=conllu", f"corpora.train.path='{same}'", "corpora.train.limit=2")
    asked = ("executor=serial", "store=none", "metrics=[probes]", *train)
    for line in (
        refusal("run", f"run_dir={tmp_path / 'run'}", *asked),
        refusal("probe", f"run_dir={copied}"),
    ):
        assert "metrics=[probes]" in line
        assert "stored attention" in line
        assert "store=log16" in line
    assert not (tmp_path / "run").exists()
