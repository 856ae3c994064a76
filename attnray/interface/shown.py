"""How objects show themselves in a notebook: small tables, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

from attnray.redacted import legible

#: Rows that are shown of a long table.
MOST_ROWS = 20


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]], total: int = 0
) -> str:
    """A table as HTML; of a long one, with so many rows in total, the first ones."""
    head = _row("th", columns) if any(columns) else ""
    body = "".join(_row("td", row) for row in islice(rows, MOST_ROWS))
    more = f"<p>… and {total - MOST_ROWS:,} more</p>" if total > MOST_ROWS else ""
    above = f"<p>{text(caption)}</p>" if caption else ""
    return f"{above}<table><thead>{head}</thead><tbody>{body}</tbody></table>{more}"


def text(value: object) -> str:
    """A text as HTML shows it."""
    return escape(legible(str(value)))


def _row(tag: str, values: Iterable[object]) -> str:
    return f"<tr>{''.join(f'<{tag}>{text(value)}</{tag}>' for value in values)}</tr>"
