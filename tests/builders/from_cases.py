"""Tables made from the files of cases alone: nothing is read but them, and nothing of the code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from tests.builders import oracle
from tests.builders.oracle import DIRECTIONS, OFFSETS, Row

#: The rows of a table that a case counts in.
Groups = Callable[[Row], Sequence[str]]


def cases_of(run_dir: Path, metric: str) -> list[Row]:
    """The cases of all shards, `right` as the numbers of the candidates that are right."""
    paths = sorted((run_dir / "cases" / metric).glob("*.parquet"))
    rows = [row for path in paths for row in pq.read_table(path, partitioning=None).to_pylist()]
    for row in rows:
        row["right"] = np.unpackbits(np.frombuffer(row["right"], np.uint8), bitorder="little")
    return rows


class Scores:
    """What candidates have right, by row of a table and unit."""

    def __init__(self, cases: Iterable[Row], groups: Groups) -> None:
        self.right: dict[str, dict[int, Any]] = defaultdict(dict)
        self.cases: dict[str, dict[int, int]] = defaultdict(dict)
        self.fold: dict[int, int] = {}
        for case in cases:
            unit = case["unit"]
            self.fold[unit] = case["fold"]
            for group in groups(case):
                known = self.right[group].get(unit, 0)
                self.right[group][unit] = known + case["right"].astype(int)
                self.cases[group][unit] = self.cases[group].get(unit, 0) + 1

    def total(self, group: str) -> int:
        return sum(self.cases[group].values())

    def of(self, group: str, candidate: int) -> Row:
        """How much a candidate has right, with its interval over units."""
        counts = [int(each[candidate]) for each in self.right[group].values()]
        low, high = oracle.intervals(counts, list(self.cases[group].values()), accuracy=True)
        correct, total = sum(counts), self.total(group)
        row = {"correct": correct, "total": total, "accuracy": oracle.ratio(correct, total)}
        return {**row, "ci_low": low, "ci_high": high}

    def best(self, group: str, without: int | None = None) -> int:
        """The first of the best candidates on all folds but one."""
        kept = [each for unit, each in self.right[group].items() if self.fold[unit] != without]
        return int(np.argmax(sum(kept))) if kept else 0

    def heldout(self, group: str) -> float | None:
        """The accuracy of the candidates that are best on the other folds; None of few units."""
        if len(self.fold) < oracle.FOLDS:
            return None
        picks = [self.best(group, fold) for fold in range(oracle.FOLDS)]
        units = self.right[group].items()
        correct = sum(int(each[picks[self.fold[unit]]]) for unit, each in units)
        return oracle.ratio(correct, self.total(group))

    def best_row(self, group: str, heads: int, directions: Sequence[str] = ()) -> Row:
        """The part of a table of best heads that tells of the head."""
        winner = self.best(group)
        found = {**placed(winner, heads, directions), **self.of(group, winner)}
        del found["correct"]
        return {**found, "heldout_accuracy": self.heldout(group)}


def gains(scores: Scores, rules: Scores, group: str, heads: int) -> list[Row]:
    """What every head has right beyond the best offset; both picked on the other folds."""
    units = sorted(scores.right[group])
    right = np.array([scores.right[group][unit] for unit in units])
    offsets = np.array([rules.right[group][unit] for unit in units])
    totals = [scores.cases[group][unit] for unit in units]
    fold = np.array([scores.fold[unit] for unit in units])
    outside = [fold != number for number in range(oracle.FOLDS)]
    baselines = [int(np.argmax(offsets[others].sum(0))) for others in outside]
    rows = []
    for layer_and_head in range(right.shape[1] // 2):
        own = right[:, 2 * layer_and_head : 2 * layer_and_head + 2]
        ways = [int(np.argmax(own[others].sum(0))) for others in outside]
        mine = [int(own[place, ways[f]]) for place, f in enumerate(fold)]
        theirs = [int(offsets[place, baselines[f]]) for place, f in enumerate(fold)]
        row: Row = {"relation": group, "total": sum(totals)}
        row |= placed(2 * layer_and_head + int(np.argmax(own.sum(0))), heads, DIRECTIONS)
        row |= {"accuracy": sum(mine) / sum(totals)}
        row |= {"baseline_accuracy": sum(theirs) / sum(totals)}
        differing = [one - other for one, other in zip(mine, theirs, strict=True)]
        wider = 1.0 if len(set(ways)) == len(set(baselines)) == 1 else 1.5
        rows.append({**row, **oracle.tested(differing, totals, wider)})
    return rows


def placed(candidate: int, heads: int, directions: Sequence[str] = ()) -> Row:
    """Layer, head and direction of a candidate: layers first, directions last."""
    head, direction = divmod(candidate, len(directions) or 1)
    place: Row = {"layer": head // heads + 1, "head": head % heads + 1}
    return {**place, "direction": directions[direction]} if directions else place


def relations(case: Row) -> Sequence[str]:
    """The rows of a word: its universal relation, all, and all but punctuation."""
    label = case["relation"].split(":")[0]
    return ["all", label] if label == "punct" else ["all", "all_but_punct", label]


def syntax(cases: Sequence[Row], layers: int, heads: int) -> dict[str, list[Row]]:
    """The tables of syntax; of `syntax_best` what it tells of the head."""
    scores = Scores(cases, relations)
    names = sorted(scores.cases)
    candidates = range(layers * heads * len(DIRECTIONS))
    nearest = sorted(OFFSETS, key=lambda offset: (abs(offset), offset))
    rules = Scores(({**c, "right": np.array(nearest) == c["distance"]} for c in cases), relations)
    distances = [(case["distance"], relations(case)) for case in cases]
    baselines = []
    for name in names:
        for offset in OFFSETS:
            right = sum(distance == offset and name in of for distance, of in distances)
            row = {"baseline": "offset", "offset": offset, "relation": name, "correct": right}
            total = scores.total(name)
            baselines.append({**row, "total": total, "accuracy": oracle.ratio(right, total)})
    return {
        "syntax": [
            {"relation": name, **placed(each, heads, DIRECTIONS), **scores.of(name, each)}
            for name in names
            for each in candidates
        ],
        "syntax_best": [
            {"relation": name, **scores.best_row(name, heads, DIRECTIONS)} for name in names
        ],
        "syntax_baselines": baselines,
        "syntax_gains": oracle.with_holm(
            [row for name in names for row in gains(scores, rules, name, heads)],
            lambda row: row["relation"] in ("all", "all_but_punct"),
        ),
    }


def by_kind(
    cases: Sequence[Row], column: str, kinds: Sequence[str], layers: int, heads: int, cut: int
) -> tuple[list[Row], list[Row]]:
    """The accuracies of heads by kind of case, `all` among them, and what the best head reaches."""
    scores = Scores(cases, lambda case: ["all", *([case[column]] if case[column] else [])])
    table, best = [], []
    for kind in kinds:
        own = {"max_tokens": cut, column: kind}
        for each in range(layers * heads):
            table.append({**own, **placed(each, heads), **scores.of(kind, each)})
        row = scores.best_row(kind, heads)
        best.append({**own, **(row if scores.total(kind) else dict.fromkeys(row) | {"total": 0})})
    return table, best
