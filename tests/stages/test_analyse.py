"""Analyse: stored attention is checked as it is read."""

from __future__ import annotations

from pathlib import Path

from tests.builders.jobs import refusal


def test_a_flipped_bit_of_stored_attention_ends_incomplete(
    copied: Path, tiny_settings: tuple[str, ...]
) -> None:
    block = sorted((copied / "attention" / "00002.zarr" / "weights").rglob("0"))[-1]
    content = bytearray(block.read_bytes())
    content[len(content) // 3] ^= 16
    block.write_bytes(content)
    line = refusal("analyse", f"run_dir={copied}", "merge=max", "executor=serial", status=1)
    assert "shard 00002 (analyse)" in line
    assert line.count("shard 0") == 1
