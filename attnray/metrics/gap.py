"""Heads as resolvers of ambiguous pronouns: GAP (definitions: Ambiguous pronouns)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import Tensor

from attnray.corpus.example import Example
from attnray.metrics.antecedents import (
    PAIRED,
    Anaphor,
    accuracies,
    best_of,
    predicted,
    sums_of,
    units_of,
)
from attnray.metrics.base import UnitCounts, named, nullable, under
from attnray.metrics.baselines import BASELINES
from attnray.metrics.best import best, heldout_correct
from attnray.metrics.paired import Comparison, holm
from attnray.metrics.rows import table_of
from attnray.metrics.sums import Partial

ALL, FEMININE, MASCULINE = "all", "feminine", "masculine"
GENDERS = (ALL, FEMININE, MASCULINE)
#: The gender of a pronoun by its attribute.
GENDER_OF = {"Fem": FEMININE, "Masc": MASCULINE}

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PronounRow:
    """A row of `gap`: how often a head chooses the right name, and its scores by GAP's scorer."""

    max_tokens: int
    layer: int
    head: int
    gender: str
    correct: int
    total: int
    accuracy: float | None
    ci_low: float | None
    ci_high: float | None
    passages: int
    precision: float | None
    recall: float | None
    f1: float | None
    bias: float | None


@dataclass(frozen=True)
class PronounBaselineRow:
    """A row of `gap_baselines`: the same of a rule."""

    max_tokens: int
    baseline: str
    gender: str
    correct: int
    total: int
    accuracy: float | None
    passages: int
    precision: float | None
    recall: float | None
    f1: float | None
    bias: float | None


@dataclass(frozen=True)
class BestPronounRow:
    """A row of `gap_best`: the best head and rule for the pronouns of a gender, and their test.

    `layer`, `head` and what they reach are null where there is no such pronoun; `left_out` and
    `bias` are those of all genders together.
    """

    max_tokens: int
    gender: str
    total: int
    layer: int | None
    head: int | None
    accuracy: float | None
    ci_low: float | None
    ci_high: float | None
    heldout_accuracy: float | None
    baseline: str | None
    baseline_accuracy: float | None
    baseline_heldout_accuracy: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_holm: float | None
    passages: int
    left_out: int | None
    f1: float | None
    heldout_f1: float | None
    baseline_f1: float | None
    bias: float | None
    baseline_bias: float | None


def ambiguous(example: Example) -> Anaphor | None:
    """The pronoun of a passage, which chooses between the head words of the two names.

    None where not all three are in the example. It has no antecedent where it stands for
    neither name.
    """
    pronouns = [mention for mention in example.mentions if mention.type == "pronoun"]
    names = [mention for mention in example.mentions if mention.type != "pronoun"]
    if len(pronouns) != 1 or len(names) != 2:
        return None
    right = frozenset(name.head for name in names if name.entity == pronouns[0].entity)
    return Anaphor.among((name.head for name in names), pronouns[0], right)


@dataclass(frozen=True)
class Scores:
    """The decisions of several predictors whether a pronoun stands for a name, two a passage.

    As GAP's scorer has it: `precision` is the share of right ones among the names chosen,
    `recall` among those that are right, `f1` their harmonic mean; 0 where there are none. NaN
    where there is no passage at all.
    """

    precision: Floats
    recall: Floats
    f1: Floats


def scored(correct: Counts, chosen: Counts, right: int, passages: int) -> Scores:
    """The scores of predictors.

    Args:
        correct: names rightly chosen, by predictor.
        chosen: names chosen, by predictor.
        right: names that pronouns stand for.
        passages: how many there are.
    """

    def share(part: Counts, whole: Counts) -> Floats:
        return part / np.maximum(whole, 1) if passages else np.full(part.shape, np.nan)

    recall = share(correct, np.full_like(correct, right))
    return Scores(share(correct, chosen), recall, share(2 * correct, chosen + right))


