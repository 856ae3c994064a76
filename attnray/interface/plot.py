"""The attention of a head to an example, drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from attnray.reading import StoredExample
from attnray.redacted import legible

#: Pixels of a frame: what stands above the words, and each of them; no frame is higher.
ABOVE, A_WORD, MOST = 320, 24, 900


@dataclass(frozen=True)
class Plot:
    """The attention of a head to an example: a page, which a notebook shows in a frame."""

    title: str
    page: str = field(repr=False)
    height: int = field(repr=False)

    def save(self, path: Path | str) -> Path:
        """Write it as a page that needs nothing beside itself; gives where."""
        written = Path(path)
        written.write_text(self.page, encoding="utf-8")
        return written

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="{escape(self.title)}" srcdoc="{escape(self.page)}" '
            'sandbox="allow-scripts allow-downloads" '
            f'style="width: 100%; height: {self.height}px; border: 0"></iframe>'
        )


def plot(
    example: StoredExample,
    layer: int,
    head: int,
    merge: str,
    arcs: Iterable[tuple[int, int]],
    label: str,
) -> Plot:
    """See `Example.plot`."""
    from attnray.report.sentence_page import sentence_page
    from attnray.report.sentences import sentence_data

    title, note = f"Head {layer}-{head}", f"Example {example.index}, document {example.document}"
    cite = f"{title}, {note[0].lower()}{note[1:]}"
    data = sentence_data(example, example.attention(layer, head), merge, arcs, label, cite)
    height = min(MOST, ABOVE + A_WORD * len(example.words))
    return Plot(cite, sentence_page(title, legible(note), data), height)
