"""What coreference is held against: rules that choose an antecedent without attention."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from attnray.corpus.agreement import Attributes, agree
from attnray.corpus.example import Antecedent, Example

#: The first and the last word of a mention.
Place = tuple[int, int]


class Folded:
    """The words and mentions of an example as rules compare them: case ignored.

    There may be very many mentions: each is looked at once.
    """

    def __init__(self, example: Example) -> None:
        self.forms = [word.casefold() for word in example.words]
        self._same_words: dict[tuple[str, ...], dict[int, Place]] = defaultdict(dict)
        self._alike: dict[Attributes, dict[int, Place]] = defaultdict(dict)
        for mention in example.mentions:
            place = (mention.start, mention.end)
            self._same_words[self._text(mention)].setdefault(mention.head, place)
            self._alike[mention.attributes].setdefault(mention.head, place)

    def of_same_words(self, anaphor: Antecedent) -> set[int]:
        """The head words of the mentions before another one that have its words."""
        return _before(self._same_words[self._text(anaphor)], anaphor)

    def agreeing(self, anaphor: Antecedent) -> set[int]:
        """The head words of the mentions before another one that agree with it."""
        own = anaphor.attributes
        found = (heads for attributes, heads in self._alike.items() if agree(attributes, own))
        return set().union(*(_before(heads, anaphor) for heads in found))

    def _text(self, mention: Antecedent) -> tuple[str, ...]:
        return tuple(self.forms[mention.start : mention.end + 1])


def _before(heads: dict[int, Place], anaphor: Antecedent) -> set[int]:
    """Those of the head words whose first mention is before another one."""
    return {head for head, place in heads.items() if place < (anaphor.start, anaphor.end)}


def nearest(candidates: list[int], anaphor: Antecedent, example: Folded) -> int | None:
    """The nearest candidate."""
    return candidates[0]


def head_match(candidates: list[int], anaphor: Antecedent, example: Folded) -> int | None:
    """The nearest candidate with the form of the anaphor's head word, case ignored."""
    form = example.forms[anaphor.head]
    return _first(word for word in candidates if example.forms[word] == form)


def sieve(candidates: list[int], anaphor: Antecedent, example: Folded) -> int | None:
    """In turn the nearest of the same words, of the same form, that agrees, at all."""
    same_words = example.of_same_words(anaphor)
    found = _first(word for word in candidates if word in same_words)
    if found is None:
        found = head_match(candidates, anaphor, example)
    if found is None:
        agreeing = example.agreeing(anaphor)
        found = _first(word for word in candidates if word in agreeing)
    return nearest(candidates, anaphor, example) if found is None else found


#: A rule takes the candidates, nearest first, the anaphor and its example.
Baseline = Callable[[list[int], Antecedent, Folded], int | None]
BASELINES: dict[str, Baseline] = {"nearest": nearest, "head_match": head_match, "sieve": sieve}


def _first(words: Iterable[int]) -> int | None:
    return next(iter(words), None)
