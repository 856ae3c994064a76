"""The same cases in two runs: of examples of one document and the same words."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from attnray.explore.cases import Cases, Texts
from attnray.explore.columns import Forms, Numbers


@lru_cache(maxsize=4)
def counterparts(cases: Cases, others: Cases) -> Numbers:
    """For each case its counterpart among those of another run, -1 where there is none.

    Two examples are the same where their documents have the same name and they the same words;
    two cases of such where both examples have as many, of the same words.
    """
    if not len(others):
        return np.full(len(cases), -1, np.int32)
    example = _same_examples(cases.texts, others.texts)
    here = np.searchsorted(cases.example, np.arange(len(example) + 1))
    there = np.searchsorted(others.example, np.arange(len(others.texts) + 1))
    alike = (example >= 0) & (np.diff(here) == np.diff(there)[example])
    number = np.arange(len(cases)) - here[cases.example] + there[example[cases.example]]
    found = np.where(alike[cases.example], number, -1)
    if cases.metric:
        offset = cases.word - cases.texts.start[cases.example]
        other = others.word[found] - others.texts.start[others.example[found]]
        found[offset != other] = -1
    return found.astype(np.int32)


def _same_examples(texts: Texts, others: Texts) -> Numbers:
    """For each example its counterpart, -1 where there is none."""
    words = _translated(texts.forms, others.forms)[texts.words]
    documents = _translated(texts.documents, others.documents)[texts.document]
    known = {key: place for place, key in enumerate(_keys(others, others.document, others.words))}
    found = [known.get(key, -1) for key in _keys(texts, documents, words)]
    return np.array(found, np.int32)


def _keys(texts: Texts, documents: Numbers, words: Numbers) -> list[tuple[int, bytes]]:
    starts, ends = texts.start.tolist(), texts.end.tolist()
    return [
        (document, words[start:end].tobytes())
        for document, start, end in zip(documents.tolist(), starts, ends, strict=True)
    ]


def _translated(forms: Forms, others: Forms) -> Numbers:
    """The number that each string has elsewhere, -1 where it has none."""
    numbers = [others.number(forms[n]) for n in range(len(forms))]
    return np.array([-1 if n is None else n for n in numbers], np.int32)
