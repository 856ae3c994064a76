"""Slow, obvious implementation of what is kept of each case, to test the fast one against."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tests.builders import oracle
from tests.builders.gap_oracle import NAMES, Passage
from tests.builders.oracle import Case, Row


def syntax_cases(cases: Sequence[Case], merge: str) -> list[Row]:
    """A row for each word with a head; units are numbered as they first come."""
    units = numbered(case.unit for case in cases)
    rows: list[Row] = []
    for number, case in enumerate(cases):
        words = oracle.word_attention(case, merge)
        for word in oracle.dependents(case):
            head = case.heads[word] - 1
            others = [other for other in range(len(case.words)) if other != word]
            right = []
            for layer, own in oracle.all_heads([case]):
                matrix = words[layer - 1, own - 1]
                for weight in (matrix[word], matrix[:, word]):
                    guess = oracle.most_attended(others, weight.tolist(), word)
                    right.append(guess == head)
            row: Row = {"example": number, "word": word, "head_word": head}
            row |= {"distance": head - word, "relation": case.relations[word]}
            row |= {"document": case.unit}
            row |= {"unit": units[case.unit], "fold": oracle.fold_of(case.unit)}
            rows.append(row | {"right": in_bytes(right)})
    return rows


def coreference_cases(
    cases: Sequence[Case], max_tokens: int, candidates: str, merge: str
) -> list[Row]:
    """A row for each anaphor, by first and last word; a document is its unit."""
    rows: list[Row] = []
    for number, case in enumerate(cases):
        found = zip(anaphoric(case), oracle.anaphors(case, candidates), strict=True)
        for (start, end, entity), anaphor in found:
            row = {"max_tokens": max_tokens, "mention_type": anaphor.mention_type}
            row |= {"antecedents": sorted(anaphor.antecedents)}
            row |= {"candidates": len(anaphor.candidates)}
            row |= {"start": start, "end": end, "entity": entity}
            row |= where(case, number, anaphor.head)
            right = chosen(case, merge, anaphor.head, anaphor.candidates, anaphor.antecedents)
            rows.append(row | {"right": in_bytes(right)})
    return rows


def anaphoric(case: Case) -> list[tuple[int, int, str]]:
    """The mentions that have an earlier one of their entity under another head word."""
    mentions = sorted(case.mentions, key=lambda mention: mention[:2])
    head = [oracle.mention_head(case, start, end) for start, end, _ in mentions]
    return [
        mention
        for place, mention in enumerate(mentions)
        if any(
            mentions[before][2] == mention[2] and head[before] != head[place]
            for before in range(place)
        )
    ]


def gap_cases(
    passages: Sequence[Passage], cases: Sequence[Case], max_tokens: int, merge: str
) -> list[Row]:
    """A row for each pronoun that stands for one of the two names, or both."""
    rows: list[Row] = []
    for number, case in enumerate(cases):
        for passage in passages:
            right = [passage.names[name] for name in NAMES if passage.coref[name]]
            if passage.case is case and right:
                ((start, end, entity),) = (m for m in case.mentions if m[1] == passage.pronoun)
                gender = passage.gender if passage.gender != "other" else None
                row = {"max_tokens": max_tokens, "gender": gender}
                row |= {"start": start, "end": end, "entity": entity}
                row |= where(case, number, passage.pronoun)
                names = list(passage.names.values())
                found = chosen(case, merge, passage.pronoun, names, right)
                rows.append(row | {"right": in_bytes(found)})
    return rows


def where(case: Case, number: int, word: int) -> Row:
    """The columns that say where a mention of a document stands; `word` is its head word."""
    name = case.unit_of_word[word]
    found = {"document": case.unit, "example": number, "word": word}
    return {**found, "unit": number, "fold": oracle.fold_of(name)}


def chosen(
    case: Case, merge: str, word: int, candidates: Sequence[int], right: Collection[int | None]
) -> list[bool]:
    """Whether each head, layers first, attends most to a candidate that is right."""
    words = oracle.word_attention(case, merge)
    return [
        oracle.most_attended(candidates, words[layer - 1, head - 1, word].tolist(), word) in right
        for layer, head in oracle.all_heads([case])
    ]


def in_bytes(right: Sequence[bool]) -> bytes:
    """A bit for each, the first the lowest of the first byte."""
    whole = sum(1 << place for place, each in enumerate(right) if each)
    return whole.to_bytes((len(right) + 7) // 8, "little")


def numbered(names: Iterable[str]) -> dict[str, int]:
    """Names by the order in which they first come."""
    return {name: number for number, name in enumerate(dict.fromkeys(names))}
