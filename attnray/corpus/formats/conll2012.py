"""Reading CoNLL-2012 (`*_conll`, OntoNotes): coreference, and head words by the parse trees."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attnray.corpus import bounds
from attnray.corpus.bounds import Extent, cut, shown, within
from attnray.corpus.document import NO_HEAD, Document, Sentence
from attnray.corpus.files.lines import error_at, numbered_lines
from attnray.corpus.formats.entities import Entities
from attnray.corpus.formats.head_rules import Constituent, dependency_heads
from attnray.errors import InputError

#: Document, part, number, word, tag, parse bit, …, coreference.
FEWEST_COLUMNS = 12
PART, NUMBER, WORD, TAG, PARSE, COREFERENCE = 1, 2, 3, 4, 5, -1
#: What stands in a column that has nothing to say.
EMPTY = ("-", "_", "")
_BEGIN = re.compile(r"#begin document \((?P<name>.*)\)(?:; part (?P<part>\d+))?\s*")
_BIT = re.compile(r"(?P<opens>(?:\([^()*\s]+)*)\*(?P<closes>\)*)")
#: How the treebank writes what the text has otherwise.
WRITTEN = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "``": '"',
    "''": '"',
}


def read_conll2012(path: str) -> Iterator[Document]:
    """The parts of the documents of a file, each a document of its own: NAME_PART.

    Words are as in the text: the treebank's names of brackets and quotes, and a `/` before
    `.`, `?` or `-`, are undone. Trees give heads by `head_rules`, without relations, so that
    they say which word of a mention is its head and are no cases of syntax; a sentence whose
    parse bits are all `*`, `-` or `_` has no tree. Columns are separated by tabs, then one may be
    empty, or by spaces, then only the document's name may have some.

    Raises:
        InputError: with file and line, what cannot be read and what it should be.
    """
    builder: _Builder | None = None
    seen = False
    for number, line in numbered_lines(path):
        if line.startswith("#begin"):
            if builder is not None:
                problem = f"a document begins before the #end document of {cut(builder.name)}"
                raise error_at(path, number, f"{problem}: lines are lost; get the file again")
            builder = _Builder(path, *_name(path, number, line))
        elif builder is None:
            if line.strip():
                raise error_at(path, number, "a line outside of #begin document and #end document")
        elif line.startswith("#end"):
            document = builder.end()
            if document.sentences:
                seen = True
                yield document
            builder = None
        elif line.strip():
            builder.token(number, line)
        else:
            builder.end_sentence()
    if builder is not None:
        raise InputError(f"{path}: the last document has no #end document: the file is cut short")
    if not seen:
        raise InputError(f"{path}: no document in it; give a *_conll file of CoNLL-2012")


def _name(path: str, number: int, line: str) -> tuple[str, str]:
    """The name of a document as its lines have it, and that of a part."""
    match = _BEGIN.fullmatch(line)
    if match is None:
        raise error_at(path, number, f"{shown(line)} is not `#begin document (NAME); part NNN`")
    within(f"{path}:{number}", len(line), bounds.NAME, "characters in the name of a document")
    name = match["name"]
    return name, f"{name}_{int(match['part'])}" if match["part"] else name


class _Builder:
    """Gathers the lines of a document."""

    def __init__(self, path: str, name_in_lines: str, name: str) -> None:
        self.name = name
        self._path, self._name_in_lines = path, name_in_lines
        self._sentences: list[Sentence] = []
        self._entities = Entities(path, column="coreference ")
        self._extent = Extent()
        self._rows: list[list[str]] = []
        self._lines: list[int] = []
        self._size = 0

    def token(self, number: int, line: str) -> None:
        """Take in the line of a word."""
        columns = self._columns(line)
        if len(columns) < FEWEST_COLUMNS:
            problem = f"{len(columns)} columns; CoNLL-2012 has {FEWEST_COLUMNS} or more"
            raise error_at(self._path, number, problem)
        if columns[NUMBER] != str(len(self._rows)):
            problem = f"the word number is {cut(columns[NUMBER])}, not {len(self._rows)}"
            remedy = "words of a sentence count from 0"
            if not columns[PART].isdecimal() and columns[PART] not in EMPTY:
                remedy = "spaces in the name of a document must be in its #begin document as well"
            raise error_at(self._path, number, f"{problem}; {remedy}")
        place = self._extent.words + len(self._rows)
        brackets = columns[COREFERENCE].split("|")
        within(f"{self._path}:{number}", len(brackets), bounds.BRACKETS, "brackets on a word")
        for bracket in brackets:
            if bracket not in EMPTY:
                self._entities.read(bracket, place, number)
        self._rows.append(columns)
        self._lines.append(number)
        self._size += sum(map(len, columns))
        within(f"{self._path}:{number}", self._size, bounds.LINE, "characters in a sentence")

    def _columns(self, line: str) -> list[str]:
        if "\t" in line:
            return [column.strip() for column in line.split("\t")]
        name = self._name_in_lines
        if " " in name and line.startswith(name):
            return [name, *line.removeprefix(name).split()]
        return line.split()

    def end_sentence(self) -> None:
        """End a sentence, if one has begun."""
        if not self._rows:
            return
        count = len(self._rows)
        empty = [""] * count
        sentence = Sentence(
            id="",
            words=[_written(row[WORD]) for row in self._rows],
            upos=empty,
            xpos=["" if row[TAG] in EMPTY else row[TAG] for row in self._rows],
            heads=self._heads(),
            relations=empty,
            feats=empty,
        )
        self._sentences.append(self._extent.add(sentence, f"{self._path}:{self._lines[0]}"))
        self._rows, self._lines, self._size = [], [], 0

    def end(self) -> Document:
        """The document."""
        self.end_sentence()
        return Document(self.name, self._sentences, self._entities.end(), self._entities.left_out)

    def _heads(self) -> list[int]:
        bits = [row[PARSE] for row in self._rows]
        if all(bit in ("*", *EMPTY) for bit in bits):
            return [NO_HEAD] * len(bits)
        return dependency_heads(self._tree(bits), len(bits))

    def _tree(self, bits: list[str]) -> Constituent:
        whole = Constituent("", 0)
        stack = [whole]
        for word, (bit, number) in enumerate(zip(bits, self._lines, strict=True)):
            match = _BIT.fullmatch(bit)
            if match is None:
                raise error_at(
                    self._path, number, f"the parse bit {shown(bit)} is not like (NP(NP*)"
                )
            for label in match["opens"].split("(")[1:]:
                stack.append(Constituent(label, word))
                stack[-2].children.append(stack[-1])
            stack[-1].children.append(Constituent(self._rows[word][TAG], word))
            if len(match["closes"]) >= len(stack):
                problem = "the parse bit closes more constituents than are open"
                raise error_at(self._path, number, f"{problem}; give a whole tree a sentence")
            del stack[len(stack) - len(match["closes"]) :]
        if len(stack) > 1:
            problem = f"the sentence ends inside of {cut(stack[-1].label)}"
            raise error_at(self._path, self._lines[-1], f"{problem}; give a whole tree a sentence")
        return whole


def _written(word: str) -> str:
    if word in ("/.", "/?", "/-"):
        return word[1:]
    return WRITTEN.get(word, word)
