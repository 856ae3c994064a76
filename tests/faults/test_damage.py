"""Bytes of a run are flipped, cut and lost: no reader takes them for what was written."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from attnray.config import planned, typed
from attnray.errors import Damaged, InputError
from attnray.metrics.registry import METRICS
from attnray.stages.planned import existing
from attnray.stages.verify import broken
from attnray.store import committed
from attnray.store.folder import REPORT, RunFolder
from attnray.store.manifest import Manifest
from attnray.store.run import Run
from tests.builders.jobs import succeed, tables
from tests.builders.trial import chosen


@dataclass(frozen=True)
class Damage:
    """What befalls a file: `number` says which one, and where in it."""

    how: str
    number: int

    def of(self, content: bytes) -> bytes | None:
        """What is left of a content, None where it is removed."""
        if self.how == "flipped":
            place = random.Random(self.number).randrange(8 * len(content))
            changed = bytearray(content)
            changed[place // 8] ^= 1 << place % 8
            return bytes(changed)
        return {"removed": None, "emptied": b"", "cut": content[: len(content) // 2]}[self.how]


FLIPS = [Damage("flipped", number) for number in range(2000)]
LOSSES = [Damage(("removed", "emptied", "cut")[number % 3], number) for number in range(200)]


@pytest.fixture(scope="module")
def run(undisturbed: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of which a file after the other is damaged and put back."""
    folder = RunFolder(shutil.copytree(undisturbed, tmp_path_factory.mktemp("damaged") / "run"))
    manifest = Manifest.read(folder)
    assert manifest is not None
    return existing(folder, typed(planned(manifest.config)), manifest)


@pytest.mark.parametrize("cases", [chosen(FLIPS, 60), chosen(LOSSES, 12)], ids=["flips", "losses"])
def test_no_reader_takes_it_for_what_was_written(run: Run, cases: Sequence[Damage]) -> None:
    names = [name for name in run.folder.medium.sizes("") if not name.startswith("log")]
    for case in cases:
        name = random.Random(f"{case}").choice(names)
        with damaged(Path(run.folder.root, name), case):
            assert refused(run, name), f"{name}, {case}: taken for what was written"
            if name != "manifest.json":
                found = [error.name for error in broken(run)]
                assert found == [name], f"{name}, {case}: found {found}"
    assert [*broken(run)] == []


@contextmanager
def damaged(path: Path, case: Damage) -> Iterator[None]:
    """A file is damaged for a while; what was known of it is forgotten, as by a new process."""
    whole = path.read_bytes()
    left = case.of(whole)
    committed._sha256.cache_clear()
    if left is None:
        path.unlink()
    else:
        path.write_bytes(left)
    yield
    path.write_bytes(whole)
    committed._sha256.cache_clear()


def refused(run: Run, name: str) -> bool:
    """Whether what reads a file of a run, as jobs do, refuses it."""
    try:
        read(run, name)
    except (Damaged, InputError):
        return True
    return False


def read(run: Run, name: str) -> object:
    """Read a file of a run as jobs do."""
    folder, number = run.folder, int((re.search(r"\d{5}", name) or "0")[0])
    match name.split("/"):
        case ["manifest.json"]:
            if Manifest.read(folder) is None:
                raise Damaged(str(folder), name, "missing")
        case ["shards", _]:
            return folder.examples(*run.manifest.shard(number))
        case ["attention", *_]:
            reader = folder.attention(number)
            examples = range(len(reader.offsets) - 1)
            return [*map(reader.read, examples), *reader.scan([(0, len(examples))])]
        case ["partials", metric, _]:
            return folder.partial(metric, METRICS[metric].partial, number)
        case ["cases", metric, _]:
            return folder.cases(metric, number)
        case ["tables", table] if table.endswith(".parquet"):
            return folder.table(table.removesuffix(".parquet"))
        case ["done", stage, _]:
            return folder.listed(stage, number)
        case _:  # figures and the page are read by no job: they are looked at when it starts
            for error in folder.broken_of(REPORT, 0):
                raise error
    return None


def test_what_is_damaged_in_many_places_is_made_again(run: Run, undisturbed: Path) -> None:
    names = [name for name in run.folder.medium.sizes("") if not name.startswith("log")]
    names.remove("manifest.json")
    for case in [*FLIPS[:20], *LOSSES[:6]]:
        path = Path(run.folder.root, random.Random(f"{case}").choice(names))
        if path.exists() and (content := path.read_bytes()):
            if (left := case.of(content)) is None:
                path.unlink()
            else:
                path.write_bytes(left)
    succeed("verify", "--repair", str(run.folder))
    assert tables(Path(run.folder.root)) == tables(undisturbed)
