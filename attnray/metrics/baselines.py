"""What coreference is held against: rules that choose an antecedent without attention."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attnray.corpus.agreement import agree
from attnray.corpus.example import Antecedent, Example


def nearest(candidates: list[int], anaphor: Antecedent, example: Example) -> int | None:
    """The nearest candidate."""
    return candidates[0]


def head_match(candidates: list[int], anaphor: Antecedent, example: Example) -> int | None:
    """The nearest candidate with the form of the anaphor's head word, case ignored."""
    form = _form(example, anaphor.head)
    return _first(word for word in candidates if _form(example, word) == form)


def sieve(candidates: list[int], anaphor: Antecedent, example: Example) -> int | None:
    """In turn the nearest of the same words, of the same form, that agrees, at all."""
    earlier = [m for m in example.mentions if (m.start, m.end) < (anaphor.start, anaphor.end)]
    same_words = {m.head for m in earlier if _words(example, m) == _words(example, anaphor)}
    agreeing = {m.head for m in earlier if agree(m.attributes, anaphor.attributes)}
    passes = (
        _first(word for word in candidates if word in same_words),
        head_match(candidates, anaphor, example),
        _first(word for word in candidates if word in agreeing),
        nearest(candidates, anaphor, example),
    )
    return _first(found for found in passes if found is not None)


#: A rule takes the candidates, nearest first, the anaphor and its example.
Baseline = Callable[[list[int], Antecedent, Example], int | None]
BASELINES: dict[str, Baseline] = {"nearest": nearest, "head_match": head_match, "sieve": sieve}


def _form(example: Example, word: int) -> str:
    return example.words[word].casefold()


def _words(example: Example, mention: Antecedent) -> list[str]:
    return [word.casefold() for word in example.words[mention.start : mention.end + 1]]


def _first(words: Iterable[int]) -> int | None:
    return next(iter(words), None)