@dataclass(frozen=True)
class Group:
    """The merged sums of the pronouns of a gender."""

    gender: str
    sums: Partial

    @property
    def heads(self) -> Scores:
        """The scores of every head, layers first."""
        return self._of_heads(self.sums["c"].ravel())

    @property
    def heldout(self) -> Scores:
        """Those of the heads that are best on the other folds, as one predictor."""
        return self._of_heads(np.array([heldout_correct(self.sums[f"{PAIRED}/h"])]))

    @property
    def baselines(self) -> Scores:
        """The scores of every baseline; one without an answer has chosen neither name."""
        return scored(self.right_baselines, self.sums["answered"], self._right, self.passages)

    @property
    def right_baselines(self) -> Counts:
        """How often every baseline is right."""
        right: Counts = self.sums[f"{PAIRED}/b"].sum(0)
        return right

    @property
    def passages(self) -> int:
        """How many there are, with those whose pronoun stands for neither name."""
        return int(self.sums["passages"])

    @property
    def _right(self) -> int:
        return int(self.sums["right"])

    def _of_heads(self, correct: Counts) -> Scores:
        # A head always chooses one of the two names.
        return scored(correct, np.full_like(correct, self.passages), self._right, self.passages)


class Gap:
    """How often a pronoun attends more to the name it stands for than to the other.

    Args:
        max_tokens: what the passages were cut to; a column of the tables.
        merge: mean, first or max: attention from a word of several pieces.
    """

    name = "gap"
    table_names: tuple[str, ...] = ("gap", "gap_baselines", "gap_best")

    def __init__(self, max_tokens: int, merge: str) -> None:
        self._max_tokens = max_tokens
        self._merge = merge

    @property
    def parameters(self) -> dict[str, object]:
        """What decides a partial's bytes beside the attention."""
        return {"version": 1, "merge": self._merge}

    def start(self, examples: Sequence[Example], heads: tuple[int, int]) -> GapSums:
        """An accumulator for the examples of a shard and (layers, heads)."""
        return GapSums(examples, heads, self._merge)

    def tables(self, total: Partial) -> dict[str, pa.Table]:
        """The tables `gap`, `gap_baselines` and `gap_best`."""
        groups = {gender: Group(gender, under(total, gender)) for gender in GENDERS}
        units = int(groups[ALL].sums["units"])
        heads = _bias(groups[FEMININE].heads, groups[MASCULINE].heads)
        rules = _bias(groups[FEMININE].baselines, groups[MASCULINE].baselines)
        best_ones = [self._best(group, units, heads, rules) for group in groups.values()]
        single = [None if row["gender"] == ALL else c.p_value for row, c in best_ones]
        rows = [row | c.columns(p) for (row, c), p in zip(best_ones, holm(single), strict=True)]
        return {
            "gap": pa.concat_tables(self._heads(group, heads) for group in groups.values()),
            "gap_baselines": pa.concat_tables(
                self._baselines(group, rules) for group in groups.values()
            ),
            "gap_best": table_of(BestPronounRow, rows),
        }

    def _heads(self, group: Group, bias: Floats) -> pa.Table:
        table = accuracies(group.sums, self._max_tokens, "gender", group.gender)
        return _with_scores(table, group, group.heads, bias)

    def _baselines(self, group: Group, bias: Floats) -> pa.Table:
        correct, total = group.right_baselines, int(group.sums["t"])
        accuracy = correct / total if total else np.full(len(correct), np.nan)
        table = pa.table(
            {
                "max_tokens": np.full(len(correct), self._max_tokens),
                "baseline": list(BASELINES),
                "gender": [group.gender] * len(correct),
                "correct": correct,
                "total": np.full(len(correct), total),
                "accuracy": nullable(accuracy),
            }
        )
        return _with_scores(table, group, group.baselines, bias)

    def _best(
        self, group: Group, units: int, bias: Floats, baseline_bias: Floats
    ) -> tuple[dict[str, object], Comparison]:
        """The best head and baseline of a group, and the test of one against the other."""
        found, comparison = best_of(group.sums, units)
        row = {"max_tokens": self._max_tokens, "gender": group.gender} | found
        row["passages"] = group.passages
        if found["total"]:
            head, rule = best(group.sums["c"].ravel()), best(group.right_baselines)
            row["f1"] = float(group.heads.f1[head])
            row["baseline_f1"] = float(group.baselines.f1[rule])
            if found["heldout_accuracy"] is not None:
                row["heldout_f1"] = float(group.heldout.f1[0])
            if group.gender == ALL:
                row["bias"] = _known(bias[head])
                row["baseline_bias"] = _known(baseline_bias[rule])
        if group.gender == ALL:
            row["left_out"] = int(group.sums["left_out"])
        return row, comparison


