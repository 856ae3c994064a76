"""The tables of a run by name, each read as it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from attnray.interface.shown import text
from attnray.store.folder import RunFolder


class Tables(Mapping[str, pa.Table]):
    """The tables that a run has: `run.tables["syntax_best"]`; `list(run.tables)` names them.

    What their columns mean is in docs/tables.md.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._names = folder.table_names

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._names:
            raise KeyError(f"no table {name}, but {', '.join(self)}")
        return self._folder.table(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<tables: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        return f"<p>{text(self)}</p>"
