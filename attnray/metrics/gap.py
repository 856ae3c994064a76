"""Heads as resolvers of ambiguous pronouns: GAP (docs/definitions.md: Ambiguous pronouns)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from attnray.config import Config
from attnray.corpus.example import Example
from attnray.metrics.antecedents import (
    Anaphor,
    Chooser,
    accuracies,
    answers,
    best_of,
    mentions_of,
    right_answers,
)
from attnray.metrics.base import Choice, Heads, Planned, Predictor, nullable
from attnray.metrics.baselines import BASELINES
from attnray.metrics.best import best, heldout_correct
from attnray.metrics.gains import gains_table
from attnray.metrics.paired import Comparison, holm
from attnray.metrics.predictions import Bits, Predictions, Tally
from attnray.metrics.rows import table_of

if TYPE_CHECKING:
    from attnray.metrics.accumulators.gap import GapSums

ALL, FEMININE, MASCULINE = "all", "feminine", "masculine"
GENDERS = (ALL, FEMININE, MASCULINE)
#: The gender of a pronoun by its attribute.
GENDER_OF = {"Fem": FEMININE, "Masc": MASCULINE}

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PronounCase:
    """A passage's pronoun, from word `start` to `end`, where one of the two names is right."""

    max_tokens: int
    document: str
    example: int
    word: int
    gender: str | None
    unit: int
    fold: int
    start: int
    end: int
    entity: str


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


@dataclass(frozen=True)
class PronounGainRow:
    """A row of `gap_gains`: how much better than the best rule a head chooses names.

    `baseline` is the best one on all cases; `baseline_accuracy` is held out.
    """

    max_tokens: int
    gender: str
    total: int
    layer: int
    head: int
    accuracy: float | None
    baseline: str | None
    baseline_accuracy: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_holm: float | None


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
class Gender:
    """The pronouns of a gender: what heads and baselines have right where a name is right.

    `passages` counts them all, `right` the names they stand for, and `answered`, by baseline,
    those that it chose a name for.
    """

    solvable: Predictions
    passages: Counts
    right: Counts
    answered: Counts

    @property
    def heads(self) -> Scores:
        """The scores of every head, layers first."""
        return self._of_heads(self.solvable.heads.c.ravel())

    @property
    def heldout(self) -> Scores:
        """Those of the heads that are best on the other folds, as one predictor."""
        return self._of_heads(np.array([heldout_correct(self.solvable.paired.h)]))

    @property
    def baselines(self) -> Scores:
        """The scores of every baseline; one without an answer has chosen neither name."""
        passages = int(self.passages)
        return scored(self.right_baselines, self.answered, int(self.right), passages)

    @property
    def right_baselines(self) -> Counts:
        """How often every baseline is right."""
        right: Counts = self.solvable.paired.b.sum(0)
        return right

    def _of_heads(self, correct: Counts) -> Scores:
        # A head always chooses one of the two names.
        passages = int(self.passages)
        return scored(correct, np.full_like(correct, passages), int(self.right), passages)


@dataclass(frozen=True)
class GapPartial:
    """The pronouns by gender, and the passages of which not all mentions are in the example."""

    genders: dict[str, Gender]
    left_out: Counts


