"""How the roles of heads match: heads of two models paired by what relations they find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from attnray.compare.subjects import Subject
from attnray.metrics.paired import holm
from attnray.metrics.rows import whole_schema
from attnray.metrics.syntax import ALL, ALL_BUT_PUNCT
from attnray.report.claims import LEVEL
from attnray.report.compared.rows import MatchRow

#: A relation with fewer cases says little of a head.
FEWEST_CASES = 50
#: How often profiles are shuffled.
SHUFFLES = 200


@dataclass(frozen=True)
class Profiles:
    """What heads with a role find: accuracy by (head, relation and direction), heads by layer."""

    heads: list[tuple[int, int]]
    items: list[tuple[str, str]]
    accuracy: NDArray[np.float64]

    def of(self, items: list[tuple[str, str]]) -> NDArray[np.float64]:
        """The columns of some items."""
        return self.accuracy[:, [self.items.index(item) for item in items]]


def matches_table(subjects: Sequence[Subject]) -> pa.Table:
    """Every two subjects over the same sentences: heads of one with their like of the other.

    A head has a role where it finds more than the best fixed offset in some relation, after
    Holm's correction (`syntax_gains`); the others are alike in what they do not find. A head's
    profile is its accuracy in every relation with cases enough, in both directions; the distance
    of two is the root of the mean squared difference. Heads with a role are paired so that the
    sum of distances is least (linear assignment); of models with unequal numbers of them, some
    are left over. `mean_distance` is the mean over all of the other model: what pairing at random
    would give. p-values say whether heads without roles would be as near (see `_as_near`),
    corrected for the number of pairs (Holm).
    """
    profiled = [(s, p) for s in subjects if (p := _profiles(s)) is not None]
    rows: list[dict[str, object]] = []
    for (one, ours), (other, theirs) in combinations(profiled, 2):
        items = [item for item in ours.items if item in theirs.items]
        if one.examples("syntax") == other.examples("syntax") and items:
            corpus = one.run.manifest.sets_of("syntax")[0].corpus
            named = {"model": one.name, "corpus": corpus, "other_model": other.name}
            rows += [named | row for row in _matched(ours, theirs, items)]
    return pa.Table.from_pylist(rows, whole_schema(MatchRow))


def _profiles(subject: Subject) -> Profiles | None:
    table, gains = subject.table("syntax"), subject.table("syntax_gains")
    if table is None or gains is None:
        return None
    gaining = (pc.field("difference") > 0) & (pc.field("p_holm") < LEVEL)
    playing = {(row["layer"], row["head"]) for row in gains.filter(gaining).to_pylist()}
    found = [
        r
        for r in table.to_pylist()
        if r["total"] >= FEWEST_CASES
        and r["relation"] not in (ALL, ALL_BUT_PUNCT)
        and (r["layer"], r["head"]) in playing
    ]
    heads = sorted({(r["layer"], r["head"]) for r in found})
    items = sorted({(r["relation"], r["direction"]) for r in found})
    place = {head: row for row, head in enumerate(heads)}
    column = {item: number for number, item in enumerate(items)}
    accuracy = np.zeros((len(heads), len(items)))
    for r in found:
        cell = place[r["layer"], r["head"]], column[r["relation"], r["direction"]]
        accuracy[cell] = r["accuracy"]
    return Profiles(heads, items, accuracy)


def _matched(
    ours: Profiles, theirs: Profiles, items: list[tuple[str, str]]
) -> list[dict[str, object]]:
    mine, others = ours.of(items), theirs.of(items)
    distances = cdist(mine, others) / np.sqrt(len(items))
    places, their_places = linear_sum_assignment(distances)
    found = distances[places, their_places] * np.sqrt(len(items))
    p_values = np.maximum(
        _as_near(found, mine[places], others), _as_near(found, others[their_places], mine)
    ).tolist()
    tests = zip(p_values, holm(p_values), strict=True)
    return [
        {
            "layer": ours.heads[own][0],
            "head": ours.heads[own][1],
            "other_layer": theirs.heads[other][0],
            "other_head": theirs.heads[other][1],
            "distance": float(distances[own, other]),
            "mean_distance": float(distances[own].mean()),
            "p_value": p_value,
            "p_holm": p_holm,
        }
        for own, other, (p_value, p_holm) in zip(places, their_places, tests, strict=True)
    ]


def _as_near(
    found: NDArray[np.float64], heads: NDArray[np.float64], others: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The p-value of each distance: whether the nearest of heads without roles would be as near.

    Such heads have what the others find, item by item, but dealt out among them at random. The
    distance to the nearest of them is taken to be normal; no p-value is below the share of
    shuffles in which it is as small.

    Args:
        found: the distance of each head to its match.
        heads: their profiles, (head, item).
        others: the profiles of all heads that they could be matched with.
    """
    from scipy import special

    generator = np.random.default_rng(0)
    shuffled = (generator.permuted(others, axis=0) for _ in range(SHUFFLES))
    nearest = np.stack([cdist(heads, each).min(1) for each in shuffled])
    spread = nearest.std(0, ddof=1)
    told = spread > 1e-12  # with a single head or item all shuffles are the same
    below = (found - nearest.mean(0)) / np.where(told, spread, 1)
    p_values = np.maximum(special.stdtr(SHUFFLES - 1, below), (nearest <= found).mean(0))
    return np.where(told, p_values, 1.0)
