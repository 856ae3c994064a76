"""controls=random and several lengths in one run: the same tables as runs of each alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.builders.jobs import SMALL, kill_when, markers, read_table, refusal, succeed, tables
from tests.builders.once import Once


@pytest.fixture(scope="module")
def settings(tiny_model: Path) -> tuple[str, ...]:
    return (
        f"model.path={tiny_model}",
        "corpus.limit=6",
        "metrics=[patterns,coreference]",
        "seed=1",
        *SMALL,
    )


@pytest.fixture(scope="module")
def controlled(settings: tuple[str, ...], once: Once) -> Path:
    """A run with its random twin and two lengths."""

    def make(folder: Path) -> None:
        both = ("controls=random", "max_tokens=[64,128]")
        succeed("run", "executor=serial", f"run_dir={folder / 'run'}", *both, *settings)

    return once("controlled", make) / "run"


def rows(run_dir: Path, table: str, **wanted: object) -> pa.Table:
    content = read_table(run_dir, table)
    for column, value in wanted.items():
        content = content.filter(pc.field(column) == value)
    return content


def test_the_rows_of_the_twin_are_those_of_the_random_model_alone(
    controlled: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    random = ("model.random_init=true", "max_tokens=[64,128]")
    succeed("run", "executor=serial", f"run_dir={alone}", *random, *settings)
    for table in ("patterns", "coreference", "coreference_baselines", "corpus"):
        twin = rows(controlled, table, model="tiny-random-1")
        assert len(twin) == len(rows(controlled, table, model="tiny")) > 0
        assert twin.equals(rows(alone, table))
    values = [rows(controlled, "patterns", model=m)["value"] for m in ("tiny", "tiny-random-1")]
    assert values[0] != values[1]


def test_the_rows_of_a_length_are_those_of_a_run_at_that_length(
    controlled: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    totals = []
    for length in (64, 128):
        alone = tmp_path / str(length)
        succeed("run", "executor=serial", f"run_dir={alone}", f"max_tokens={length}", *settings)
        for table in ("coreference", "coreference_baselines"):
            of_length = rows(controlled, table, model="tiny", max_tokens=length)
            assert of_length.equals(rows(alone, table))
            totals.append(max(of_length["total"].to_pylist()))
    assert totals[0] < totals[-1]


def test_killed_in_the_twin_it_goes_on_to_the_same_tables(
    controlled: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "killed"
    twin = run_dir / "controls" / "random"
    overrides = (f"run_dir={run_dir}", "controls=random", "max_tokens=[64,128]", *settings)
    kill_when(lambda: len(markers(twin, "extract")) > 0, "run", "executor=serial", *overrides)
    kept = markers(twin, "extract")
    succeed("run", "executor=ray", *overrides)
    assert tables(run_dir) == tables(controlled)
    assert kept.items() <= markers(twin, "extract").items()


def test_a_run_gets_its_twin_later_without_being_done_again(
    controlled: Path, settings: tuple[str, ...], tmp_path: Path
) -> None:
    run_dir = tmp_path / "later"
    shutil.copytree(controlled, run_dir)
    shutil.rmtree(run_dir / "controls")
    before = markers(run_dir, "extract")
    lacking = refusal("reduce", f"run_dir={run_dir}", "controls=random")
    assert "no plan for controls=random" in lacking
    succeed(
        "run",
        "executor=serial",
        f"run_dir={run_dir}",
        "controls=random",
        "max_tokens=[64,128]",
        *settings,
    )
    assert markers(run_dir, "extract") == before
    assert tables(run_dir) == tables(controlled)
