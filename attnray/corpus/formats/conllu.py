"""Reading CoNLL-U: trees, coreference in `Entity=`, or both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from attnray.corpus.document import Document, Sentence
from attnray.corpus.files.lines import WHOLE, Span, error_at, numbered_lines, stem
from attnray.corpus.formats.conllu_rows import HEADS, Row, Words, fault, is_range, is_word, words
from attnray.corpus.formats.entities import Entities
from attnray.errors import InputError

_NEWDOC = re.compile(r"#\s*newdoc\b(?:\s+id\s*=\s*(?P<id>.+))?")
_SENT_ID = re.compile(r"#\s*sent_id\s*=\s*(?P<id>.+)")
_ENTITY = "Entity="


def read_conllu(path: str, span: Span = WHOLE) -> Iterator[Document]:
    """The documents of a file, or a span of it, one in memory at a time.

    A document begins at `# newdoc`; without an id it is named after the file and its number.
    Words are the integer ids: ranges of multiword tokens and empty nodes are skipped.

    Raises:
        InputError: with file and line, what cannot be read and what it should be.
    """
    builder = _Builder(path, span.documents)
    try:
        for number, line in numbered_lines(path, span):
            if line.startswith("#"):
                if match := _NEWDOC.match(line):
                    yield from builder.end_document()
                    builder.begin((match["id"] or "").strip())
                elif match := _SENT_ID.match(line):
                    builder.name_sentence(match["id"].strip())
            elif line and not line.isspace():
                builder.lines.append((number, line))
            else:
                builder.end_sentence()
    except InputError:
        builder.end_rows()  # what is wrong in the lines before comes first
        raise
    yield from builder.end_document()
    if not builder.seen:
        raise InputError(f"{path}: no sentence in it; give a CoNLL-U file")


class _Builder:
    """Gathers lines to sentences, and sentences to documents; `documents` came before.

    `lines` has the numbered lines of words, ranges and empty nodes of the sentence so far.
    """

    def __init__(self, path: str, documents: int) -> None:
        self.lines: list[tuple[int, str]] = []
        self._path = path
        self._documents = documents
        self._sentence_id = ""
        self.begin("")

    @property
    def seen(self) -> bool:
        """Whether there was any sentence."""
        return self._documents > 0

    def begin(self, name: str) -> None:
        """Begin a document; `name` may be empty."""
        self._name = name
        self._sentences: list[Sentence] = []
        self._entities = Entities(self._path)
        self._words_before = 0

    def name_sentence(self, name: str) -> None:
        """Name the sentence to come, of this document or of one that begins before it."""
        if not self.lines or not any(map(is_word, _rows(self.lines))):
            self._sentence_id = name

    def end_sentence(self) -> None:
        """End a sentence, if one has begun."""
        if not self.lines:
            return
        lines = self.lines.copy()
        found = self.end_rows()
        if not found.forms:
            return
        if max(found.heads) > len(found.forms):
            raise self._beyond(lines, found.heads)
        self._sentences.append(
            Sentence(
                id=self._sentence_id,
                words=list(found.forms),
                upos=_tags(found.upos),
                xpos=_tags(found.xpos),
                heads=list(found.heads),
                relations=_tags(found.relations),
                feats=_tags(found.feats),
            )
        )
        self._words_before += len(found.forms)
        self._sentence_id = ""

    def end_rows(self) -> Words:
        """The words of the lines so far, whose mentions are taken in.

        Raises:
            InputError: a line cannot be read.
        """
        lines = self.lines.copy()
        self.lines.clear()
        if not lines:
            return Words()
        rows = _rows(lines)
        try:
            found = words(rows)
        except ValueError:
            place, problem = fault(rows)
            self._mentions(lines[:place], rows[:place])
            raise error_at(self._path, lines[place][0], problem) from None
        if any(_ENTITY in line for _, line in lines):
            self._mentions(lines, rows)
        return found

    def _mentions(self, lines: Sequence[tuple[int, str]], rows: Sequence[Row]) -> None:
        word = self._words_before - 1
        for (number, _), row in zip(lines, rows, strict=True):
            of_word = is_word(row)
            word += of_word
            if _ENTITY in row[9] and not is_range(row):
                for attribute in row[9].split("|"):
                    if attribute.startswith(_ENTITY):
                        value = attribute.removeprefix(_ENTITY)
                        self._entities.read(value, word, number, empty_node=not of_word)

    def _beyond(self, lines: Sequence[tuple[int, str]], heads: Sequence[int]) -> InputError:
        """The error of a head that the sentence does not have."""
        of_words = [n for (n, _), row in zip(lines, _rows(lines), strict=True) if is_word(row)]
        head, number = next(e for e in zip(heads, of_words, strict=True) if e[0] > len(heads))
        problem = f"HEAD is {head} in a sentence of {len(heads)} words; {HEADS}"
        return error_at(self._path, number, problem)

    def end_document(self) -> Iterator[Document]:
        """Give the document, if it has a sentence."""
        self.end_sentence()
        if self._sentences:
            self._documents += 1
            name = self._name or f"{stem(self._path)}-{self._documents}"
            mentions = self._entities.end()
            yield Document(name, self._sentences, mentions, self._entities.left_out)


def _rows(lines: Sequence[tuple[int, str]]) -> list[Row]:
    return [line.split("\t") for _, line in lines]


def _tags(column: Sequence[str]) -> list[str]:
    return ["" if tag == "_" else tag for tag in column] if "_" in column else list(column)
