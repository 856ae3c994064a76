"""Reading CoNLL-U, and CoNLL-U Plus: trees, coreference in `Entity=`, or both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache

from attnray.corpus import bounds
from attnray.corpus.bounds import Extent, cut, within
from attnray.corpus.document import Document, Sentence
from attnray.corpus.files.lines import WHOLE, Span, blocks, error_at, numbered_lines, stem
from attnray.corpus.formats.conllu_header import Header
from attnray.corpus.formats.conllu_rows import (
    CONLLU,
    HEADS,
    ID,
    MISC,
    Columns,
    Row,
    Words,
    fault,
    words,
)
from attnray.corpus.formats.entities import ENTITY, PLAIN, Entities, Order
from attnray.errors import InputError

_NEWDOC = re.compile(r"#\s*newdoc\b(?:\s+id\s*=\s*(?P<id>.+))?")
_SENT_ID = re.compile(r"#\s*sent_id\s*=\s*(?P<id>.+)")


def read_conllu(path: str, span: Span = WHOLE, entity: str | None = None) -> Iterator[Document]:
    """The documents of a file, or a span of it, one in memory at a time.

    A document begins at `# newdoc`; without an id it is named after the file and its number.
    Words are the integer ids: ranges of multiword tokens and empty nodes are skipped.

    Args:
        path: the file.
        span: what of it to read.
        entity: the order of the fields of `Entity=`, whatever `# global.Entity` says.

    Raises:
        InputError: with file and line, what cannot be read and what it should be.
    """
    header = Header(*span.header)
    builder = _Builder(path, span.documents, entity)
    builder.follow(header, span.lines)
    most = bounds.LINE
    try:
        for number, line in numbered_lines(path, span):
            if (number == 1 or "global." in line) and (
                said := header.after(line, number == 1)
            ) != header:
                header = said
                builder.follow(header, number)
            elif line.startswith("#"):
                if match := _NEWDOC.match(line):
                    yield from builder.end_document()
                    builder.begin((match["id"] or "").strip(), number)
                elif match := _SENT_ID.match(line):
                    builder.name_sentence(match["id"].strip())
            elif line and not line.isspace():
                builder.lines.append(line)
                builder.numbers.append(number)
                builder.size += len(line)
                if builder.size > most:
                    within(f"{path}:{number}", builder.size, most, "characters in a sentence")
            else:
                builder.end_sentence()
    except InputError:
        if builder.lines:
            builder.end_rows()  # what is wrong in the lines before comes first
        raise
    yield from builder.end_document()
    if not builder.seen:
        raise InputError(f"{path}: no sentence in it; give a CoNLL-U file")


def may_have_mentions(path: str) -> bool:
    """Whether there is an `Entity=` in a file.

    Raises:
        InputError: the file cannot be read.
    """
    return any(ENTITY.encode() in block for block in blocks(path))


def document_starts(path: str) -> Iterator[Span]:
    """Where a file can be cut between documents: what is left of it from each place on.

    The last is its end, with nothing left. That is a look at its bytes: to say what is wrong with
    them is for `read_conllu`.

    Raises:
        InputError: the file cannot be read.
    """
    at = lines = documents = 0
    filled, latest, header = False, "", Header()
    for block in blocks(path):
        done = 0
        for start in (*_newdocs(block), len(block)):
            if not at or b"global." in block:
                for number, line in enumerate(
                    block[done:start].decode(errors="replace").split("\n")
                ):
                    header = header.after(line.strip("\ufeff\r"), not (at or done or number))
            filled = filled or bool(_word(header.id_column).search(block, done, start))
            lines += block.count(b"\n", done, start)
            latest = _last_line(block[done:start]) or latest
            done = start
            if start < len(block):
                documents += filled
                filled = False
                # A comment before may name the first sentence of the document to come.
                if not latest.startswith("#"):
                    yield Span(at + start, None, lines, documents, header)
        at += len(block)
    yield Span(at, at, lines, documents + filled)


@cache
def _word(column: int) -> re.Pattern[bytes]:
    """What a line of a word begins with, whose id is in this column."""
    return re.compile(rb"^(?:\xef\xbb\xbf)?(?:[^\t\n]*\t){%d}\d+\s" % column, re.MULTILINE)


def _newdocs(block: bytes) -> Iterator[int]:
    """Where the lines of a block begin that begin a document."""
    found = block.find(b"newdoc")
    while found >= 0:
        start, end = block.rfind(b"\n", 0, found) + 1, block.find(b"\n", found)
        with suppress(UnicodeDecodeError):  # there reading ends
            if _NEWDOC.match(block[start : end if end >= 0 else None].decode()):
                yield start
        found = block.find(b"newdoc", end) if end >= 0 else -1


def _last_line(block: bytes) -> str:
    """The last line that is not blank; empty where all are."""
    return block.decode(errors="replace").rstrip().rpartition("\n")[2]


class _Builder:
    """Gathers lines to sentences, and sentences to documents; `documents` came before.

    `lines` has those of words, ranges and empty nodes of the sentence so far, with their `numbers`,
    and `size` counts their characters.
    `entity` is the order of the fields of `Entity=`, None for what the file says.
    """

    def __init__(self, path: str, documents: int, entity: str | None) -> None:
        self.lines: list[str] = []
        self.numbers: list[int] = []
        self.size = 0
        self._looked, self._worded = 0, False
        self._path = path
        self._documents = documents
        self._entity = entity
        self._columns = CONLLU
        self._order = Order.of(entity) if entity else PLAIN
        self._sentence_id = ""
        self.begin("", 1)

    @property
    def seen(self) -> bool:
        """Whether there was any sentence."""
        return self._documents > 0

    def follow(self, header: Header, number: int) -> None:
        """Read what comes after a line of this number as a header says.

        Raises:
            InputError: the columns that it names are not enough.
        """
        try:
            self._columns = Columns.named(header.columns.split()) if header.columns else CONLLU
        except ValueError as error:
            raise error_at(self._path, number, str(error)) from None
        if header.entity and not self._entity:
            self._order = self._entities.order = Order.of(header.entity)

    def begin(self, name: str, number: int) -> None:
        """Begin a document at a line; `name` may be empty."""
        within(
            f"{self._path}:{number}", len(name), bounds.NAME, "characters in the name of a document"
        )
        self._name = name
        self._sentences: list[Sentence] = []
        self._entities = Entities(self._path, self._order)
        self._extent = Extent()

    def name_sentence(self, name: str) -> None:
        """Name the sentence to come, of this document or of one that begins before it."""
        self._worded = self._worded or any(map(self._columns.worded, self.lines[self._looked :]))
        self._looked = len(self.lines)
        if not self._worded:
            self._sentence_id = name

    def end_sentence(self) -> None:
        """End a sentence, if one has begun."""
        lines, numbers = self.lines, self.numbers
        if not lines:
            return
        found = self.end_rows()
        if not found.forms:
            return
        if max(found.heads) > len(found.forms):
            raise self._beyond(self._rows(lines), numbers, found.heads)
        forms, upos, xpos, heads, relations, feats = found
        sentence = Sentence(self._sentence_id, forms, upos, xpos, heads, relations, feats)
        where = f"{self._path}:{numbers[0]}"
        self._sentences.append(self._extent.add(sentence, where))
        self._sentence_id = ""

    def end_rows(self) -> Words:
        """The words of the lines so far, whose mentions are taken in.

        Raises:
            InputError: a line cannot be read.
        """
        lines, numbers = self.lines, self.numbers
        self.lines, self.numbers, self.size = [], [], 0
        self._looked, self._worded = 0, False
        rows = [line.split("\t") for line in lines]
        try:
            found = words(rows, self._columns)
        except ValueError:
            place, problem = fault(rows, self._columns)
            self._mentions(rows, numbers[:place])
            raise error_at(self._path, numbers[place], problem) from None
        if ENTITY in "".join(lines):
            self._mentions(rows, numbers)
        return found

    def _mentions(self, rows: Sequence[Row], numbers: Sequence[int]) -> None:
        word = self._extent.words - 1
        if self._columns is not CONLLU:
            rows = [self._columns.arranged(row) for row in rows]
        of_words = (row[ID] for row in rows if row[ID].isdecimal())
        ids = {identifier: place for place, identifier in enumerate(of_words)}
        for row, number in zip(rows, numbers, strict=False):
            of_word = row[ID].isdecimal()
            word += of_word
            if ENTITY not in row[MISC]:
                continue
            given = [each for each in row[MISC].split("|") if each.startswith(ENTITY)]
            brackets = sum(each.count("(") + each.count(")") for each in given)
            within(f"{self._path}:{number}", brackets, bounds.BRACKETS, "brackets on a word")
            empty_node = "." in row[ID]
            first, last = (word, word) if "-" not in row[ID] else self._range(row[ID], ids, number)
            for value in given:
                value = value.removeprefix(ENTITY)
                self._entities.read(value, first, number, empty_node, last)

    def _range(self, identifier: str, ids: Mapping[str, int], number: int) -> tuple[int, int]:
        """The first and the last word of a multiword token, from 0 in the document."""
        first, _, last = identifier.partition("-")
        if first not in ids or last not in ids or ids[first] > ids[last]:
            problem = f"the range {cut(identifier)} is of words that the sentence does not have"
            raise error_at(self._path, number, f"{problem}; write 3-4 before the words 3 and 4")
        return self._extent.words + ids[first], self._extent.words + ids[last]

    def _beyond(
        self, rows: Sequence[Row], numbers: Sequence[int], heads: Sequence[int]
    ) -> InputError:
        """The error of a head that the sentence does not have."""
        of_words = [n for n, row in zip(numbers, rows, strict=True) if row[ID].isdecimal()]
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

    def _rows(self, lines: Sequence[str]) -> list[Row]:
        return [self._columns.arranged(line.split("\t")) for line in lines]
