"""An object store as it was found: what is asked about many files is asked of the store at once."""

from __future__ import annotations

from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from errno import ENOENT

from attnray.store.media.objects import ObjectMedium

#: So many files are read ahead, and so many at a time: most of a small file's time is waiting.
AHEAD, AT_ONCE = 512, 32


@dataclass(frozen=True)
class Snapshot(ObjectMedium):
    """Lists each folder of the run folder when it is first asked about it, and reads ahead.

    What is written later is not there for it; what is removed through it is not any more.
    """

    _sizes: dict[str, dict[str, int]] = field(default_factory=dict, init=False, compare=False)
    _ahead: dict[str, bytes] = field(default_factory=dict, init=False, compare=False)
    _read: set[str] = field(default_factory=set, init=False, compare=False)

    def read(self, name: str) -> bytes:
        """See `Medium.read`."""
        if name not in self._listed(name):
            raise FileNotFoundError(ENOENT, "no such object", self.where(name))
        if name not in self._ahead:
            self._read_around(name)
        return self._ahead.pop(name, None) or super().read(name)

    def _read_around(self, name: str) -> None:
        """Read a file with its neighbours, unless that was done before."""
        folder = name[: name.rindex("/") + 1]
        names = [each for each in self._listed(name) if each.startswith(folder)]
        first = bisect_left(names, name) // AHEAD * AHEAD
        if names[first] not in self._read:
            self._read.add(names[first])
            block = names[first : first + AHEAD]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                self._ahead.update(zip(block, pool.map(super().read, block), strict=True))

    def size(self, name: str) -> int | None:
        """See `Medium.size`."""
        return self._listed(name).get(name)

    def remove(self, name: str) -> None:
        """See `Medium.remove`."""
        super().remove(name)
        listed = self._listed(name)
        for each in [each for each in listed if f"{each}/".startswith(f"{name}/")]:
            del listed[each]

    def _listed(self, name: str) -> dict[str, int]:
        """The sizes of the files in the outermost folder that a file lies in, by name."""
        outer = name.partition("/")[0]
        if outer not in self._sizes:
            self._sizes[outer] = self.sizes(outer)
        return self._sizes[outer]
