"""Reduce: what was measured is checked as it is merged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from attnray.config import planned, typed
from attnray.metrics.syntax import RelationRow, Syntax
from attnray.stages import reduce as stage
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest
from attnray.store.run import Run
from tests.builders.jobs import refusal, succeed, tables


def test_a_damaged_partial_is_named_and_made_anew(
    copied: Path, undisturbed: Path, tiny_settings: tuple[str, ...]
) -> None:
    path = max((copied / "partials" / "syntax").iterdir())
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 16
    path.write_bytes(content)
    (copied / "tables" / "syntax.parquet").unlink()
    line = refusal("reduce", f"run_dir={copied}", status=1)
    assert f"{path}: damaged" in line
    succeed("run", "executor=serial", f"run_dir={copied}", *tiny_settings)
    assert tables(copied) == tables(undisturbed)


def opened(folder: Path) -> Run:
    """The run in a folder."""
    manifest = Manifest.read(RunFolder(folder))
    assert manifest is not None
    return Run(RunFolder(folder), typed(planned(manifest.config)), manifest)


def test_tables_are_made_again_where_they_have_other_columns(
    undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = opened(undisturbed)
    before = {metric: run.table_fingerprint(metric) for metric in run.metrics}
    monkeypatch.setattr(Syntax, "rows", {**Syntax.rows, "syntax_more": RelationRow})
    after = {metric: run.table_fingerprint(metric) for metric in run.metrics}
    assert {metric for metric in before if before[metric] != after[metric]} == {"syntax"}


@pytest.mark.parametrize("block", [1, 2, 8, 512])
def test_blocks_of_shards_give_the_same_bits(
    block: int, copied: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spreads: list[list[int]] = []

    def spread(function: Callable[[Any], Any], items: Sequence[Any], /) -> Iterable[Any]:
        spreads.append([len(item.shards) for item in items])
        made = {number: function(item) for number, item in reversed([*enumerate(items)])}
        return [made[number] for number in sorted(made)]

    shutil.rmtree(copied / "tables")
    monkeypatch.setattr(stage, "BLOCK", block)
    stage.reduce(opened(copied), spread)
    expected = tables(undisturbed)
    assert tables(copied) == {name: expected[name] for name in tables(copied)}
    assert {"patterns.parquet", "divergence.parquet", "syntax.parquet"} <= tables(copied).keys()
    assert all(len(sizes) > 1 and {*sizes[:-1]} == {block} for sizes in spreads)
    assert bool(spreads) == (block < 512)
