"""What coreference is held against: rules that choose an antecedent without attention."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attnray.corpus.agreement import agree
from attnray.corpus.example import Antecedent, Example


class Folded:
    """The words and mentions of an example as rules compare them: case ignored."""

    def __init__(self, example: Example) -> None:
        self.forms = [word.casefold() for word in example.words]
        self.mentions = example.mentions
        self._texts = [self.text(mention) for mention in example.mentions]

    def text(self, mention: Antecedent) -> tuple[str, ...]:
        """The words of a mention."""
        return tuple(self.forms[mention.start : mention.end + 1])

    def earlier(self, anaphor: Antecedent) -> Sequence[tuple[Antecedent, tuple[str, ...]]]:
        """The mentions before another one, each with its words."""
        span = (anaphor.start, anaphor.end)
        pairs = zip(self.mentions, self._texts, strict=True)
        return [(mention, text) for mention, text in pairs if (mention.start, mention.end) < span]


def nearest(candidates: list[int], anaphor: Antecedent, example: Folded) -> int | None:
    """The nearest candidate."""
    return candidates[0]


def head_match(candidates: list[int], anaphor: Antecedent, example: Folded) -> int | None:
    """The nearest candidate with the form of the anaphor's head word, case ignored."""
    form = example.forms[anaphor.head]
    return _first(word for word in candidates if example.forms[word] == form)


def sieve(candidates: list[int], anaphor: Antecedent, example: Folded) -> int | None:
    """In turn the nearest of the same words, of the same form, that agrees, at all."""
    earlier, text = example.earlier(anaphor), example.text(anaphor)
    same_words = {mention.head for mention, own in earlier if own == text}
    found = _first(word for word in candidates if word in same_words)
    if found is None:
        found = head_match(candidates, anaphor, example)
    if found is None:
        agreeing = {m.head for m, _ in earlier if agree(m.attributes, anaphor.attributes)}
        found = _first(word for word in candidates if word in agreeing)
    return nearest(candidates, anaphor, example) if found is None else found


#: A rule takes the candidates, nearest first, the anaphor and its example.
Baseline = Callable[[list[int], Antecedent, Folded], int | None]
BASELINES: dict[str, Baseline] = {"nearest": nearest, "head_match": head_match, "sieve": sieve}


def _first(words: Iterable[int]) -> int | None:
    return next(iter(words), None)
