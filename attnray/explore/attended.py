"""What a head attends to on the cases that are asked for, from a bounded number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attnray.corpus.example import Example
from attnray.explore.found import Found, Shown
from attnray.explore.opened import SHARDS_HELD
from attnray.metrics.syntax import DIRECTIONS
from attnray.reading import MERGES, Weights
from attnray.report.wording import offset

#: So many of the cases are looked at, evenly spread over those of `SHARDS_HELD` shards.
CASES = 100
#: Words farther away are counted together, as are relations after the first so many.
FARTHEST, RELATIONS = 8, 12
ITSELF, OTHERS, UNLABELLED = "the word itself", "other relations", "no relation"


class Shares(NamedTuple):
    """Of the attention from a word, or of that to it, the share of each word and special token."""

    example: Example
    word: int
    of_words: Weights
    of_special: dict[str, float]


@dataclass(frozen=True)
class Attended:
    """Mean shares over some `words`, by distance in words and by relation of the other word.

    `incoming`: of the attention to a word; else of that from it.
    """

    shown: Shown
    incoming: bool
    words: int
    distances: dict[str, float]
    relations: dict[str, float]


def attended(found: Found, shown: Shown) -> Attended:
    """What a head attends to on the chosen cases, or on all words of the chosen examples."""
    incoming = shown.direction == DIRECTIONS[1]
    universal = shown.run.config.relation_labels == "universal"
    distances: dict[str, float] = defaultdict(float)
    relations: dict[str, float] = defaultdict(float)
    words = 0
    for example, word, of_words, special in _shares(found, shown, incoming):
        words += 1
        for other, share in enumerate(of_words.tolist()):
            distances[_distance(other - word)] += share
            relation = example.relations[other]
            label = (relation.partition(":")[0] if universal else relation) or UNLABELLED
            relations[ITSELF if other == word else label] += share
        for name, share in special.items():
            distances[name] += share
            relations[name] += share
    return Attended(
        shown,
        incoming,
        words,
        {name: distances[name] / (words or 1) for name in _by_distance(distances)},
        {name: share / words for name, share in _largest(relations).items()},
    )


def _shares(found: Found, shown: Shown, incoming: bool) -> Iterator[Shares]:
    merge = shown.run.config.merge
    for case in _spread(found, shown):
        weights = shown.run.weights(shown.cases, case, *shown.head)
        if weights is None:
            continue
        example = shown.run.example(shown.cases, case)
        of_case = shown.cases.word[case] - shown.cases.texts.start[shown.cases.example[case]]
        for word in [int(of_case)] if shown.cases.metric else range(len(example.words)):
            if (example.word_of_piece == word).any():
                yield _of_word(example, weights, word, incoming, merge)


def _spread(found: Found, shown: Shown) -> list[int]:
    """Chosen cases, in the run of a head, whose attention is kept; those of a few shards."""
    chosen = found.chosen if shown.there is None else shown.there[found.chosen]
    chosen = chosen[chosen >= 0]
    stored = shown.run.stored(shown.cases)
    if stored is not None:
        chosen = chosen[stored[chosen]]
    shards = shown.cases.texts.shard[shown.cases.example[chosen]]
    among = chosen[np.isin(shards, _evenly(np.unique(shards), SHARDS_HELD))]
    spread: list[int] = _evenly(among, CASES).tolist()
    return spread


def _evenly(values: NDArray[Any], most: int) -> NDArray[Any]:
    """So many of some values at the most, evenly spread over them."""
    places = np.linspace(0, len(values) - 1, min(len(values), most)).round().astype(int)
    return np.asarray(values[places])


def _of_word(example: Example, weights: Weights, word: int, incoming: bool, merge: str) -> Shares:
    """From a word as the metrics take it, `merge` being over its pieces, to words their sum."""
    owner, count = example.word_of_piece, len(example.words)
    own, ordinary = owner == word, owner >= 0
    if incoming:
        to_word = weights[:, own].sum(1)
        of_words: Weights = np.zeros(count)
        for other in set(owner[ordinary].tolist()):
            of_words[other] = MERGES[merge](to_word[owner == other, None])[0]
        whole = (of_words.sum() + to_word[~ordinary].sum()) or 1.0
        by_piece, of_words = to_word / whole, of_words / whole
    else:
        by_piece = MERGES[merge](weights[own])
        of_words = np.bincount(owner[ordinary], by_piece[ordinary], count).astype(float)
    special: dict[str, float] = defaultdict(float)
    for place in np.flatnonzero(~ordinary).tolist():
        special[example.tokens[place]] += float(by_piece[place])
    return Shares(example, word, of_words, special)


def _distance(words: int) -> str:
    if abs(words) <= FARTHEST:
        return offset(words) if words else ITSELF
    return f"beyond {offset(FARTHEST if words > 0 else -FARTHEST)}"


def _by_distance(found: Mapping[str, float]) -> list[str]:
    """The names of distances from left to right, then special tokens."""
    reach = range(-FARTHEST - 1, FARTHEST + 2)
    names = [_distance(words) for words in reach]
    return [*names, *sorted(found.keys() - set(names))]


def _largest(found: Mapping[str, float]) -> dict[str, float]:
    """The largest shares by name, then that of all others together."""
    largest = dict(sorted(found.items(), key=lambda each: -each[1])[:RELATIONS])
    rest = sum(found.values()) - sum(largest.values())
    return {**largest, OTHERS: rest} if len(found) > RELATIONS else largest
