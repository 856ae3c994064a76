"""The choices of store beside files of NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from attnray.config import StoreConfig
from attnray.metrics.groups import Group
from attnray.store.codecs import CODECS, Codec
from attnray.store.folder import RunFolder
from attnray.store.maps import StoredMaps, Storing
from attnray.store.media.local import LocalMedium
from measures.held import Held
from measures.subject import Subject
from measures.timing import Part, Row, Timed, alternated, unprepared

Array = NDArray[np.float32]
NUMPY = "NumPy float16"
#: So many times the weights that a slow side takes.
MORE = 8


def stores(subject: Subject) -> Iterator[Row]:
    """Size, writing, reading, and reading one head of one example, in turn for every choice."""
    held = Held(subject, MORE * subject.cells)
    part = Part("store", subject.name, "weights read back, with codes made in memory")
    folder = subject.scratch / "stores"
    kinds: dict[str, _Zarr | _NumPy] = {NUMPY: _NumPy(folder / "numpy", held)}
    kinds |= {name: _Zarr(folder / name, held, codec) for name, codec in CODECS.items()}
    timed: dict[str, dict[str, Timed[Any]]] = {}
    for step in ("write", "read", "one head"):
        works = {name: getattr(kind, step.replace(" ", "_")) for name, kind in kinds.items()}
        sides = {name: unprepared(work) for name, work in works.items()}
        timed[step] = alternated(sides, subject.rounds, warm=subject.warm)
    for name, kind in kinds.items():
        for place, expected in enumerate(kind.expected()):
            part.same(name, {str(place): kind.whole(place)}, {str(place): expected})
    weights = held.heads[0] * held.heads[1] * sum(e.cells for e in held.examples)
    for name, kind in kinds.items():
        size = sum(LocalMedium(kind.folder).sizes("").values())
        yield replace(part, clock="").row(f"{name}: size", [size / weights], "bytes/weight")
    for step, by_kind in timed.items():
        plain = by_kind[NUMPY]
        if step == "one head":
            each = [s / len(held.examples) * 1e3 for s in plain.seconds]
            yield part.row(f"{NUMPY}: {step}", each, "ms")
        else:
            yield part.row(f"{NUMPY}: {step}", plain.rate(weights / 1e6), "M weights/s")
        for name in CODECS:
            yield part.row(f"{step}: {name} / {NUMPY}", by_kind[name].against(plain))


class _Zarr:
    """A store of some codec."""

    def __init__(self, folder: Path, held: Held, codec: Codec) -> None:
        self.folder = folder
        self._held = held
        self._codec = codec
        self._run = RunFolder(folder)

    def write(self) -> None:
        """Write everything."""
        lengths = [example.length for example in self._held.examples]
        config = StoreConfig(self._codec.name)
        with self._run.storing(0, "", lengths, self._held.heads, config) as writer:
            storing = Storing(writer, self._codec, self._held.heads)
            self._held.feed(storing.add)
            storing.finish()

    def read(self) -> None:
        """Read everything."""
        reader = self._run.attention(0)
        StoredMaps(reader, self._held.examples).feed(lambda *_: None)

    def one_head(self) -> None:
        """Read one head of every example."""
        reader = self._run.attention(0)
        for place in range(len(self._held.examples)):
            reader.read(place, 1, 1)

    def whole(self, place: int) -> Array:
        """What it has of an example: (layer, head, query, key)."""
        return self._run.attention(0).read(place)

    def expected(self) -> Iterator[Array]:
        """What it should have of each example."""
        for example, maps in zip(self._held.examples, self._held.plain, strict=True):
            alone = Group(0, [example])
            codes = [self._codec.codes(torch.from_numpy(layer[None]), alone) for layer in maps]
            yield self._codec.decode(np.stack(codes)).reshape(maps.shape)


class _NumPy:
    """A file of float16 for each example."""

    def __init__(self, folder: Path, held: Held) -> None:
        self.folder = folder
        self._held = held
        folder.mkdir(parents=True)

    def write(self) -> None:
        """Write everything."""
        for place, maps in enumerate(self._held.plain):
            np.save(self._file(place), maps.astype(np.float16))

    def read(self) -> None:
        """Read everything."""
        for place in range(len(self._held.examples)):
            self.whole(place)

    def one_head(self) -> None:
        """Read one head of every example."""
        for place in range(len(self._held.examples)):
            np.load(self._file(place), mmap_mode="r")[1, 1].astype(np.float32)

    def whole(self, place: int) -> Array:
        """What it has of an example: (layer, head, query, key)."""
        return np.asarray(np.load(self._file(place)).astype(np.float32))

    def expected(self) -> Iterator[Array]:
        """What it should have of each example: the same as the float16 store."""
        return (maps.astype(np.float16).astype(np.float32) for maps in self._held.plain)

    def _file(self, place: int) -> Path:
        return self.folder / f"{place}.npy"
