"""What lines of a CoNLL-U file say of those after them: columns, and the fields of `Entity=`."""

from __future__ import annotations

import re
from typing import NamedTuple

_GLOBAL = re.compile(r"#\s*global\.(?P<what>columns|Entity)\s*=(?P<value>.*)", re.DOTALL | re.I)


class Header(NamedTuple):
    """The names of the columns, separated by spaces, and those of the fields, by dashes.

    Each holds until a line says another; empty where none does.
    """

    columns: str = ""
    entity: str = ""

    def after(self, line: str, first: bool = False) -> Header:
        """What holds after a line, which may be the first of its file."""
        if first and _are_names(names := line.lstrip("# ").split()):
            return self._replace(columns=" ".join(names))
        said = _GLOBAL.match(line)
        if said is None:
            return self
        value = said["value"].strip()
        columns = said["what"].casefold() == "columns"
        return self._replace(columns=value) if columns else self._replace(entity=value)

    @property
    def id_column(self) -> int:
        """The place of the column of ids, from 0."""
        names = self.columns.upper().split()
        return names.index("ID") if "ID" in names else 0


def _are_names(words: list[str]) -> bool:
    """Whether a line is a row of names."""
    return {"ID", "FORM"} <= {*words} and all(map(str.isupper, words))
