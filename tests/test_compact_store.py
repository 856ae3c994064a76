"""`store=compact` on real attention: how small it is, and that it moves no figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from attnray.store.attention import AttentionReader
from attnray.store.folder import RunFolder
from tests.builders import shared_runs
from tests.builders.compact_codes import off
from tests.builders.once import Once

pytestmark = pytest.mark.shared

#: The goals: bytes a weight, and by how much an accuracy of all cases may move.
BYTES, MOVED = 1.0, 0.001
RUNS = {"ewt": shared_runs.ewt_third, "gum": shared_runs.gum_dev}
#: The column that says what cases are of.
ITEMS = {"syntax": "relation", "coreference": "mention_type"}


@pytest.fixture(scope="module", params=RUNS)
def runs(request: pytest.FixtureRequest, shared: Path, once: Once) -> tuple[Path, Path]:
    """The folders of a run with exact weights, and of the same with compact ones."""
    run = RUNS[request.param]
    return run(shared, once, "float32"), run(shared, once, "compact")


def stores(run: Path) -> list[AttentionReader]:
    numbers = (int(path.stem) for path in sorted((run / "attention").glob("*.zarr")))
    return [RunFolder(run).attention(number) for number in numbers]


def test_a_weight_takes_less_than_a_byte(runs: tuple[Path, Path]) -> None:
    _, compact = runs
    files = [path for path in (compact / "attention").rglob("*") if path.is_file()]
    weights = sum(np.prod(store.heads) * store.offsets[-1] for store in stores(compact))
    assert sum(file.stat().st_size for file in files) <= BYTES * weights


def test_no_accuracy_moves(runs: tuple[Path, Path]) -> None:
    names = [name for name in ITEMS if (runs[0] / "tables" / f"{name}.parquet").is_file()]
    assert "syntax" in names
    for name in names:
        paths = (run / "tables" / f"{name}.parquet" for run in runs)
        exact, compact = (pq.read_table(path, partitioning=None) for path in paths)
        assert exact.drop_columns(["correct", "accuracy", "ci_low", "ci_high"]).equals(
            compact.drop_columns(["correct", "accuracy", "ci_low", "ci_high"])
        )
        moved = np.abs(exact["accuracy"].to_numpy() - compact["accuracy"].to_numpy())
        of_all = np.array(exact[ITEMS[name]].to_pylist()) == "all"
        assert moved[of_all].max() <= MOVED
        assert moved[exact["total"].to_numpy() >= 100].max() <= 5 * MOVED


def test_a_weight_is_off_by_no_more_than_it_may(runs: tuple[Path, Path]) -> None:
    for exact, compact in zip(*map(stores, runs), strict=True):
        for example in range(0, len(exact.offsets) - 1, 40):
            before, after = exact.read(example), compact.read(example)
            assert (before[after == 0] == 0).all()
            there = before >= 2.0**-126
            assert off(before[there], after[there]).max() <= 2
