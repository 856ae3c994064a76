"""The run folder: where everything of a run lies, and how a piece of it is committed.

A marker in `done/` is written last, by replace, so a piece either has its marker and is whole,
or does not count. The same inputs give the same bytes: writing a piece again is harmless.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class RunFolder:
    """A local run folder.

    Pieces are named by stage and shard number, as in `done/STAGE/00000.json`.
    """

    path: Path

    @property
    def manifest(self) -> Path:
        """The frozen plan."""
        return self.path / "manifest.json"

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / "report.html"

    def shard(self, shard: int) -> Path:
        """The examples of a shard, as planned."""
        return self.path / "shards" / f"{shard:05}.parquet"

    def attention(self, shard: int) -> Path:
        """The attention of a shard: a Zarr group."""
        return self.path / "attention" / f"{shard:05}.zarr"

    def partial(self, metric: str, shard: int) -> Path:
        """What a metric found in a shard."""
        return self.path / "partials" / metric / f"{shard:05}.parquet"

    def table(self, name: str) -> Path:
        """A table of the contract."""
        return self.path / "tables" / f"{name}.parquet"

    def figure(self, name: str) -> Path:
        """A figure."""
        return self.path / "figures" / f"{name}.svg"

    def marker(self, stage: str, shard: int) -> Path:
        """The marker that says that a stage of a shard is done."""
        return self.path / "done" / stage / f"{shard:05}.json"

    def commit(self, stage: str, shard: int, identity: str, outputs: list[Path]) -> None:
        """Write the marker of a finished piece: its fingerprint, sizes and checksums."""
        files = {
            str(file.relative_to(self.path)): {"size": file.stat().st_size, "sha256": sha256(file)}
            for output in outputs
            for file in _files(output)
        }
        write_json(self.marker(stage, shard), {"fingerprint": identity, "files": files})

    def done(self, stage: str, shard: int, identity: str) -> bool:
        """Whether a piece is whole, and made from what `identity` stands for.

        Sizes are compared here; the contents have checksums of their own, checked on reading.
        """
        try:
            marker = read_json(self.marker(stage, shard))
        except ValueError:  # cut short by something other than us: the piece is not done
            return False
        if marker is None or marker.get("fingerprint") != identity:
            return False
        sizes = {name: file["size"] for name, file in marker["files"].items()}
        return all(_size(self.path / name) == size for name, size in sizes.items())


def fingerprint(content: Mapping[str, object]) -> str:
    """A short name of what decides a piece's bytes."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of a JSON file; None where there is none."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return content


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file, whole or not at all."""
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file, checking its checksums.

    Raises:
        OSError: the file is missing or damaged.
    """
    return pq.read_table(path, columns=columns, page_checksum_verification=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, for a file or a folder, that replaces it at the end.

    What earlier writers of the same path left behind when they were killed is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{path.name}.*"):
        _remove(leftover)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield temporary
        if temporary.is_dir():
            _remove(path)
        os.replace(temporary, path)
    finally:
        _remove(temporary)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _files(output: Path) -> list[Path]:
    return sorted(p for p in output.rglob("*") if p.is_file()) if output.is_dir() else [output]


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
