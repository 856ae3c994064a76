"""The run folder: where everything of a run lies, and how a task's results are committed.

A marker in `done/` is written last, so what a task makes either has its marker and is whole, or
does not count. The same inputs give the same bytes: doing a task again is harmless. What is read is
checked first: against its marker, or against the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import csv

from attnray.config import StoreConfig
from attnray.corpus.example import SCHEMA, Example, from_table, to_table
from attnray.errors import IncompleteRun, InputError
from attnray.metrics.base import Found, Heads, Metric
from attnray.metrics.heads import HEADS
from attnray.metrics.registry import METRICS, PROBES
from attnray.metrics.tree import Leaves, merge
from attnray.store.committed import CommittedFiles, Files, marker_of
from attnray.store.files import FORMAT, Checksum, from_parquet, parquet, sealed, unsealed
from attnray.store.media.base import Medium
from attnray.store.partials import checked, from_partial, to_partial

if TYPE_CHECKING:
    from attnray.store.attention import AttentionReader, AttentionWriter

#: The stage under which the markers of attention lie, and that of the page.
EXTRACT, REPORT = "extract", "report"
#: The table of what was planned, which no metric makes.
CORPUS = "corpus"
#: The frozen plan.
MANIFEST = "manifest.json"
#: The folder of the log.
LOG = "log"


class Shard(NamedTuple):
    """A planned shard: its number, and what its file must hold."""

    number: int
    checksum: Checksum


@dataclass(frozen=True)
class RunFolder(CommittedFiles):
    """A run folder: all that is read from a run and written to it passes through here.

    Most tasks are of the shard of their number. What writes gives what it wrote, for `commit`.
    """

    def as_of_now(self) -> RunFolder:
        """The same, for questions about all its files: see `Medium.snapshot`."""
        return _AsOfNow(self.root)

    # The plan

    @property
    def planned(self) -> bool:
        """Whether it has a plan."""
        return self.medium.size(MANIFEST) is not None

    def read_manifest(self) -> dict[str, Any] | None:
        """The content of the manifest, None where there is none yet.

        Raises:
            InputError: it is damaged.
        """
        try:
            return unsealed(self.medium.read(MANIFEST))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise self.damaged_plan(error) from error

    def damaged_plan(self, error: Exception) -> InputError:
        """That the manifest cannot be read, for this reason."""
        return InputError(
            f"{self.where(MANIFEST)}: damaged ({error}); delete this file and start the run "
            "again with its settings: it is planned again, and keeps what is done"
        )

    @property
    def of_first(self) -> bool:
        """Whether it is a run of 0.1.0, which wrote no marker of the table of the plan."""
        return "format" not in (self.read_manifest() or {"format"})

    def write_manifest(self, content: dict[str, Any]) -> None:
        """Freeze the plan.

        One that is frozen already is left as it is; so is one that cannot be written, where but
        the settings are others now: then all of it may be done.
        """
        text = sealed({"format": FORMAT, **content})
        try:
            frozen = self.medium.read(MANIFEST)
        except FileNotFoundError:
            frozen = b""
        if text == frozen:
            return
        try:
            self.medium.write(MANIFEST, text)
        except OSError:
            if not frozen or _but_settings(unsealed(frozen)) != _but_settings(unsealed(text)):
                raise

    @property
    def shards_written(self) -> int:
        """How many shards are there, planned to the end or not."""
        return len(self.medium.sizes("shards"))

    def examples(self, number: int, checksum: Checksum, spellings: bool = False) -> list[Example]:
        """The examples of a shard, in the order in which its attention is stored.

        Args:
            number: that of the shard.
            checksum: what its file must hold.
            spellings: whether to read those of tokens, which no metric needs.

        Raises:
            Damaged: it holds something else.
        """
        columns = [name for name in SCHEMA.names if spellings or name != "tokens"]
        return from_table(self.example_columns(number, checksum, columns))

    def example_columns(self, number: int, checksum: Checksum, columns: list[str]) -> pa.Table:
        """Some columns of a shard's examples.

        Raises:
            Damaged: its file holds something else.
        """
        return from_parquet(self.read(_shard(number), checksum), columns)

    def write_examples(self, number: int, examples: list[Example]) -> Shard:
        """Write the examples of a shard."""
        return self.write_shard(number, to_table(examples))

    def write_shard(self, number: int, table: pa.Table) -> Shard:
        """Write the examples of a shard, as a table."""
        return self._written(number, parquet(table))

    def copy_shard(self, number: int, other: RunFolder, shard: Shard) -> Shard:
        """Take over a shard of another run, under a number of its own.

        Raises:
            Damaged: its file there holds something else.
        """
        return self._written(number, other.read(_shard(shard.number), shard.checksum))

    def lost(self, shards: Iterable[Shard]) -> list[Shard]:
        """The shards whose files are missing, or of another size."""
        sizes = self.medium.sizes("shards")
        return [each for each in shards if sizes.get(_shard(each.number)) != each.checksum.size]

    def file_of(self, shard: Shard) -> Files:
        """The file of a shard."""
        return {_shard(shard.number): shard.checksum}

    def lacking(self, shard: Shard) -> str:
        """What a message says of a shard whose file is lost."""
        return f"{self.where(_shard(shard.number))}: missing or damaged"

    def inside(self, name: str) -> RunFolder:
        """A run folder in this one."""
        return RunFolder(f"{self.root}/{name}")

    def sized(self, sums: Sequence[str]) -> list[Checksum]:
        """The checksums of shards, by their sha256, with the sizes that their files have."""
        sizes = self.medium.sizes("shards")
        return [Checksum(sizes.get(_shard(n), 0), each) for n, each in enumerate(sums)]

    @contextmanager
    def drafting(self, part: int) -> Iterator[Callable[[pa.Table], None]]:
        """Gives what writes the shards of a part, one after another, before they have numbers."""
        with (
            self.medium.making(_draft(part)) as temporary,
            pa.OSFile(str(temporary), "wb") as file,
            pa.ipc.new_file(file, SCHEMA) as writer,
        ):
            yield writer.write_table

    def drafted(self, part: int) -> Iterator[pa.Table]:
        """The shards of a part that were written so."""
        path = self.medium.local(_draft(part))
        with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
            for number in range(reader.num_record_batches):
                yield pa.Table.from_batches([reader.get_batch(number)])

    def remove_drafts(self) -> None:
        """Remove what was written of parts."""
        self.medium.remove("drafts")

    # What tasks find

    def attention(self, shard: int) -> AttentionReader:
        """The attention of a shard, whose files are checked as they are used.

        Raises:
            Damaged: a file of it is missing, or holds something else.
        """
        from attnray.store.attention import AttentionReader

        name, files = _attention(shard), self.listed(EXTRACT, shard)
        try:
            path = self.medium.local(name)
        except FileNotFoundError as error:
            raise self.missing(name) from error
        return AttentionReader(path, lambda inner: self.check(files, f"{name}/{inner}"))

    @contextmanager
    def storing(
        self,
        shard: int,
        fingerprint: str,
        lengths: Sequence[int],
        heads: Heads,
        config: StoreConfig,
    ) -> Iterator[AttentionWriter]:
        """A writer of a shard's attention, which takes its place and is committed at the end."""
        from attnray.store.attention import AttentionWriter

        name = _attention(shard)
        with self.medium.making(name) as temporary:
            writer = AttentionWriter(temporary, lengths, heads, config)
            yield writer
            writer.close()
            files = {
                f"{name}/{path.relative_to(temporary).as_posix()}": Checksum.of_file(path)
                for path in sorted(temporary.rglob("*"))
                if path.is_file()
            }
        self.commit(EXTRACT, shard, fingerprint, files)

    def has_attention(self, shard: int) -> bool:
        """Whether the attention of a shard was committed and not removed."""
        return self.medium.size(marker_of(EXTRACT, shard)) is not None

    def remove_attention(self, shard: int) -> None:
        """Remove the attention of a shard, its marker last: it tells that some is there."""
        self.medium.remove(_attention(shard))
        self.medium.remove(marker_of(EXTRACT, shard))

    def extracted(self, shard: int, fingerprint: str) -> bool:
        """Whether a shard's attention is there, as `done` tells."""
        return self.done(EXTRACT, shard, fingerprint)

    def partial(self, metric: str, kind: Any, number: int) -> Any:
        """What a metric found in a shard, or a probe in all: a tree of a type.

        Raises:
            Damaged: it is missing, or another one.
        """
        name = _partial(metric, number)
        return from_partial(kind, self._found(measured(metric), number, name), self.where(name))

    def summed(self, metric: str, kind: Any, numbers: Iterable[int]) -> Leaves:
        """What a metric found in some shards, added up: the leaves of a tree of a type.

        Raises:
            Damaged: a partial is missing, or another one.
        """
        names = ((number, _partial(metric, number)) for number in numbers)
        return merge(
            checked(kind, self._found(measured(metric), number, name), self.where(name))
            for number, name in names
        )

    def write_partial(self, metric: str, number: int, found: Any) -> Files:
        """Write a partial."""
        return self.write(_partial(metric, number), parquet(to_partial(found)))

    def remove_damaged(self, name: str) -> None:
        """Remove a file that is damaged; where it is what a metric found, all such of this metric.

        (They are added up one after another, and each would be another start.)
        """
        self.remove(name)
        if name.startswith("partials/"):
            stage = measured(name.split("/")[1])
            for number in self.numbers(stage):
                for each in self.broken_of(stage, number):
                    self.remove(each.name)

    def has_found(self, metric: str, shard: int) -> bool:
        """Whether a metric was ever measured in a shard."""
        return self.medium.size(marker_of(measured(metric), shard)) is not None

    def cases(self, metric: str, shard: int) -> pa.Table:
        """The cases of a predictor in a shard.

        Raises:
            Damaged: they are missing, or others.
        """
        return self._found(measured(metric), shard, _cases(metric, shard))

    def commit_found(
        self, metric: Metric, shard: int, fingerprint: str, found: Found, cases: bool = True
    ) -> None:
        """Write what a metric found in a shard, with its cases if so, and the marker."""
        files = self.write_partial(metric.name, shard, found.partial)
        if cases and found.cases is not None:
            files |= self.write(_cases(metric.name, shard), parquet(found.cases))
        self.commit(measured(metric.name), shard, fingerprint, files)

    # Tables and pages

    def has_table(self, name: str) -> bool:
        """Whether there is such a table."""
        return self.medium.size(_table(name)) is not None

    @property
    def table_names(self) -> list[str]:
        """The names of the tables that there are."""
        paths = map(PurePosixPath, self.medium.sizes("tables"))
        names = [path.stem for path in paths if path.suffix == ".parquet"]
        return [name for name in names if name in _TABULATED or self._has_own(name)]

    def _has_own(self, name: str) -> bool:
        """Whether there is a table of a metric of one's own."""
        return self.medium.size(marker_of(tabulated(name), 0)) is not None

    def table(self, name: str) -> pa.Table:
        """A table by name.

        Raises:
            InputError: the run has no such table.
            IncompleteRun: there is no run any more.
            Damaged: it is not what was written.
        """
        stage = _TABULATED.get(name) or (tabulated(name) if name.isidentifier() else None)
        marker = stage and self.medium.size(marker_of(stage, 0))
        if stage is None or not (marker or self.has_table(name)):
            if not self.planned:
                raise IncompleteRun(f"{self}: the run was removed; the same command does it again")
            raise InputError(f"{self.where(_table(name))}: the run has no such table")
        if name == CORPUS and not marker and self.of_first:
            return from_parquet(self.medium.read(_table(name)))
        return self._found(stage, 0, _table(name))

    def write_table(self, name: str, table: pa.Table) -> Files:
        """Write a table."""
        return self.write(_table(name), parquet(table))

    def write_csv(self, name: str, table: pa.Table) -> Files:
        """Write a table for those who do not read Parquet."""
        stream = pa.BufferOutputStream()
        csv.write_csv(table, stream)
        return self.write(f"tables/{name}.csv", stream.getvalue().to_pybytes())

    def write_figure(self, name: str, svg: str) -> Files:
        """Write a figure."""
        return self.write(f"figures/{name}.svg", svg.encode())

    def has_page(self, name: str) -> bool:
        """Whether there is such a page."""
        return self.medium.size(page_of(name)) is not None

    def write_page(self, name: str, page: str) -> Files:
        """Write a page, such as `report`."""
        return self.write(page_of(name), page.encode())

    # The log

    def write_log(self, name: str, text: str) -> None:
        """Write a piece of the log; they are read in the order of their names."""
        self.medium.write(f"{LOG}/{name}.jsonl", text.encode())

    def log(self) -> Iterator[dict[str, Any]]:
        """The lines of the log, of one driver after another."""
        for name in self.medium.sizes(LOG):
            for line in self.medium.read(name).splitlines():
                with suppress(ValueError):  # no checksum tells of one that is damaged
                    yield json.loads(line)

    def _found(self, stage: str, number: int, name: str) -> pa.Table:
        """A table among the files of a finished task."""
        files = self.listed(stage, number)
        if name not in files:
            raise self.missing(name)
        return from_parquet(self.read(name, files[name]))

    def _written(self, number: int, content: bytes) -> Shard:
        (checksum,) = self.write(_shard(number), content).values()
        return Shard(number, checksum)