@dataclass(frozen=True)
class Gap(Predictor):
    """How often a pronoun attends more to the name it stands for than to the other.

    Passages were cut to `max_tokens`, a column of the tables; `merge` is mean, first or max:
    attention from a word of several pieces.
    """

    max_tokens: int
    merge: str

    name = "gap"
    role = "coreference"
    version = 2
    beside = ("coreference", "gap")
    partial = GapPartial
    rows: ClassVar = {
        "gap": PronounRow,
        "gap_baselines": PronounBaselineRow,
        "gap_best": BestPronounRow,
        "gap_gains": PronounGainRow,
    }
    compared = ("gap_best", "gap_baselines")
    case = PronounCase
    item = "gender"
    together = (ALL,)

    @classmethod
    def of(cls, config: Config, planned: Planned | None) -> Self:
        """See `Metric.of`."""
        return cls((planned.max_tokens if planned else None) or 0, config.merge)

    @property
    def parameters(self) -> dict[str, object]:
        """See `Metric.parameters`."""
        return {"merge": self.merge}

    def start(self, examples: Sequence[Example], heads: Heads) -> GapSums:
        """See `Metric.start`."""
        from attnray.metrics.accumulators.gap import GapSums

        return GapSums(self, examples, heads)

    def by_row(self, total: GapPartial) -> dict[str, Predictions]:
        """See `Predictor.by_row`."""
        return {gender: found.solvable for gender, found in total.genders.items()}

    def labels(self, cases: pa.Table) -> NDArray[np.object_]:
        """See `Predictor.labels`: genders, nothing where it is neither."""
        return np.array([gender or "" for gender in cases["gender"].to_pylist()], object)

    def rows_of(self, labels: Collection[str]) -> dict[str, set[str]]:
        """See `Predictor.rows_of`: a row a gender, and all."""
        return {gender: {*labels} if gender == ALL else {gender} for gender in GENDERS}

    def items(self, cases: pa.Table, examples: Mapping[int, Sequence[str]]) -> list[int]:
        """See `Predictor.items`."""
        return mentions_of(cases)

    def choice(self, example: Example, case: Mapping[str, Any]) -> Choice:
        """See `Predictor.choice`: the head words of the two names."""
        pronoun = ambiguous(example)
        assert pronoun is not None  # else there was no case
        return pronoun.choice

    def sums(
        self, cases: pa.Table, right: Bits, pronouns: Sequence[Chooser], left_out: int
    ) -> GapPartial:
        """The partial of a shard.

        Args:
            cases: its cases: the pronouns that stand for a name, in their order.
            right: whether heads predict them, (case, layer, head).
            pronouns: those of all passages, in their order.
            left_out: how many passages there are besides.
        """
        solvable = [each for each in pronouns if each.anaphor.antecedents]
        labels = self.labels(cases)
        tally = Tally.of(cases, labels, right, right_answers(solvable))
        genders = {}
        for gender, taken in self.rows_of(set(labels.tolist())).items():
            of_gender = [p for p in pronouns if gender in (ALL, gender_of(p))]
            answered = [[word is not None for word in words] for words in answers(of_gender)]
            genders[gender] = Gender(
                tally.predictions(taken),
                np.asarray(len(of_gender)),
                np.asarray(sum(len(p.anaphor.antecedents) for p in of_gender)),
                np.array(answered, np.int64).reshape(len(of_gender), len(BASELINES)).sum(0),
            )
        return GapPartial(genders, np.asarray(left_out))

    def tables(self, total: GapPartial) -> dict[str, pa.Table]:
        """See `Metric.tables`."""
        found = {gender: total.genders[gender] for gender in GENDERS}
        heads = _bias(found[FEMININE].heads, found[MASCULINE].heads)
        rules = _bias(found[FEMININE].baselines, found[MASCULINE].baselines)
        best_ones = [self._best(gender, total, heads, rules) for gender in GENDERS]
        single = [None if row["gender"] == ALL else c.p_value for row, c in best_ones]
        rows = [row | c.columns(p) for (row, c), p in zip(best_ones, holm(single), strict=True)]
        return {
            "gap": pa.concat_tables(self._heads(*each, heads) for each in found.items()),
            "gap_baselines": pa.concat_tables(
                self._baselines(*each, rules) for each in found.items()
            ),
            "gap_best": table_of(BestPronounRow, rows),
            "gap_gains": gains_table(
                Gap,
                PronounGainRow,
                "gender",
                {gender: each.solvable for gender, each in found.items()},
                int(found[ALL].solvable.heads.units),
                list(BASELINES),
                max_tokens=self.max_tokens,
            ),
        }

    def _heads(self, gender: str, found: Gender, bias: Floats) -> pa.Table:
        table = accuracies(found.solvable, self.max_tokens, "gender", gender)
        return _with_scores(table, gender, found, found.heads, bias)

    def _baselines(self, gender: str, found: Gender, bias: Floats) -> pa.Table:
        correct, total = found.right_baselines, int(found.solvable.heads.t)
        accuracy = correct / total if total else np.full(len(correct), np.nan)
        table = pa.table(
            {
                "max_tokens": np.full(len(correct), self.max_tokens),
                "baseline": list(BASELINES),
                "gender": [gender] * len(correct),
                "correct": correct,
                "total": np.full(len(correct), total),
                "accuracy": nullable(accuracy),
            }
        )
        return _with_scores(table, gender, found, found.baselines, bias)

    def _best(
        self, gender: str, total: GapPartial, bias: Floats, baseline_bias: Floats
    ) -> tuple[dict[str, object], Comparison]:
        """The best head and baseline of a gender, and the test of one against the other."""
        found, units = total.genders[gender], int(total.genders[ALL].solvable.heads.units)
        reached, comparison = best_of(found.solvable, units)
        row = {"max_tokens": self.max_tokens, "gender": gender} | reached
        row["passages"] = int(found.passages)
        if reached["total"]:
            head, rule = best(found.solvable.heads.c.ravel()), best(found.right_baselines)
            row["f1"] = float(found.heads.f1[head])
            row["baseline_f1"] = float(found.baselines.f1[rule])
            if reached["heldout_accuracy"] is not None:
                row["heldout_f1"] = float(found.heldout.f1[0])
            if gender == ALL:
                row["bias"] = _known(bias[head])
                row["baseline_bias"] = _known(baseline_bias[rule])
        if gender == ALL:
            row["left_out"] = int(total.left_out)
        return row, comparison


def gender_of(pronoun: Chooser) -> str | None:
    """The gender of a pronoun, None where it is neither."""
    return GENDER_OF.get(pronoun.anaphor.mention.gender)


def _bias(feminine: Scores, masculine: Scores) -> Floats:
    """F1 of feminine pronouns over that of masculine ones; NaN where one of them is 0."""
    one, other = feminine.f1, masculine.f1
    known = (one > 0) & (other > 0)
    return np.where(known, one / np.where(known, other, 1), np.nan)


def _with_scores(
    table: pa.Table, gender: str, found: Gender, scores: Scores, bias: Floats
) -> pa.Table:
    """The table with the columns of GAP's scorer; `bias` is of both genders together."""
    columns = {
        "passages": pa.array(np.full(len(table), int(found.passages))),
        "precision": nullable(scores.precision),
        "recall": nullable(scores.recall),
        "f1": nullable(scores.f1),
        "bias": nullable(bias if gender == ALL else np.full(len(table), np.nan)),
    }
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
