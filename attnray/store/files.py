"""Files on disk: written whole or not at all, read with their checksums."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def fingerprint(content: Mapping[str, object]) -> str:
    """A short name of an identity: of what decides some bytes."""
    return _fingerprint([_canonical(content)])


@dataclass(frozen=True)
class Form:
    """An identity without what stands under one of its keys; gives its fingerprint with that.

    Of a hundred thousand identities that differ in a checksum, the rest is written out once.
    """

    before: str
    after: str

    @classmethod
    def of(cls, content: Mapping[str, object], key: str) -> Form:
        """The form of an identity to which `key` is to be added."""
        first = {name: value for name, value in content.items() if name < key}
        last = {name: value for name, value in content.items() if name > key}
        before = f"{_canonical(first)[:-1]}{',' if first else ''}{json.dumps(key)}:"
        return cls(before, f",{_canonical(last)[1:]}" if last else "}")

    def filled(self, value: str) -> str:
        """The fingerprint with a text under the key."""
        return _fingerprint([self.before, json.dumps(value), self.after])

    def listing(self, values: Iterable[str]) -> str:
        """The fingerprint with a list of texts under the key; they are not held together."""
        listed = (f"{',' if place else ''}{json.dumps(v)}" for place, v in enumerate(values))
        return _fingerprint(chain([f"{self.before}["], listed, [f"]{self.after}"]))


def _canonical(content: Mapping[str, object]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _fingerprint(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    return digest.hexdigest()[:16]


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
    """Write a JSON file, whole or not at all; any sequence becomes a list."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, default=_Listed)
        file.write("\n")


class _Listed(list[Any]):
    """A sequence as JSON writes a list, one item after another: no list of all is made."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)


def write_text(path: Path, text: str) -> None:
    """Write a file of text, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file, whole or not at all."""
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet file, checking its checksums.

    Raises:
        OSError: the file is missing or damaged.
    """
    # pq.read_table makes a data set of the one file first, and starts threads: both take as long
    # as reading a small file does.
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read(columns, use_threads=False)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, for a file or a folder, that replaces it at the end.

    What earlier writers of the same path left behind when they were killed is removed. It lies
    in a folder of this path: to look for it among those of all shards would take ever longer.
    """
    writers = path.with_name(f".{path.name}.writing")
    with suppress(FileNotFoundError):
        for leftover in os.listdir(writers):
            _remove(writers / leftover)
    own = _entered(writers)
    temporary = own.with_suffix(".new")
    try:
        yield temporary
        if temporary.is_dir():
            _remove(path)
        os.replace(temporary, path)
    finally:
        _remove(temporary)
        _remove(own)
        with suppress(OSError):  # another writer is there
            writers.rmdir()


def _entered(writers: Path) -> Path:
    """Make an empty file in a folder, for which nobody removes it: another writer may be about to.

    (Another one of the same path removes the file first, and what is written beside it.)
    """
    own = writers / uuid.uuid4().hex
    while True:
        with suppress(FileExistsError):
            writers.mkdir(parents=True)
        with suppress(FileNotFoundError):
            own.touch()
            return own


def files_under(path: Path) -> list[Path]:
    """The files of a folder and those below it, or the file itself."""
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
