"""What files hold: fingerprints and checksums of it, JSON that carries its own, Parquet."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

#: Rises when what is written to a run folder changes its form. Without one stand files of 0.1.0.
FORMAT = 5


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


class Checksum(NamedTuple):
    """What a file must hold: its size in bytes, and its sha256 in hexadecimal."""

    size: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> Checksum:
        """That of a content."""
        return cls(len(content), hashlib.sha256(content).hexdigest())

    @classmethod
    def of_file(cls, path: Path) -> Checksum:
        """That of a file here."""
        return cls(path.stat().st_size, sha256(path))


def sha256(path: Path) -> str:
    """The sha256 of a file here, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


#: What stands before and behind the checksum at the end of a sealed file.
_SEAL, _END = b',\n "sha256": "', b'"\n}\n'


def sealed(content: Mapping[str, object]) -> bytes:
    """An object as JSON that ends with the checksum of all before; any sequence becomes a list.

    Args:
        content: what is in it, of which a number `format`.
    """
    text = io.StringIO()
    json.dump(content, text, indent=1, default=_Listed)
    body = text.getvalue().removesuffix("\n}").encode()
    return b"".join([body, _SEAL, hashlib.sha256(body).hexdigest().encode(), _END])


def unsealed(text: bytes) -> dict[str, Any]:
    """The object of a sealed file; or of one without a `format`, as there were before seals.

    Raises:
        ValueError: it is not as it was written.
    """
    body, _, seal = text.rpartition(_SEAL)
    whole = seal == hashlib.sha256(body).hexdigest().encode() + _END
    content = json.loads(body + b"\n}" if whole else text)
    if not isinstance(content, dict) or ({"format", "sha256"} & content.keys() and not whole):
        raise ValueError("it does not hold what was written")
    return content


class _Listed(list[Any]):
    """A sequence as JSON writes a list, one item after another: no list of all is made."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)


def parquet(table: pa.Table) -> bytes:
    """A table as a Parquet file."""
    file = pa.BufferOutputStream()
    pq.write_table(table, file, compression="zstd", write_page_checksum=True)
    return bytes(file.getvalue().to_pybytes())


def from_parquet(content: bytes, columns: list[str] | None = None) -> pa.Table:
    """The table of a Parquet file, or some of its columns."""
    # pq.read_table makes a data set of the one file first, and starts threads: both take as long
    # as reading a small file does.
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        return file.read(columns, use_threads=False)
