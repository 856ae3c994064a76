"""The most that corpora may have of anything, far over what real ones have: it bounds memory."""

from __future__ import annotations

from dataclasses import dataclass
from reprlib import Repr

from attnray.corpus.document import Sentence
from attnray.errors import InputError

#: Bytes of a line, and of the lines of a sentence; characters of a passage of text.
LINE = 2**25
#: Bytes of a file that is one list of JSON, which is read whole.
JSON_LIST = 2**27
#: Characters that are split into sentences at a time, and of a passage of GAP.
WINDOW = 2**16
#: Words of a sentence; words, sentences and letters of a document.
SENTENCE_WORDS = 2**20
DOCUMENT_WORDS = 2**23
DOCUMENT_SENTENCES = 2**19
DOCUMENT_LETTERS = 2**26
#: Characters of a word.
WORD = 2**17
#: Characters of what is written again and again: the name of a document, a relation.
NAME = 2**12
#: Different relations of a file: each has sums for every head.
RELATIONS = 1000
#: Brackets of mentions on a word, and fields of one.
BRACKETS = 200
FIELDS = 100
#: Numbers of a word's vector.
VECTOR = 2**14

_shown = Repr()
_shown.maxstring = _shown.maxother = 80


def shown(value: object) -> str:
    """A value as messages have it: cut where it is long, on one line."""
    return _shown.repr(value)


def cut(text: str) -> str:
    """A name as messages have it, without quotes: cut where it is long, on one line."""
    return shown(text)[1:-1]


@dataclass
class Extent:
    """How much a document has so far."""

    words: int = 0
    sentences: int = 0
    letters: int = 0

    def add(self, sentence: Sentence, where: str) -> Sentence:
        """Take in the next sentence, which stands at this place of a file.

        Raises:
            InputError: it, its longest word, a relation or all of the document is too long.
        """
        letters = [*map(len, sentence.words)]
        self.words += len(letters)
        self.sentences += 1
        self.letters += sum(letters)
        within(where, len(letters), SENTENCE_WORDS, "words in a sentence")
        within(where, self.words, DOCUMENT_WORDS, "words in a document")
        within(where, self.sentences, DOCUMENT_SENTENCES, "sentences in a document")
        within(where, self.letters, DOCUMENT_LETTERS, "letters in a document")
        within(where, max(letters, default=0), WORD, "characters in a word")
        longest = max(map(len, sentence.relations), default=0)
        within(where, longest, NAME, "characters in a relation")
        return sentence


def within(where: str, size: int, most: int, what: str, remedy: str = "divide it") -> None:
    """Refuse what has more of anything than it may have.

    Raises:
        InputError: says where, of what, and how much is possible.
    """
    if size > most:
        raise InputError(f"{where}: {size:,} {what}; at most {most:,} are possible: {remedy}")
