"""Reduce: what was measured is checked as it is merged."""

from __future__ import annotations

from pathlib import Path

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
    assert f"{path}: missing or damaged (" in line
    path.unlink()
    succeed("run", "executor=serial", f"run_dir={copied}", *tiny_settings)
    assert tables(copied) == tables(undisturbed)
