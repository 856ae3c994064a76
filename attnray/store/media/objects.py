"""Run folders on object stores: every file is an object, written whole; nothing is renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from errno import ENOENT
from itertools import chain
from pathlib import Path, PosixPath, PurePosixPath
from typing import TypeVar
from weakref import WeakValueDictionary

import obstore
from obstore.store import ObjectStore

from attnray.store.media.bucket import ask, split
from attnray.store.media.lease import hold, holder
from attnray.store.media.scratch import Scratch

T = TypeVar("T")

#: By this file a driver keeps others away.
LOCK = ".driver"
#: So many bytes of a file are asked for at a time, and so many such requests at once.
CHUNK, AT_ONCE = 8 * 2**20, 8


@dataclass(frozen=True)
class ObjectMedium:
    """See `Medium`; `root` is the address of the run folder, such as `s3://bucket/runs/a`."""

    root: str

    def snapshot(self) -> ObjectMedium:
        """See `Medium.snapshot`."""
        from attnray.store.media.snapshot import Snapshot

        return Snapshot(self.root)

    def where(self, name: str = "") -> str:
        """See `Medium.where`."""
        return f"{self.root}/{name}" if name else self.root

    def read(self, name: str) -> bytes:
        """See `Medium.read`."""

        def begin(store: ObjectStore, key: str) -> tuple[int, bytes]:
            found = obstore.get(store, key)
            size = found.meta["size"]
            return size, bytes(found.bytes()) if size <= CHUNK else b""

        size, content = self._ask(name, begin)
        return content if size <= CHUNK else self.local(name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """See `Medium.write`."""
        self._put(name, content)

    def size(self, name: str) -> int | None:
        """See `Medium.size`."""
        try:
            return self._ask(name, obstore.head)["size"]
        except FileNotFoundError:
            return None

    def sizes(self, under: str) -> dict[str, int]:
        """See `Medium.sizes`."""

        def listed(store: ObjectStore, prefix: str) -> dict[str, int]:
            found = chain.from_iterable(obstore.list(store, prefix=prefix))
            return {each["path"]: each["size"] for each in found}

        start, sizes = len(self._place[1]), self._ask(under, listed)
        return {key[start:]: sizes[key] for key in sorted(sizes)}

    def remove(self, name: str) -> None:
        """See `Medium.remove`."""
        self._remove(self.sizes(name) or [name])

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """See `Medium.making`; the files of a folder take their places one after another."""
        scratch = Scratch()
        try:
            path = scratch.path / PurePosixPath(name).name
            yield path
            made = {name: path}
            if path.is_dir():
                inner = [each for each in path.rglob("*") if each.is_file()]
                made = {f"{name}/{each.relative_to(path).as_posix()}": each for each in inner}
                self._remove(self.sizes(name).keys() - made.keys())
            _at_once(self._put, made.items())
        finally:
            scratch.remove()

    def local(self, name: str) -> Path:
        """See `Medium.local`: a copy, which is there as long as the path that is given."""
        own = PurePosixPath(name)
        for outer in (own, *own.parents):
            if (copy := _COPIES.get(self.where(str(outer)))) is not None:
                return copy if outer == own else copy / own.relative_to(outer)
        sizes = self.sizes(name) or {name: self._ask(name, obstore.head)["size"]}
        copy, pieces = _copy(own.name), []
        for each, size in sizes.items():
            path = copy / PurePosixPath(each).relative_to(own)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            starts = range(0, size, CHUNK)
            pieces += [(each, path, start, min(start + CHUNK, size)) for start in starts]
        _at_once(self._fetch, pieces)
        _COPIES[self.where(name)] = copy
        return copy

    def hold(self) -> AbstractContextManager[None]:
        """See `Medium.hold`: a lease that the driver renews, which ends soon after it."""
        bucket, prefix = self._place
        return hold(bucket, prefix + LOCK, self.where())

    def disk(self) -> None:
        """See `Medium.disk`: an object store has room."""

    def holder(self) -> str | None:
        """See `Medium.holder`: who has the lease, though it may have been killed."""
        bucket, prefix = self._place
        return holder(bucket, prefix + LOCK, self.where())

    @property
    def _place(self) -> tuple[str, str]:
        """The address of the bucket, and what the keys of the run folder begin with."""
        bucket, key = split(self.root)
        return bucket, f"{key}/"

    def _ask(self, name: str, request: Callable[[ObjectStore, str], T]) -> T:
        """What the store answers to a request about a file, which is given its key."""
        bucket, prefix = self._place
        try:
            return ask(bucket, self.where(name), lambda store: request(store, prefix + name))
        except FileNotFoundError as error:
            raise FileNotFoundError(ENOENT, "no such object", self.where(name)) from error

    def _put(self, name: str, content: bytes | Path) -> None:
        # A slow line is not to be shared by so many that each of them takes too long.
        self._ask(name, lambda store, key: obstore.put(store, key, content, max_concurrency=4))

    def _fetch(self, name: str, path: Path, start: int, end: int) -> None:
        """Copy a part of a file."""

        def part(store: ObjectStore, key: str) -> bytes:
            return bytes(obstore.get_range(store, key, start=start, end=end))

        content = self._ask(name, part)
        with path.open("r+b") as file:
            file.seek(start)
            file.write(content)

    def _remove(self, names: Iterable[str]) -> None:
        bucket, prefix = self._place
        keys = [prefix + name for name in names]
        with suppress(FileNotFoundError):
            ask(bucket, self.where(), lambda store: obstore.delete(store, keys))


class _Copy(PosixPath):
    """The path of a copy, which goes with it."""

    scratch: Scratch


#: The copies that this process has, by what they are of.
_COPIES: WeakValueDictionary[str, _Copy] = WeakValueDictionary()


def _copy(name: str) -> _Copy:
    """A path to make a copy at."""
    scratch = Scratch()
    copy = _Copy(scratch.path / name)
    copy.scratch = scratch
    return copy


def _at_once(function: Callable[..., None], items: Iterable[tuple[object, ...]]) -> None:
    """Call a function for some arguments after others, a few at a time; the first error ends it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(function, *each) for each in items]:
            done.result()
