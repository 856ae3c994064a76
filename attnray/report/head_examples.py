"""Example sentences of every head: the surest right, the surest wrong, and random ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attnray.metrics.coreference import ALL, MentionGainRow
from attnray.metrics.syntax import DIRECTIONS, RelationGainRow
from attnray.report import glosses
from attnray.report.claims import claimed
from attnray.report.findings import Source, Tables
from attnray.report.picks import Case, Picks, antecedents, dependencies, drawn
from attnray.report.sentences import Weights, packed_weights, text_data
from attnray.report.wording import legible

if TYPE_CHECKING:
    from attnray.config import Config
    from attnray.corpus.example import Example
    from attnray.reading import RunReader

RELATIONS = Source("syntax_gains", RelationGainRow)
MENTIONS = Source("coreference_gains", MentionGainRow)

#: So many examples are drawn.
SENTENCES, DOCUMENTS = 400, 40
#: About so many are shown of a head, with so many kinds of cases at most.
EXAMPLES, KINDS = 30, 3
#: In parts of the same size: the surest right, the surest wrong, random ones.
PARTS = 3
#: A label has so many cases among those drawn, if any has.
FEWEST = 10
#: So many heads at most are shown with antecedents: those with the greatest gains.
FINDERS = 10

Head = tuple[int, int]
Gain = RelationGainRow | MentionGainRow
#: An example of a run, by its number there.
Place = tuple[Picks, int]


class Kind(NamedTuple):
    """The cases of a label that a head is shown with, in a direction counted from 0."""

    picks: Picks
    label: str
    direction: int
    said: Mapping[str, object]


class Chosen(NamedTuple):
    """A kind of cases with those that are shown, by group, and how many there are, and right."""

    kind: Kind
    shown: Mapping[str, Sequence[int]]
    cases: int
    right: int


def head_examples(
    tables: Tables, open_role: Callable[[str], RunReader], config: Config, cite: str
) -> dict[str, object]:
    """What the cards show of sentences, by id: `examples` for all heads, and those of each.

    Args:
        tables: those of the run's model, fit to be shown.
        open_role: opens the examples that serve a role.
        config: how the run was made.
        cite: model, corpus and version, for citations, fit to be shown.
    """
    kinds = _kinds(tables, open_role, config)
    chosen = {
        head: [_chosen(kind, head, EXAMPLES // len(own) // PARTS, config.seed) for kind in own]
        for head, own in kinds.items()
    }
    read = _read(chosen)
    shared = {"merge": config.merge, "cite": cite, "seed": config.seed}
    heads = {
        f"examples-{head[0]}-{head[1]}": _card(head, own, read) for head, own in chosen.items()
    }
    return {"examples": {**shared, "texts": [*read.texts.values()]}, **heads}


def _kinds(
    tables: Tables, open_role: Callable[[str], RunReader], config: Config
) -> dict[Head, list[Kind]]:
    """What each head is shown with: what it is best at, and what else it finds."""
    relations, mentions = RELATIONS.rows(tables), _finders(MENTIONS.rows(tables))
    picks: dict[type, Picks] = {}
    if relations:
        syntax = partial(dependencies, labels=config.relation_labels)
        picks[RelationGainRow] = _picks(open_role("syntax"), SENTENCES, syntax, config)
    if mentions:
        coreference = partial(antecedents, candidates=config.candidates)
        picks[MentionGainRow] = _picks(open_role("coreference"), DOCUMENTS, coreference, config)
    cases = {kind: Counter(case.label for case in each.cases) for kind, each in picks.items()}
    rows: dict[Head, list[Gain]] = defaultdict(list)
    measured: list[Gain] = [*relations, *mentions]
    for row in measured:
        counts = cases[type(row)]
        if counts[_label(row)] >= min(FEWEST, max(counts.values(), default=1)):
            rows[row.layer, row.head].append(row)
    return {
        head: [_kind(picks[type(row)], row) for row in _best(own)] for head, own in rows.items()
    }


def _finders(rows: Sequence[MentionGainRow]) -> list[MentionGainRow]:
    """The best row of each of the heads that find antecedents, at the first cut of documents."""
    best: dict[Head, MentionGainRow] = {}
    first = [row for row in rows if row.max_tokens == rows[0].max_tokens]
    for row in sorted(first, key=_rank, reverse=True):
        if row.mention_type != ALL and (row.difference or 0) > 0:
            best.setdefault((row.layer, row.head), row)
    return [*best.values()][:FINDERS]


def _best(rows: Sequence[Gain]) -> list[Gain]:
    """The relation that a head is best at, what else it finds, and antecedents if it does."""
    ranked = sorted(rows, key=_rank, reverse=True)
    mentions = [row for row in ranked if isinstance(row, MentionGainRow)]
    relations = [row for row in ranked if isinstance(row, RelationGainRow)]
    found = [*relations[:1], *filter(_is_claimed, relations[1:])]
    return sorted([*found[: KINDS - len(mentions)], *mentions], key=_rank, reverse=True)


def _rank(row: Gain) -> tuple[bool, float, int]:
    """Gains that are claimed first, then by the gain, then by the number of cases."""
    return _is_claimed(row), -1.0 if row.difference is None else row.difference, row.total


def _is_claimed(row: Gain) -> bool:
    return claimed(row.difference, row.p_holm) == "more"


def _label(row: Gain) -> str:
    return row.relation if isinstance(row, RelationGainRow) else row.mention_type


def _picks(
    reader: RunReader, most: int, cases_of: Callable[[Example], Iterable[Case]], config: Config
) -> Picks:
    return Picks.of(reader, drawn(reader, most, config.seed), cases_of, config.merge)


def _kind(picks: Picks, row: Gain) -> Kind:
    label = _label(row)
    if isinstance(row, MentionGainRow):
        said = {
            "name": label,
            "gloss": f"antecedents of {glosses.mention(label)}",
            "arcs": "to an antecedent",
            "drawn": f"{len(picks.examples)} documents",
        }
        return Kind(picks, label, 0, {**said, "attended": False})
    direction = DIRECTIONS.index(row.direction)
    said = {
        "name": label,
        "gloss": glosses.relation(label),
        "arcs": f"{label} in the treebank",
        "drawn": f"{len(picks.examples)} sentences",
    }
    return Kind(picks, label, direction, {**said, "attended": direction == 1})


def _chosen(kind: Kind, head: Head, each: int, seed: int) -> Chosen:
    """The cases of a kind that a head is shown with, so many of each group."""
    picks, direction = kind.picks, kind.direction
    own = [place for place, case in enumerate(picks.cases) if case.label == kind.label]
    right = {place for place in own if picks.right(place, *head, direction)}
    layer, number = head
    surest = sorted(own, key=lambda at: -picks.weights[at, layer - 1, number - 1, direction])
    random = np.random.default_rng([seed, *head]).permutation(len(own))[:each]
    shown = {
        "right": _of_each_once(picks, (at for at in surest if at in right), each),
        "wrong": _of_each_once(picks, (at for at in surest if at not in right), each),
        "random": [own[at] for at in random.tolist()],
    }
    return Chosen(kind, shown, len(own), len(right))


def _of_each_once(picks: Picks, cases: Iterable[int], most: int) -> list[int]:
    """The first cases, one of each example."""
    first: dict[int, int] = {}
    for case in cases:
        first.setdefault(picks.cases[case].example, case)
    return list(islice(first.values(), most))


class Read(NamedTuple):
    """The examples that are shown, and the weights of those heads that are shown with them."""

    texts: dict[Place, dict[str, object]]
    maps: dict[Head, dict[Place, Weights]]


def _read(chosen: Mapping[Head, Sequence[Chosen]]) -> Read:
    """Read what is shown, each example once."""
    wanted: dict[Picks, dict[int, set[Head]]] = defaultdict(lambda: defaultdict(set))
    for head, own in chosen.items():
        for each in own:
            for case in chain(*each.shown.values()):
                picks = each.kind.picks
                wanted[picks][picks.cases[case].example].add(head)
    found = Read({}, defaultdict(dict))
    for picks, numbers in wanted.items():
        for number in sorted(numbers):
            example = picks.reader[number]
            weights = example.attention()
            source = legible(f"example {number} ({example.document})")
            found.texts[picks, number] = {**text_data(example), "source": source}
            for head in numbers[number]:
                found.maps[head][picks, number] = weights[head[0] - 1, head[1] - 1]
    return found


def _card(head: Head, chosen: Sequence[Chosen], read: Read) -> dict[str, object]:
    """What the card of a head shows."""
    maps = read.maps[head]
    numbers = {place: number for number, place in enumerate(read.texts)}
    places = {place: number for number, place in enumerate(maps)}
    return {
        "kinds": [_shown(each, head, places) for each in chosen],
        "examples": [numbers[place] for place in maps],
        "weights": packed_weights([*maps.values()]) if maps else "",
    }


def _shown(chosen: Chosen, head: Head, places: Mapping[Place, int]) -> dict[str, object]:
    """A kind of cases, each with the place of its map, its words, and what is picked."""
    kind = chosen.kind
    picks, at = kind.picks, (head[0] - 1, head[1] - 1, kind.direction)

    def row(number: int) -> list[object]:
        case = picks.cases[number]
        picked, weight = int(picks.picked[number][at]), float(picks.weights[number][at])
        place = places[picks, case.example]
        return [place, case.word, sorted(case.answers), picked, round(weight, 3)]

    groups = {group: [*map(row, cases)] for group, cases in chosen.shown.items()}
    return {**kind.said, "cases": chosen.cases, "right": chosen.right, "groups": groups}
