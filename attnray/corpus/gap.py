"""Reading GAP: passages of Wikipedia with a pronoun, here as unlabelled text."""

from __future__ import annotations

from collections.abc import Iterator

from attnray.corpus.document import Document
from attnray.corpus.lines import error_at, numbered_lines
from attnray.corpus.text import sentences
from attnray.errors import InputError

COLUMNS = (
    "ID",
    "Text",
    "Pronoun",
    "Pronoun-offset",
    "A",
    "A-offset",
    "A-coref",
    "B",
    "B-offset",
    "B-coref",
    "URL",
)


def read_gap(path: str, language: str = "en") -> Iterator[Document]:
    """The passages of a file, each a document, split into sentences and those at spaces.

    Quotes are text: the file has none around its fields.

    Raises:
        InputError: the file cannot be read or has no passage, or a line is not as GAP has it.
    """
    lines = numbered_lines(path)
    number, header = next(lines, (1, ""))
    if tuple(header.split("\t")) != COLUMNS:
        raise error_at(path, number, f"not GAP's first line; it is {' '.join(COLUMNS)}, with tabs")
    found = False
    for number, line in lines:
        fields = line.split("\t")
        if len(fields) != len(COLUMNS):
            problem = f"{len(fields)} columns; GAP has {len(COLUMNS)}, separated by tabs"
            raise error_at(path, number, problem)
        found = True
        yield Document(fields[0], sentences(fields[1], language), [])
    if not found:
        raise InputError(f"{path}: no passage in it; give a file of GAP")
