"""Reading CoNLL-U: trees, coreference in `Entity=`, or both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from attnray.corpus import bounds
from attnray.corpus.bounds import Extent, check
from attnray.corpus.document import Document, Sentence
from attnray.corpus.files.lines import WHOLE, Span, blocks, error_at, numbered_lines, stem
from attnray.corpus.formats.conllu_rows import HEADS, ID, MISC, Row, Words, fault, words
from attnray.corpus.formats.entities import Entities
from attnray.errors import InputError

_NEWDOC = re.compile(r"#\s*newdoc\b(?:\s+id\s*=\s*(?P<id>.+))?")
_SENT_ID = re.compile(r"#\s*sent_id\s*=\s*(?P<id>.+)")
#: What a line of a word begins with.
_WORD = re.compile(rb"^(?:\xef\xbb\xbf)?\d+\t", re.MULTILINE)
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
                    builder.begin((match["id"] or "").strip(), number)
                elif match := _SENT_ID.match(line):
                    builder.name_sentence(match["id"].strip())
            elif line and not line.isspace():
                builder.add(number, line)
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
    return any(_ENTITY.encode() in block for block in blocks(path))


def document_starts(path: str) -> Iterator[Span]:
    """Where a file can be cut between documents: what is left of it from each place on.

    The last is its end, with nothing left. That is a look at its bytes: to say what is wrong with
    them is for `read_conllu`.

    Raises:
        InputError: the file cannot be read.
    """
    at = lines = documents = 0
    filled, latest = False, ""
    for block in blocks(path):
        done = 0
        for start in (*_newdocs(block), len(block)):
            filled = filled or bool(_WORD.search(block, done, start))
            lines += block.count(b"\n", done, start)
            latest = _last_line(block[done:start]) or latest
            done = start
            if start < len(block):
                documents += filled
                filled = False
                # A comment before may name the first sentence of the document to come.
                if not latest.startswith("#"):
                    yield Span(at + start, None, lines, documents)
        at += len(block)
    yield Span(at, at, lines, documents + filled)


def _newdocs(block: bytes) -> Iterator[int]:
    """Where the lines of a block begin that begin a document."""
    found = block.find(b"newdoc")
    while found >= 0:
        start, end = block.rfind(b"\n", 0, found) + 1, block.find(b"\n", found)
        if _NEWDOC.match(block[start : end if end >= 0 else None].decode(errors="replace")):
            yield start
        found = block.find(b"newdoc", end) if end >= 0 else -1


def _last_line(block: bytes) -> str:
    """The last line that is not blank; empty where all are."""
    return block.decode(errors="replace").rstrip().rpartition("\n")[2]


class _Builder:
    """Gathers lines to sentences, and sentences to documents; `documents` came before.

    `lines` has those of words, ranges and empty nodes of the sentence so far, with their `numbers`.
    """

    def __init__(self, path: str, documents: int) -> None:
        self.lines: list[str] = []
        self.numbers: list[int] = []
        self._size, self._worded = 0, False
        self._path = path
        self._documents = documents
        self._sentence_id = ""
        self.begin("", 1)

    @property
    def seen(self) -> bool:
        """Whether there was any sentence."""
        return self._documents > 0

    def begin(self, name: str, number: int) -> None:
        """Begin a document at a line; `name` may be empty."""
        check(
            f"{self._path}:{number}", len(name), bounds.NAME, "characters in the name of a document"
        )
        self._name = name
        self._sentences: list[Sentence] = []
        self._entities = Entities(self._path)
        self._extent = Extent()

    def add(self, number: int, line: str) -> None:
        """Take in a line of a sentence."""
        self.lines.append(line)
        self.numbers.append(number)
        self._size += len(line)
        self._worded = self._worded or line.partition("\t")[0].isdecimal()
        if self._size > bounds.LINE:
            check(f"{self._path}:{number}", self._size, bounds.LINE, "characters in a sentence")

    def name_sentence(self, name: str) -> None:
        """Name the sentence to come, of this document or of one that begins before it."""
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
            raise self._beyond(_rows(lines), numbers, found.heads)
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
        self.lines, self.numbers, self._size, self._worded = [], [], 0, False
        rows = _rows(lines)
        try:
            found = words(rows)
        except ValueError:
            place, problem = fault(rows)
            self._mentions(rows[:place], numbers)
            raise error_at(self._path, numbers[place], problem) from None
        if _ENTITY in "".join(lines):
            self._mentions(rows, numbers)
        return found

    def _mentions(self, rows: Sequence[Row], numbers: Sequence[int]) -> None:
        word = self._extent.words - 1
        for row, number in zip(rows, numbers, strict=False):
            of_word = row[ID].isdecimal()
            word += of_word
            if _ENTITY in row[MISC] and "-" not in row[ID]:
                given = [each for each in row[MISC].split("|") if each.startswith(_ENTITY)]
                brackets = sum(each.count("(") + each.count(")") for each in given)
                check(f"{self._path}:{number}", brackets, bounds.BRACKETS, "brackets on a word")
                for value in given:
                    read = self._entities.read
                    read(value.removeprefix(_ENTITY), word, number, empty_node=not of_word)

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


def _rows(lines: Sequence[str]) -> list[Row]:
    return [line.split("\t") for line in lines]
