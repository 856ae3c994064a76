"""The run folder: where everything of a run lies, and how a task's results are committed.

A marker in `done/` is written last, by replace, so what a task makes either has its marker and
is whole, or does not count. The same inputs give the same bytes: doing a task again is harmless.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from attnray.config import StoreConfig
from attnray.corpus.example import SCHEMA, Example, from_table, to_table
from attnray.errors import IncompleteRun, InputError, describe
from attnray.metrics.base import Found, Heads, Metric
from attnray.metrics.tree import Leaves, merge
from attnray.store import files
from attnray.store.partials import checked, from_partial, to_partial

if TYPE_CHECKING:
    from attnray.store.attention import AttentionReader, AttentionWriter


@dataclass(frozen=True)
class RunFolder:
    """A local run folder: all that is read from a run and written to it passes through here.

    Tasks are named by stage and number, as in `done/STAGE/00000.json`; most are of the shard of
    that number. What writes gives the path that it wrote, for `commit`.
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

    @property
    def tables(self) -> Path:
        """The folder of the tables."""
        return self.path / "tables"

    def read_manifest(self) -> dict[str, Any] | None:
        """The content of the manifest, None where there is none yet.

        Raises:
            InputError: it is damaged.
        """
        try:
            return files.read_json(self.manifest)
        except ValueError as error:
            raise InputError(f"{self.manifest}: damaged ({error}); delete it") from error

    def write_manifest(self, content: dict[str, Any]) -> None:
        """Freeze the plan."""
        files.write_json(self.manifest, content)

    def examples(self, shard: int, spellings: bool = False) -> list[Example]:
        """The examples of a shard, in the order in which its attention is stored.

        Args:
            shard: its number.
            spellings: whether to read those of tokens, which no metric needs.
        """
        columns = [name for name in SCHEMA.names if spellings or name != "tokens"]
        return from_table(files.read_table(self._shard(shard), columns))

    def example_columns(self, shard: int, columns: list[str]) -> pa.Table:
        """Some columns of a shard's examples."""
        return files.read_table(self._shard(shard), columns)

    def write_examples(self, shard: int, examples: list[Example]) -> str:
        """Write the examples of a shard; gives the sha256 of its file."""
        return self.write_shard(shard, to_table(examples))

    def write_shard(self, shard: int, table: pa.Table) -> str:
        """Write the examples of a shard, as a table; gives the sha256 of its file."""
        files.write_table(self._shard(shard), table)
        return files.sha256(self._shard(shard))

    def copy_examples(self, shard: int, other: RunFolder, number: int) -> str:
        """Take over the examples of a shard of another run; gives the sha256 of its file."""
        with files.replacing(self._shard(shard)) as temporary:
            shutil.copyfile(other._shard(number), temporary)
        return files.sha256(self._shard(shard))

    @contextmanager
    def drafting(self, part: int) -> Iterator[Callable[[pa.Table], None]]:
        """Gives what writes the shards of a part, one after another, before they have numbers."""
        with (
            files.replacing(self._draft(part)) as temporary,
            pa.OSFile(str(temporary), "wb") as file,
            pa.ipc.new_file(file, SCHEMA) as writer,
        ):
            yield writer.write_table

    def drafted(self, part: int) -> Iterator[pa.Table]:
        """The shards of a part that were written so."""
        with pa.memory_map(str(self._draft(part))) as file, pa.ipc.open_file(file) as reader:
            for number in range(reader.num_record_batches):
                yield pa.Table.from_batches([reader.get_batch(number)])

    def remove_drafts(self) -> None:
        """Remove what was written of parts."""
        shutil.rmtree(self._draft(0).parent, ignore_errors=True)

    def attention(self, shard: int) -> AttentionReader:
        """The attention of a shard.

        Raises:
            InputError: it is not there yet.
            FileNotFoundError: a block of it is missing.
        """
        from attnray.store.attention import AttentionReader

        path = self._attention(shard)
        if not path.is_dir():
            raise InputError(f"{path}: the attention of this shard is not there yet")
        return AttentionReader(path)

    @contextmanager
    def attention_writer(
        self, shard: int, lengths: Sequence[int], heads: Heads, config: StoreConfig
    ) -> Iterator[AttentionWriter]:
        """A writer of a shard's attention, which takes its place when all is added."""
        from attnray.store.attention import AttentionWriter

        with files.replacing(self._attention(shard)) as temporary:
            writer = AttentionWriter(temporary, lengths, heads, config)
            yield writer
            writer.close()

    def commit_attention(self, shard: int, fingerprint: str) -> None:
        """Write the marker of a shard's attention."""
        self.commit(EXTRACT, shard, fingerprint, [self._attention(shard)])

    def extracted(self, shard: int, fingerprint: str) -> bool:
        """Whether a shard's attention is there, as `done` tells."""
        return self.done(EXTRACT, shard, fingerprint)

    def partial(self, metric: str, kind: Any, number: int) -> Any:
        """What a metric found in a shard, or a probe in all: a tree of a type.

        Raises:
            IncompleteRun: it is missing or damaged.
        """
        path = self._partial(metric, number)
        return from_partial(kind, self._found(path), path)

    def summed(self, metric: str, kind: Any, numbers: Iterable[int]) -> Leaves:
        """What a metric found in some shards, added up: the leaves of a tree of a type.

        Raises:
            IncompleteRun: a partial is missing or damaged.
        """
        paths = (self._partial(metric, number) for number in numbers)
        return merge(checked(kind, self._found(path), path) for path in paths)

    def write_partial(self, metric: str, number: int, partial: Any) -> Path:
        """Write a partial."""
        path = self._partial(metric, number)
        files.write_table(path, to_partial(partial))
        return path

    def has_cases(self, metric: str) -> bool:
        """Whether cases of a predictor were ever kept."""
        return self._cases(metric, 0).parent.is_dir()

    def cases(self, metric: str, shard: int) -> pa.Table:
        """The cases of a predictor in a shard.

        Raises:
            IncompleteRun: they are missing or damaged.
        """
        return self._found(self._cases(metric, shard))

    def commit_found(
        self, metric: Metric, shard: int, fingerprint: str, found: Found, cases: bool = True
    ) -> None:
        """Write what a metric found in a shard, with its cases if so, and the marker."""
        outputs = [self.write_partial(metric.name, shard, found.partial)]
        if cases and found.cases is not None:
            outputs.append(self._cases(metric.name, shard))
            files.write_table(outputs[-1], found.cases)
        self.commit(measured(metric.name), shard, fingerprint, outputs)

    def has_table(self, name: str) -> bool:
        """Whether there is such a table."""
        return self._table(name).is_file()

    def table(self, name: str) -> pa.Table:
        """A table by name.

        Raises:
            InputError: the run has no such table.
            OSError: it is damaged.
        """
        if not self.has_table(name):
            raise InputError(f"{self._table(name)}: the run has no such table")
        return files.read_table(self._table(name))

    def write_table(self, name: str, table: pa.Table) -> Path:
        """Write a table."""
        files.write_table(self._table(name), table)
        return self._table(name)

    def write_figure(self, name: str, svg: str) -> Path:
        """Write a figure."""
        path = self.path / "figures" / f"{name}.svg"
        files.write_text(path, svg)
        return path

    def write_page(self, name: str, page: str) -> Path:
        """Write a page, such as `report`."""
        path = self.path / f"{name}.html"
        files.write_text(path, page)
        return path

    def write_json(self, name: str, content: dict[str, object]) -> None:
        """Write a JSON file beside the pages."""
        files.write_json(self.path / f"{name}.json", content)

    def commit(self, stage: str, number: int, fingerprint: str, outputs: Sequence[Path]) -> None:
        """Write the marker of a finished task: its fingerprint, sizes and checksums."""
        listed = {
            str(file.relative_to(self.path)): {
                "size": file.stat().st_size,
                "sha256": files.sha256(file),
            }
            for output in outputs
            for file in files.files_under(output)
        }
        marker = {"fingerprint": fingerprint, "files": listed}
        files.write_json(self._marker(stage, number), marker)

    def done(self, stage: str, number: int, fingerprint: str) -> bool:
        """Whether what a task makes is whole, and made from what `fingerprint` stands for.

        Sizes are compared here; the contents have checksums of their own, checked on reading.
        """
        try:
            marker = files.read_json(self._marker(stage, number))
        except ValueError:  # cut short by something other than us: it is not done
            return False
        if marker is None or marker.get("fingerprint") != fingerprint:
            return False
        return all(
            _size(os.path.join(self.path, name)) == file["size"]
            for name, file in marker["files"].items()
        )

    def _found(self, path: Path) -> pa.Table:
        try:
            return files.read_table(path)
        except (OSError, pa.ArrowException) as error:
            reason = describe(error)
            raise IncompleteRun(
                f"{path}: missing or damaged ({reason}); delete it and start its run again"
            ) from error

    def _shard(self, shard: int) -> Path:
        return self.path / "shards" / f"{shard:05}.parquet"

    def _draft(self, part: int) -> Path:
        return self.path / "drafts" / f"{part:05}.arrow"

    def _attention(self, shard: int) -> Path:
        return self.path / "attention" / f"{shard:05}.zarr"

    def _partial(self, metric: str, number: int) -> Path:
        return self.path / "partials" / metric / f"{number:05}.parquet"

    def _cases(self, metric: str, shard: int) -> Path:
        return self.path / "cases" / metric / f"{shard:05}.parquet"

    def _table(self, name: str) -> Path:
        return self.tables / f"{name}.parquet"

    def _marker(self, stage: str, number: int) -> Path:
        return self.path / "done" / stage / f"{number:05}.json"


#: The stage under which the markers of attention lie.
EXTRACT = "extract"


def measured(metric: str) -> str:
    """The stage under which the markers of what a metric found lie."""
    return f"analyse-{metric}"


def _size(path: str) -> int | None:
    """The size of a file; None where there is none."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
