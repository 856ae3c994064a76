"""Slow, obvious implementation of GAP's tables, its scorer working from files of predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.builders import oracle
from tests.builders.oracle import Case, Counts, Outcome, Row

GENDERS = ("all", "feminine", "masculine")
FEMININE, MASCULINE = ("she", "her", "hers", "herself"), ("he", "him", "his", "himself")
NAMES = ("A", "B")


@dataclass
class Passage:
    """A passage within the cut: the head words of its pronoun and names, and who is meant."""

    id: str
    case: Case
    pronoun: int
    names: dict[str, int]
    coref: dict[str, bool]

    @property
    def gender(self) -> str:
        """The gender of the pronoun, `other` if it has none."""
        form = self.case.words[self.pronoun].lower()
        known = {"feminine": FEMININE, "masculine": MASCULINE}
        return next((gender for gender, forms in known.items() if form in forms), "other")

    @property
    def unit(self) -> str:
        """What intervals and folds take it for."""
        return self.case.unit_of_word[self.pronoun]


#: Gives the head word of a name, None for neither.
Answer = Callable[[Passage], int | None]


def scorecard(gold: str, system: str) -> dict[str, Row]:
    """Precision, recall and F1 by gender, from lines of `id gender A B` and `id A B`."""
    said = {line.split("\t")[0]: line.split("\t")[1:] for line in system.splitlines()}
    counts = {gender: {"tp": 0, "fp": 0, "fn": 0, "tn": 0} for gender in (*GENDERS, "other")}
    lines = [line.split("\t") for line in gold.splitlines()]
    for name, gender, *labels in lines:
        for right, chosen in zip(labels, said[name], strict=True):
            outcome = ("t" if right == chosen else "f") + ("p" if chosen == "TRUE" else "n")
            counts["all"][outcome] += 1
            counts[gender][outcome] += 1
    return {gender: _card(counts[gender]) for gender in GENDERS}


def _card(found: dict[str, int]) -> Row:
    if not sum(found.values()):
        return dict.fromkeys(("precision", "recall", "f1"))
    precision = found["tp"] / (found["tp"] + found["fp"]) if found["tp"] + found["fp"] else 0.0
    recall = found["tp"] / (found["tp"] + found["fn"]) if found["tp"] + found["fn"] else 0.0
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def scores(passages: Sequence[Passage], answer: Answer) -> dict[str, Row]:
    """The scorecard of what answers, and its bias in the row of all."""
    gold, system = [], []
    for each in passages:
        right = [str(each.coref[name]).upper() for name in NAMES]
        chosen = [str(each.names[name] == answer(each)).upper() for name in NAMES]
        gold.append("\t".join([each.id, each.gender, *right]))
        system.append("\t".join([each.id, *chosen]))
    cards = scorecard("\n".join(gold), "\n".join(system))
    feminine, masculine = cards["feminine"]["f1"], cards["masculine"]["f1"]
    for gender, card in cards.items():
        known = gender == "all" and feminine and masculine
        card["bias"] = feminine / masculine if known else None
    return cards


class Gap:
    """The tables over some passages of (layer, head) attention."""

    def __init__(
        self, passages: Sequence[Passage], cases: Sequence[Case], max_tokens: int, merge: str
    ) -> None:
        self.passages = passages
        self.max_tokens = max_tokens
        self.left_out = len(cases) - len(passages)
        self.heads = oracle.all_heads(cases)
        words = {each.id: oracle.word_attention(each.case, merge) for each in passages}

        def of_head(layer: int, head: int) -> Answer:
            def answer(passage: Passage) -> int | None:
                weight: list[float] = words[passage.id][layer - 1, head - 1, passage.pronoun]
                return oracle.most_attended(passage.names.values(), weight, passage.pronoun)

            return answer

        self.answers = {who: of_head(*who) for who in self.heads}
        self.rules: dict[Any, Answer] = {
            "nearest": nearest,
            "head_match": head_match,
            "sieve": sieve,
        }
        self.counts = self._counted(self.answers)
        self.rule_counts = self._counted(self.rules)
        self.size = {
            gender: sum(gender in ("all", each.gender) for each in passages) for gender in GENDERS
        }

    def _counted(self, answers: dict[Any, Answer]) -> Counts:
        return Counts(
            Outcome(who, ("all", each.gender), each.unit, answer(each) in right)
            for each in self.passages
            if (right := [each.names[name] for name in NAMES if each.coref[name]])
            for who, answer in answers.items()
        )

    def table(self) -> list[Row]:
        """Table gap."""
        rows = []
        for who, answer in self.answers.items():
            cards = scores(self.passages, answer)
            for gender in GENDERS:
                row: Row = {"max_tokens": self.max_tokens, "layer": who[0], "head": who[1]}
                row |= {"gender": gender, "passages": self.size[gender], **cards[gender]}
                row |= self.counts.score(who, gender) | self.counts.interval(who, gender)
                rows.append(row)
        return rows

    def baselines(self) -> list[Row]:
        """Table gap_baselines."""
        rows = []
        for rule, answer in self.rules.items():
            cards = scores(self.passages, answer)
            for gender in GENDERS:
                row: Row = {"max_tokens": self.max_tokens, "baseline": rule, "gender": gender}
                row |= {"passages": self.size[gender], **cards[gender]}
                rows.append(row | self.rule_counts.score(rule, gender))
        return rows

    def best(self) -> list[Row]:
        """Table gap_best."""
        rows = [self._best(gender) for gender in GENDERS]
        return oracle.with_holm(rows, lambda row: row["gender"] == "all")

    def gains(self) -> list[Row]:
        """Table gap_gains."""
        units = [unit for by_unit in self.counts.by_unit.values() for unit in by_unit]
        rules, heads = tuple(self.rules), {head: [head] for head in self.heads}
        rows = []
        for gender in GENDERS:
            for row in oracle.gains(self.counts, self.rule_counts, rules, gender, units, heads):
                rule = oracle.choose(self.rule_counts, rules, gender) if row["total"] else None
                own = {"max_tokens": self.max_tokens, "gender": gender, "baseline": rule}
                rows.append({**own, **row})
        return oracle.with_holm(rows, lambda row: row["gender"] == "all")

    def _best(self, gender: str) -> Row:
        units = {unit for by_unit in self.counts.by_unit.values() for unit in by_unit}
        rules = tuple(self.rules)
        head = oracle.choose(self.counts, self.heads, gender)
        rule = oracle.choose(self.rule_counts, rules, gender)
        score = self.counts.score(head, gender)
        row: Row = {"max_tokens": self.max_tokens, "gender": gender, "total": score["total"]}
        row |= {"passages": self.size[gender]}
        row["left_out"] = self.left_out if gender == "all" else None
        known: Row = {
            "layer": head[0],
            "head": head[1],
            "accuracy": score["accuracy"],
            **self.counts.interval(head, gender),
            "heldout_accuracy": oracle.heldout_accuracy(self.counts, self.heads, gender, units),
            "baseline": rule,
            "baseline_accuracy": self.rule_counts.score(rule, gender)["accuracy"],
            "baseline_heldout_accuracy": oracle.heldout_accuracy(
                self.rule_counts, rules, gender, units
            ),
            "f1": scores(self.passages, self.answers[head])[gender]["f1"],
            "heldout_f1": self._heldout_f1(gender) if len(units) >= 5 else None,
            "baseline_f1": scores(self.passages, self.rules[rule])[gender]["f1"],
            "bias": scores(self.passages, self.answers[head])[gender]["bias"],
            "baseline_bias": scores(self.passages, self.rules[rule])[gender]["bias"],
        }
        row |= known if score["total"] else dict.fromkeys(known)
        return row | oracle.paired_test(
            self.counts, self.heads, self.rule_counts, rules, gender, units
        )

    def _heldout_f1(self, gender: str) -> float | None:
        """Each passage is answered by the head that is best on the other folds."""
        chosen = {
            fold: oracle.choose(self.counts, self.heads, gender, partial(oracle.outside_fold, fold))
            for fold in range(oracle.FOLDS)
        }

        def answer(passage: Passage) -> int | None:
            return self.answers[chosen[oracle.fold_of(passage.unit)]](passage)

        f1: float | None = scores(self.passages, answer)[gender]["f1"]
        return f1


def nearest(passage: Passage) -> int | None:
    """The nearer name, the left one of two as near."""
    return oracle.nearest(passage.names.values(), passage.pronoun)


def head_match(passage: Passage) -> int | None:
    """The nearer name with the form of the pronoun."""
    forms = [word.casefold() for word in passage.case.words]
    same = [word for word in passage.names.values() if forms[word] == forms[passage.pronoun]]
    return oracle.nearest(same, passage.pronoun)


def sieve(passage: Passage) -> int | None:
    """In turn the nearer of the same words and before it, alike, agreeing and before it, any."""
    case, own = passage.case, passage.pronoun
    before = {end: (start, end) for start, end, _ in case.mentions if start < own}
    names = sorted(passage.names.values())
    form = case.words[own].casefold()
    said = oracle.said_by(case, own)
    passes = (
        [n for n in names if n in before and oracle.string_of(case, *before[n]) == form],
        [n for n in names if case.words[n].casefold() == form],
        [
            n
            for n in names
            if n in before and all(map(oracle.compatible, oracle.said_by(case, n), said))
        ],
        names,
    )
    return next(oracle.nearest(among, own) for among in passes if among)
