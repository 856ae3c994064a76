"""Reading CoNLL-U: trees, coreference in `Entity=`, or both."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attnray.corpus.document import NO_HEAD, Document, Sentence
from attnray.corpus.files.lines import error_at, numbered_lines, stem
from attnray.corpus.formats.entities import Entities
from attnray.errors import InputError

COLUMNS = 10
_NEWDOC = re.compile(r"#\s*newdoc\b(?:\s+id\s*=\s*(?P<id>.+))?")
_SENT_ID = re.compile(r"#\s*sent_id\s*=\s*(?P<id>.+)")
#: A word, the range of a multiword token, or an empty node.
_ID = re.compile(r"(?P<word>\d+)|(?P<range>\d+-\d+)|(?P<empty>\d+\.\d+)")
#: The id of a word, or 0 for the root.
_HEAD = re.compile(r"0|[1-9][0-9]{0,8}")
_HEADS = "give a word's id, 0 for the root, or _"


def read_conllu(path: str) -> Iterator[Document]:
    """The documents of a file, one in memory at a time.

    A document begins at `# newdoc`; without an id it is named after the file and its number.
    Words are the integer ids: ranges of multiword tokens and empty nodes are skipped.

    Raises:
        InputError: with file and line, what cannot be read and what it should be.
    """
    builder = _Builder(path)
    for number, line in numbered_lines(path):
        if line.startswith("#"):
            if match := _NEWDOC.match(line):
                yield from builder.end_document()
                builder.begin((match["id"] or "").strip())
            elif match := _SENT_ID.match(line):
                builder.name_sentence(match["id"].strip())
        elif line.strip():
            builder.token(number, line)
        else:
            builder.end_sentence()
    yield from builder.end_document()
    if not builder.seen:
        raise InputError(f"{path}: no sentence in it; give a CoNLL-U file")


class _Builder:
    """Gathers lines to sentences, and sentences to documents."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._documents = 0
        self._begin_sentence()
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
        if not self._rows:
            self._sentence_id = name

    def _begin_sentence(self) -> None:
        self._sentence_id = ""
        self._rows: list[list[str]] = []
        self._heads: list[int] = []
        self._lines: list[int] = []

    def token(self, number: int, line: str) -> None:
        """Take in the line of a word, a range or an empty node."""
        columns = line.split("\t")
        if len(columns) != COLUMNS:
            problem = f"{len(columns)} columns; CoNLL-U has {COLUMNS}, separated by tabs"
            raise error_at(self._path, number, problem)
        kind = _ID.fullmatch(columns[0])
        if kind is None:
            problem = f"the id {columns[0]!r} is none; write 3, 3-4 or 3.1"
            raise error_at(self._path, number, problem)
        if kind["word"]:
            self._word(number, columns)
        if not kind["range"]:
            self._entity(number, columns[9], empty_node=bool(kind["empty"]))

    def _word(self, number: int, columns: list[str]) -> None:
        expected = len(self._rows) + 1
        if columns[0] != str(expected):
            problem = f"the id {columns[0]} stands where {expected} should; words count from 1"
            raise error_at(self._path, number, problem)
        self._rows.append(columns)
        self._lines.append(number)
        self._heads.append(self._head(number, columns))

    def _head(self, number: int, columns: list[str]) -> int:
        text = columns[6]
        if text == "_":
            return NO_HEAD
        if not _HEAD.fullmatch(text):
            raise error_at(self._path, number, f"HEAD is {text!r}; {_HEADS}")
        if text == columns[0]:
            raise error_at(self._path, number, f"word {text} is its own HEAD; {_HEADS}")
        if columns[7] in ("_", ""):
            problem = f"word {columns[0]} has a HEAD but no DEPREL; name it, or give _ for HEAD"
            raise error_at(self._path, number, problem)
        return int(text)

    def _entity(self, number: int, misc: str, empty_node: bool) -> None:
        if "Entity=" not in misc:
            return
        word = self._words_before + len(self._rows) - 1
        for attribute in misc.split("|"):
            if attribute.startswith("Entity="):
                value = attribute.removeprefix("Entity=")
                self._entities.read(value, word, number, empty_node)

    def end_sentence(self) -> None:
        """End a sentence, if one has begun."""
        if not self._rows:
            return
        for head, line in zip(self._heads, self._lines, strict=True):
            if head > len(self._rows):
                problem = f"HEAD is {head} in a sentence of {len(self._rows)} words; {_HEADS}"
                raise error_at(self._path, line, problem)
        columns = list(zip(*self._rows, strict=True))
        self._sentences.append(
            Sentence(
                id=self._sentence_id,
                words=list(columns[1]),
                upos=_tags(columns[3]),
                xpos=_tags(columns[4]),
                heads=self._heads,
                relations=_tags(columns[7]),
                feats=_tags(columns[5]),
            )
        )
        self._words_before += len(self._rows)
        self._begin_sentence()

    def end_document(self) -> Iterator[Document]:
        """Give the document, if it has a sentence."""
        self.end_sentence()
        if self._sentences:
            self._documents += 1
            name = self._name or f"{stem(self._path)}-{self._documents}"
            mentions = self._entities.end()
            yield Document(name, self._sentences, mentions, self._entities.left_out)


def _tags(column: tuple[str, ...]) -> list[str]:
    return ["" if tag == "_" else tag for tag in column]