def _but_settings(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if name != "config"}


class _AsOfNow(RunFolder):
    @cached_property
    def medium(self) -> Medium:
        return super().medium.snapshot()


def measured(metric: str) -> str:
    """The stage under which the markers of what a metric found lie."""
    return PROBES if metric == PROBES else f"analyse-{metric}"


def tabulated(metric: str) -> str:
    """The stage under which the marker of a metric's tables lies."""
    return f"reduce-{metric}"


def page_of(name: str) -> str:
    """The name of a page's file."""
    return f"{name}.html"


#: The stage that makes each table.
_TABULATED = {
    **{table: tabulated(name) for name, metric in METRICS.items() for table in metric.rows},
    **dict.fromkeys(("probes", "probe_differences"), tabulated(PROBES)),
    HEADS: tabulated(HEADS),
    CORPUS: tabulated(CORPUS),
    "reproduction": REPORT,
}


def _shard(number: int) -> str:
    return f"shards/{number:05}.parquet"


def _draft(part: int) -> str:
    return f"drafts/{part:05}.arrow"


def _attention(shard: int) -> str:
    return f"attention/{shard:05}.zarr"


def _partial(metric: str, number: int) -> str:
    return f"partials/{metric}/{number:05}.parquet"


def _cases(metric: str, shard: int) -> str:
    return f"cases/{metric}/{shard:05}.parquet"


def _table(name: str) -> str:
    return f"tables/{name}.parquet"