def _bias(feminine: Scores, masculine: Scores) -> Floats:
    """F1 of feminine pronouns over that of masculine ones; NaN where one of them is 0."""
    one, other = feminine.f1, masculine.f1
    known = (one > 0) & (other > 0)
    return np.where(known, one / np.where(known, other, 1), np.nan)


def _with_scores(table: pa.Table, group: Group, scores: Scores, bias: Floats) -> pa.Table:
    """The table with the columns of GAP's scorer; `bias` is of both genders together."""
    columns = {
        "passages": pa.array(np.full(len(table), group.passages)),
        "precision": nullable(scores.precision),
        "recall": nullable(scores.recall),
        "f1": nullable(scores.f1),
        "bias": nullable(bias if group.gender == ALL else np.full(len(table), np.nan)),
    }
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


class GapSums:
    """Whether each head chooses the right name in each passage of a shard, then summed."""

    def __init__(self, examples: Sequence[Example], heads: tuple[int, int], merge: str) -> None:
        self._merge = merge
        self._examples = examples
        pronouns = {place: ambiguous(example) for place, example in enumerate(examples)}
        self._pronouns = {place: found for place, found in pronouns.items() if found is not None}
        self._correct = np.zeros((len(examples), *heads), np.int64)

    def add(self, first: int, layers: slice, attention: Tensor) -> None:
        """See `Accumulator.add`."""
        for place, maps in enumerate(attention, first):
            if place in self._pronouns:
                pronoun, example = self._pronouns[place], self._examples[place]
                right = predicted(example, [pronoun], maps, self._merge)
                self._correct[place, layers] = right[0].cpu().numpy()

    def partial(self) -> Partial:
        """See `Accumulator.partial`."""
        partial: Partial = {}
        for gender in GENDERS:
            partial |= named(gender, self._sums(gender))
        left_out = len(self._examples) - len(self._pronouns)
        return partial | {f"{ALL}/left_out": np.asarray(left_out)}

    def by_unit(self) -> dict[str, UnitCounts]:
        """See `Predictions.by_unit`."""
        found = {gender: _solvable(self._of(gender)) for gender in GENDERS}
        return {
            gender: units_of([p.mention for p in own.values()], self._correct[list(own)])[0]
            for gender, own in found.items()
        }

    def _of(self, gender: str) -> dict[int, Anaphor]:
        """The pronouns of a gender by the place of their passage."""
        return {
            place: pronoun
            for place, pronoun in self._pronouns.items()
            if gender in (ALL, GENDER_OF.get(pronoun.mention.gender))
        }

    def _sums(self, gender: str) -> Partial:
        """The sums of a gender: accuracy is over the passages in which a name is right."""
        found = self._of(gender)
        solvable = _solvable(found)
        answers = {place: self._answers(place) for place in found}
        right = [[word in p.antecedents for word in answers[at]] for at, p in solvable.items()]
        answered = [[word is not None for word in words] for words in answers.values()]
        return sums_of(
            [pronoun.mention for pronoun in solvable.values()],
            self._correct[list(solvable)],
            _table_of(right),
        ) | {
            "passages": np.asarray(len(found)),
            "right": np.asarray(sum(len(pronoun.antecedents) for pronoun in found.values())),
            "answered": _table_of(answered).sum(0),
        }

    def _answers(self, place: int) -> list[int | None]:
        """The head word that each baseline chooses, None of one without an answer."""
        pronoun, example = self._pronouns[place], self._examples[place]
        rules = BASELINES.values()
        return [rule(pronoun.candidates, pronoun.mention, example) for rule in rules]


def _solvable(pronouns: dict[int, Anaphor]) -> dict[int, Anaphor]:
    """Those that stand for one of the names."""
    return {place: pronoun for place, pronoun in pronouns.items() if pronoun.antecedents}


def _table_of(found: list[list[bool]]) -> Counts:
    """Truths as numbers, a column a baseline."""
    return np.array(found, np.int64).reshape(len(found), len(BASELINES))
