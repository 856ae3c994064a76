"""Slow, obvious implementation of the contract's definitions, to test the fast one against."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, partial
from itertools import combinations, permutations
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, logit, rel_entr
from scipy.stats import norm
from scipy.stats import t as student

PATTERNS = (
    "self",
    "previous",
    "next",
    "cls",
    "sep",
    "punctuation",
    "sep_to_sep",
    "other_to_sep",
    "entropy",
    "entropy_from_cls",
)
DIRECTIONS = ("dependent_to_head", "head_to_dependent")
MENTION_TYPES = ("all", "pronoun", "proper", "nominal")
OFFSETS = tuple(o for o in range(-8, 9) if o != 0)
FOLDS = 5

Row = dict[str, Any]


@dataclass
class Case:
    """One example: its attention (layer, head, query, key) over pieces, and its annotation."""

    attention: np.ndarray
    word_of_piece: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    is_cls: list[bool] = field(default_factory=list)
    is_sep: list[bool] = field(default_factory=list)
    is_punctuation: list[bool] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    relations: list[str] = field(default_factory=list)
    mentions: list[tuple[int, int, str]] = field(default_factory=list)
    upos: list[str] = field(default_factory=list)
    xpos: list[str] = field(default_factory=list)
    feats: list[str] = field(default_factory=list)
    unit: str = ""
    unit_of_word: list[str] = field(default_factory=list)


# Intervals


def intervals(
    c: Sequence[float], t: Sequence[float], accuracy: bool = False
) -> tuple[float | None, float | None]:
    """95% interval of sum c / sum t over units: plain, or as for accuracies (logit, Wilson)."""
    pairs = [(float(cd), float(td)) for cd, td in zip(c, t, strict=True) if td > 0]
    d = len(pairs)
    if d < 2:
        return None, None
    sum_c = sum(cd for cd, _ in pairs)
    sum_t = sum(td for _, td in pairs)
    r = sum_c / sum_t
    if accuracy and sum_c in (0.0, sum_t):
        return wilson_at_the_end(r, d)
    variance = d / (d - 1) * sum((cd - r * td) ** 2 for cd, td in pairs) / sum_t**2
    reach = float(student.ppf(0.975, d - 1)) * math.sqrt(variance)
    if not accuracy:
        return r - reach, r + reach
    reach = reach / (r * (1 - r))
    return float(expit(logit(r) - reach)), float(expit(logit(r) + reach))


def wilson_at_the_end(r: float, d: int) -> tuple[float, float]:
    """Wilson's 95% interval of a proportion that is 0 or 1, of d cases."""
    z2 = float(norm.ppf(0.975)) ** 2
    return (0.0, z2 / (d + z2)) if r == 0 else (d / (d + z2), 1.0)


# Words


def word_attention(case: Case, merge: str) -> np.ndarray:
    """Words: (layer, head, from, to); sum over the pieces of `to`, then `merge` over `from`'s."""
    layers, heads, pieces, _ = case.attention.shape
    n = len(case.words)
    pieces_of: list[list[int]] = [[] for _ in range(n)]
    for piece, word in enumerate(case.word_of_piece):
        if word >= 0:
            pieces_of[word].append(piece)
    to_words = np.zeros((layers, heads, pieces, n))
    for word in range(n):
        for piece in pieces_of[word]:
            to_words[:, :, :, word] += case.attention[:, :, :, piece]
    result = np.zeros((layers, heads, n, n))
    for word in range(n):
        if pieces_of[word]:
            rows = [to_words[:, :, piece, :] for piece in pieces_of[word]]
            result[:, :, word, :] = merged(rows, merge)
    return result


def merged(rows: list[np.ndarray], merge: str) -> np.ndarray:
    """Words: what a word attends to, from what each of its pieces attends to."""
    total = rows[0]
    if merge == "first":
        return total
    for row in rows[1:]:
        total = np.maximum(total, row) if merge == "max" else total + row
    return total if merge == "max" else total / len(rows)


def most_attended(candidates: Iterable[int], weight: Sequence[float], word: int) -> int | None:
    """The candidate of the greatest weight; ties to the nearest to `word`, then the left one."""
    best: tuple[float, int, int] | None = None
    for candidate in candidates:
        rank = (-weight[candidate], abs(candidate - word), candidate)
        if best is None or rank < best:
            best = rank
    return None if best is None else best[2]


# Patterns


def patterns(cases: Sequence[Case]) -> list[Row]:
    """Table patterns."""
    found: dict[tuple[int, int, str], list[tuple[str, float]]] = defaultdict(list)
    for case in cases:
        for layer, head in all_heads([case]):
            values = example_patterns(case, case.attention[layer - 1, head - 1])
            for pattern, value in values.items():
                if value is not None:
                    found[layer, head, pattern].append((case.unit, value))
    return [
        {"layer": layer, "head": head, "pattern": pattern}
        | mean_over_examples(found[layer, head, pattern])
        for layer, head in all_heads(cases)
        for pattern in PATTERNS
    ]


def mean_over_examples(values: list[tuple[str, float]]) -> Row:
    """The mean of (unit, value of an example), its interval, and the number of examples."""
    c: dict[str, float] = defaultdict(float)
    t: dict[str, int] = defaultdict(int)
    for unit, value in values:
        c[unit] += value
        t[unit] += 1
    low, high = intervals([c[unit] for unit in t], [t[unit] for unit in t])
    mean = sum(c.values()) / len(values) if values else None
    return {"value": mean, "ci_low": low, "ci_high": high, "examples": len(values)}


def example_patterns(case: Case, attention: np.ndarray) -> dict[str, float | None]:
    """Patterns of one example and head; None where there is no such query."""
    rows: list[list[float]] = attention.tolist()
    n = len(rows)
    queries = range(n)
    seps = [q for q in queries if case.is_sep[q]]
    others = [q for q in queries if not case.is_sep[q]]
    to_sep = [weight_on(row, case.is_sep) for row in rows]
    entropies = [entropy(row) for row in rows]
    return {
        "self": mean([rows[q][q] for q in queries]),
        "previous": mean([rows[q][q - 1] if q > 0 else 0.0 for q in queries]),
        "next": mean([rows[q][q + 1] if q < n - 1 else 0.0 for q in queries]),
        "cls": mean([weight_on(row, case.is_cls) for row in rows]),
        "sep": mean(to_sep),
        "punctuation": mean([weight_on(row, case.is_punctuation) for row in rows]),
        "sep_to_sep": mean([to_sep[q] for q in seps]),
        "other_to_sep": mean([to_sep[q] for q in others]),
        "entropy": mean(entropies),
        "entropy_from_cls": mean([entropies[q] for q in queries if case.is_cls[q]]),
    }


def mean(values: list[float]) -> float | None:
    """The mean, None of nothing."""
    return math.fsum(values) / len(values) if values else None


def weight_on(row: list[float], wanted: list[bool]) -> float:
    """The weight of a query's row on the wanted keys."""
    return math.fsum(p for p, is_wanted in zip(row, wanted, strict=True) if is_wanted)


def entropy(row: list[float]) -> float:
    """Entropy in nats, 0 ln 0 = 0."""
    return math.fsum(-p * math.log(p) for p in row if p > 0)


# Counting


class Outcome(NamedTuple):
    """One prediction: who made it, the rows it counts in, its unit, whether it is right."""

    predictor: Hashable
    groups: tuple[str, ...]
    unit: str
    correct: bool


class Counts:
    """Correct and total predictions by predictor, group and unit."""

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        self.by_unit: dict[tuple[Hashable, str], dict[str, list[int]]] = {}
        for outcome in outcomes:
            for group in outcome.groups:
                units = self.by_unit.setdefault((outcome.predictor, group), {})
                count = units.setdefault(outcome.unit, [0, 0])
                count[0] += outcome.correct
                count[1] += 1

    def sums(
        self, predictor: Hashable, group: str, keep: Callable[[str], bool] = lambda unit: True
    ) -> tuple[int, int]:
        """Correct and total over the units kept."""
        units = self.by_unit.get((predictor, group), {})
        kept = [count for unit, count in units.items() if keep(unit)]
        return sum(c for c, _ in kept), sum(t for _, t in kept)

    def score(self, predictor: Hashable, group: str) -> Row:
        """The columns correct, total, accuracy."""
        correct, total = self.sums(predictor, group)
        return {"correct": correct, "total": total, "accuracy": ratio(correct, total)}

    def interval(self, predictor: Hashable, group: str) -> Row:
        """The columns ci_low, ci_high."""
        counts = list(self.by_unit.get((predictor, group), {}).values())
        low, high = intervals([c for c, _ in counts], [t for _, t in counts], accuracy=True)
        return {"ci_low": low, "ci_high": high}


def ratio(correct: int, total: int) -> float | None:
    """Accuracy, None of nothing."""
    return correct / total if total else None


def all_heads(cases: Sequence[Case]) -> list[tuple[int, int]]:
    """Every (layer, head), from 1."""
    if not cases:
        return []
    layers, heads = cases[0].attention.shape[:2]
    return [(layer, head) for layer in range(1, layers + 1) for head in range(1, heads + 1)]


# Syntax


def label_of(relation: str, relation_labels: str) -> str:
    """Syntax: universal labels end before the first colon."""
    return relation.split(":")[0] if relation_labels == "universal" else relation


def dependents(case: Case) -> list[int]:
    """Syntax: the words (from 0) with a HEAD other than 0."""
    return [j for j, head in enumerate(case.heads) if head > 0]


def syntax_groups(case: Case, j: int, relation_labels: str) -> tuple[str, ...]:
    """Syntax: the rows that word j counts in."""
    label = label_of(case.relations[j], relation_labels)
    return ("all", label) if label == "punct" else ("all", "all_but_punct", label)


def relations_of(cases: Sequence[Case], relation_labels: str) -> list[str]:
    """Syntax: all, all_but_punct and the labels that some word with a head bears, sorted."""
    labels = {
        label_of(case.relations[j], relation_labels) for case in cases for j in dependents(case)
    }
    return ["all", "all_but_punct", *sorted(labels)]


def syntax_counts(cases: Sequence[Case], relation_labels: str, merge: str) -> Counts:
    """Syntax: each head's predictions, by (layer, head, direction)."""

    def outcomes() -> Iterable[Outcome]:
        for case in cases:
            words = word_attention(case, merge)
            for layer, head in all_heads([case]):
                matrix = words[layer - 1, head - 1]
                leaving: list[list[float]] = matrix.tolist()
                arriving: list[list[float]] = matrix.T.tolist()
                for direction, weight in zip(DIRECTIONS, (leaving, arriving), strict=True):
                    for j in dependents(case):
                        others = [i for i in range(len(case.words)) if i != j]
                        correct = most_attended(others, weight[j], j) == case.heads[j] - 1
                        groups = syntax_groups(case, j, relation_labels)
                        yield Outcome((layer, head, direction), groups, case.unit, correct)

    return Counts(outcomes())


def offset_counts(cases: Sequence[Case], relation_labels: str) -> Counts:
    """Syntax: the predictions of each baseline offset."""
    return Counts(
        Outcome(
            offset,
            syntax_groups(case, j, relation_labels),
            case.unit,
            0 <= j + offset < len(case.words) and j + offset == case.heads[j] - 1,
        )
        for case in cases
        for j in dependents(case)
        for offset in OFFSETS
    )


def syntax(
    cases: Sequence[Case], relation_labels: str = "universal", merge: str = "mean"
) -> list[Row]:
    """Table syntax."""
    counts = syntax_counts(cases, relation_labels, merge)
    rows = []
    for layer, head in all_heads(cases):
        for direction in DIRECTIONS:
            for relation in relations_of(cases, relation_labels):
                who = (layer, head, direction)
                row = {"layer": layer, "head": head, "direction": direction, "relation": relation}
                rows.append(row | counts.score(who, relation) | counts.interval(who, relation))
    return rows


def syntax_baselines(cases: Sequence[Case], relation_labels: str = "universal") -> list[Row]:
    """Table syntax_baselines."""
    counts = offset_counts(cases, relation_labels)
    return [
        {"baseline": "offset", "offset": offset, "relation": relation}
        | counts.score(offset, relation)
        for offset in OFFSETS
        for relation in relations_of(cases, relation_labels)
    ]


# Best head


@cache
def fold_of(unit: str) -> int:
    """Best head: the fold of a document or block."""
    return int(hashlib.sha256(unit.encode("utf-8")).hexdigest(), 16) % FOLDS


def in_fold(fold: int, unit: str) -> bool:
    """Best head: whether the unit is scored in this fold."""
    return fold_of(unit) == fold


def outside_fold(fold: int, unit: str) -> bool:
    """Best head: whether this fold's head is chosen on the unit."""
    return fold_of(unit) != fold


def choose(
    counts: Counts,
    predictors: Sequence[Any],
    relation: str,
    keep: Callable[[str], bool] = lambda unit: True,
) -> Any:
    """Best head: the predictor with the most correct on the units kept, the first of equals."""
    best, best_correct = None, -1
    for predictor in predictors:
        correct, _ = counts.sums(predictor, relation, keep)
        if correct > best_correct:
            best, best_correct = predictor, correct
    return best


def heldout_accuracy(
    counts: Counts, predictors: Sequence[Any], relation: str, units: Iterable[str]
) -> float | None:
    """Best head: chosen on four folds, scored on the fifth, cases pooled; null under 5 units."""
    if len(set(units)) < FOLDS:
        return None
    return on_folds(counts, chosen(counts, predictors, relation), relation)


def paired_test(
    counts: Counts,
    predictors: Sequence[Any],
    baselines: Counts,
    baseline_predictors: Sequence[Any],
    group: str,
    units: Iterable[str],
) -> Row:
    """Head against baseline on held-out cases: the columns but p_holm."""
    heads = chosen(counts, predictors, group)
    rules = chosen(baselines, baseline_predictors, group)
    return against(counts, heads, baselines, rules, group, units)


def chosen(counts: Counts, predictors: Sequence[Any], group: str) -> list[Any]:
    """Best head: for each fold the predictor that is best on the others."""
    return [choose(counts, predictors, group, partial(outside_fold, fold)) for fold in range(FOLDS)]


def against(
    counts: Counts,
    heads: Sequence[Any],
    baselines: Counts,
    rules: Sequence[Any],
    group: str,
    units: Iterable[str],
) -> Row:
    """Head against baseline: those of each fold on it."""
    names = ("difference", "difference_ci_low", "difference_ci_high", "p_value")
    if len(set(units)) < FOLDS:
        return dict.fromkeys(names)
    pairs = []
    choices = set(zip(heads, rules, strict=True))
    for fold, (head, baseline) in enumerate(zip(heads, rules, strict=True)):
        for unit, (right, total) in counts.by_unit.get((head, group), {}).items():
            if fold_of(unit) == fold:
                theirs = baselines.by_unit[baseline, group][unit][0]
                pairs.append((right - theirs, total))
    different = 1.0 if len(choices) == 1 else 1.5  # the square root of 1 + 5 / 4
    return tested([d for d, _ in pairs], [t for _, t in pairs], different)


def tested(differences: Sequence[int], totals: Sequence[int], wider: float) -> Row:
    """Head against baseline: from the differences and cases of units, the error so much wider."""
    names = ("difference", "difference_ci_low", "difference_ci_high", "p_value")
    pairs = list(zip(differences, totals, strict=True))
    if not pairs:
        return dict.fromkeys(names)
    cases = sum(total for _, total in pairs)
    difference = sum(d for d, _ in pairs) / cases
    if len(pairs) < FOLDS:
        return {**dict.fromkeys(names), "difference": difference}
    low, high = intervals(differences, totals)
    if low is not None and high is not None:
        low, high = (difference + wider * (bound - difference) for bound in (low, high))
        low, high = max(low, -1.0), min(high, 1.0)
    p_value = None
    spread = sum(
        (Fraction(d) - Fraction(sum(e for e, _ in pairs), cases) * t) ** 2 for d, t in pairs
    )
    error = math.sqrt(float(len(pairs) / (len(pairs) - 1) * spread)) / cases * wider
    if spread > 0:
        p_value = 2 * float(student.cdf(-abs(difference) / error, len(pairs) - 1))
    elif difference == 0:
        p_value = 1.0
    return dict(zip(names, (difference, low, high, p_value), strict=True))


def with_holm(rows: list[Row], composite: Callable[[Row], bool]) -> list[Row]:
    """Head against baseline: each p-value times the number of those not smaller, made monotone."""
    family = sorted(
        row["p_value"] for row in rows if not composite(row) and row["p_value"] is not None
    )
    for row in rows:
        row["p_holm"] = None
        if row["p_value"] is not None and not composite(row):
            steps = [
                min(1.0, (len(family) - i) * p) for i, p in enumerate(family) if p <= row["p_value"]
            ]
            first = family.index(row["p_value"])
            row["p_holm"] = max(steps[: first + 1])
    return rows


def gains(
    counts: Counts,
    baselines: Counts,
    rules: Sequence[Any],
    group: str,
    units: Sequence[str],
    heads: Mapping[tuple[int, int], Sequence[Any]],
) -> list[Row]:
    """Gains: every head, by its directions, against the best of the rules, both held out."""
    picked = chosen(baselines, rules, group)
    known = len(set(units)) >= FOLDS
    rows = []
    for (layer, head), ways in heads.items():
        own = chosen(counts, ways, group)
        row: Row = {"layer": layer, "head": head, "total": counts.sums(ways[0], group)[1]}
        row["accuracy"] = on_folds(counts, own, group) if known else None
        row["baseline_accuracy"] = on_folds(baselines, picked, group) if known else None
        rows.append({**row, **against(counts, own, baselines, picked, group, units)})
    return rows


def on_folds(counts: Counts, chosen: Sequence[Any], group: str) -> float | None:
    """Best head: the accuracy of those of each fold on it."""
    found = [counts.sums(who, group, partial(in_fold, fold)) for fold, who in enumerate(chosen)]
    return ratio(sum(correct for correct, _ in found), sum(total for _, total in found))


def syntax_gains(
    cases: Sequence[Case],
    units: Iterable[str],
    relation_labels: str = "universal",
    merge: str = "mean",
) -> list[Row]:
    """Table syntax_gains; `units` names every unit of the corpus that has examples."""
    units = list(units)
    counts = syntax_counts(cases, relation_labels, merge)
    ways = {who: [(*who, direction) for direction in DIRECTIONS] for who in all_heads(cases)}
    offsets = sorted(OFFSETS, key=lambda offset: (abs(offset), offset))
    rules = offset_counts(cases, relation_labels)
    rows = []
    for relation in relations_of(cases, relation_labels):
        for row in gains(counts, rules, offsets, relation, units, ways):
            better = choose(counts, ways[row["layer"], row["head"]], relation)
            rows.append({"relation": relation, **row, "direction": better[2]})
    return with_holm(rows, lambda row: row["relation"] in ("all", "all_but_punct"))


def syntax_best(
    cases: Sequence[Case],
    units: Iterable[str],
    relation_labels: str = "universal",
    merge: str = "mean",
) -> list[Row]:
    """Table syntax_best; `units` names every unit of the corpus that has examples."""
    units = list(units)
    counts = syntax_counts(cases, relation_labels, merge)
    offset_scores = offset_counts(cases, relation_labels)
    predictors = [(*who, direction) for who in all_heads(cases) for direction in DIRECTIONS]
    if not predictors:
        return []
    offsets = sorted(OFFSETS, key=lambda offset: (abs(offset), offset))
    rows = []
    for relation in relations_of(cases, relation_labels):
        best = choose(counts, predictors, relation)
        offset = choose(offset_scores, offsets, relation)
        score = counts.score(best, relation)
        rows.append(
            {
                "relation": relation,
                "total": score["total"],
                "layer": best[0],
                "head": best[1],
                "direction": best[2],
                "accuracy": score["accuracy"],
                **counts.interval(best, relation),
                "heldout_accuracy": heldout_accuracy(counts, predictors, relation, units),
                "baseline_offset": offset,
                "baseline_accuracy": offset_scores.score(offset, relation)["accuracy"],
                "baseline_heldout_accuracy": heldout_accuracy(
                    offset_scores, offsets, relation, units
                ),
                **paired_test(counts, predictors, offset_scores, offsets, relation, units),
            }
        )
    return with_holm(rows, lambda row: row["relation"] in ("all", "all_but_punct"))


# Coreference


class Anaphor(NamedTuple):
    """An anaphor's head word, its mention type, the candidates, which are right, and its span."""

    head: int
    mention_type: str
    candidates: list[int]
    antecedents: set[int]
    span: tuple[int, int]


def mention_head(case: Case, start: int, end: int) -> int:
    """Coreference: the first word with its HEAD outside the mention, else the last word."""
    for word in range(start, end + 1):
        head = case.heads[word]
        if head == 0 or (head > 0 and not start <= head - 1 <= end):
            return word
    return end


def mention_type(case: Case, word: int) -> str:
    """Coreference: the type of a mention with this head word, by UPOS, else XPOS."""
    tag = case.upos[word] if case.upos[word] not in ("", "_") else case.xpos[word]
    if tag in ("PRON", "PRP", "PRP$"):
        return "pronoun"
    if tag in ("PROPN", "NNP", "NNPS"):
        return "proper"
    return "nominal"


def anaphors(case: Case, candidates: str) -> list[Anaphor]:
    """Coreference: mentions with an earlier mention of their entity under another head word."""
    found = []
    mentions = sorted(case.mentions, key=lambda mention: mention[:2])
    heads = [mention_head(case, start, end) for start, end, _ in mentions]
    for index, (start, end, entity) in enumerate(mentions):
        own = heads[index]
        earlier = [(mentions[i][2], heads[i]) for i in range(index) if heads[i] != own]
        antecedents = {head for other, head in earlier if other == entity}
        if antecedents:
            words = range(own) if candidates == "words" else {head for _, head in earlier}
            kind = mention_type(case, own)
            found.append(Anaphor(own, kind, sorted(words), antecedents, (start, end)))
    return found


def nearest(candidates: Iterable[int], word: int) -> int | None:
    """Coreference: the candidate at the smallest distance in words, then the left one."""
    return min(candidates, key=lambda candidate: (abs(candidate - word), candidate), default=None)


def coreference(
    cases: Sequence[Case], max_tokens: int, candidates: str = "mentions", merge: str = "mean"
) -> list[Row]:
    """Table coreference."""
    counts = coreference_counts(cases, candidates, merge)
    return [
        {"max_tokens": max_tokens, "layer": who[0], "head": who[1], "mention_type": kind}
        | counts.score(who, kind)
        | counts.interval(who, kind)
        for who in all_heads(cases)
        for kind in MENTION_TYPES
    ]


def coreference_counts(cases: Sequence[Case], candidates: str, merge: str) -> Counts:
    """Coreference: the predictions of each head."""

    def outcomes() -> Iterable[Outcome]:
        for case in cases:
            words = word_attention(case, merge)
            for anaphor in anaphors(case, candidates):
                groups = ("all", anaphor.mention_type)
                unit = case.unit_of_word[anaphor.head]
                for layer, head in all_heads([case]):
                    weight: list[float] = words[layer - 1, head - 1, anaphor.head].tolist()
                    guess = most_attended(anaphor.candidates, weight, anaphor.head)
                    yield Outcome((layer, head), groups, unit, guess in anaphor.antecedents)

    return Counts(outcomes())


RULES = ("nearest", "head_match", "sieve")


def baseline_counts(cases: Sequence[Case]) -> Counts:
    """Coreference: the predictions of each baseline."""

    def outcomes() -> Iterable[Outcome]:
        for case in cases:
            forms = [word.casefold() for word in case.words]
            for head, kind, candidates, antecedents, span in anaphors(case, "mentions"):
                same_form = [word for word in candidates if forms[word] == forms[head]]
                guesses = {
                    "nearest": nearest(candidates, head),
                    "head_match": nearest(same_form, head),
                    "sieve": sieved(case, span, head, candidates),
                }
                for baseline, guess in guesses.items():
                    correct = guess in antecedents
                    yield Outcome(baseline, ("all", kind), case.unit_of_word[head], correct)

    return Counts(outcomes())


def sieved(case: Case, span: tuple[int, int], head: int, candidates: Sequence[int]) -> int | None:
    """Coreference: full string, head form, agreement, any; in each pass the nearest."""
    strings: dict[int, set[str]] = defaultdict(set)
    for start, end, _ in case.mentions:
        if (start, end) < span:
            strings[mention_head(case, start, end)].add(string_of(case, start, end))
    own = string_of(case, *span)
    passes = (
        [c for c in candidates if own in strings[c]],
        [c for c in candidates if case.words[c].casefold() == case.words[head].casefold()],
        [c for c in candidates if all(map(compatible, said_by(case, c), said_by(case, head)))],
        list(candidates),
    )
    return next((nearest(among, head) for among in passes if among), None)


def string_of(case: Case, start: int, end: int) -> str:
    """Coreference: the whole span, case ignored."""
    return " ".join(case.words[start : end + 1]).casefold()


def said_by(case: Case, word: int) -> list[str]:
    """Coreference: number, gender and person of a head word, empty where missing."""
    said = {}
    for feature in case.feats[word].split("|"):
        name, _, value = feature.partition("=")
        said[name] = value
    form = case.words[word].lower()
    if mention_type(case, word) == "pronoun":
        masculine, feminine = ["he", "him", "his", "himself"], ["she", "her", "hers", "herself"]
        neuter = ["it", "its", "itself"]
        first_plural, third_plural = "we us our ours ourselves", "they them their theirs themselves"
        first = ["i", "me", "my", "mine", "myself", *first_plural.split()]
        second = ["you", "your", "yours", "yourself", "yourselves"]
        third = [*masculine, *feminine, *neuter, *third_plural.split(), "themself", "oneself"]
        plural = [*first_plural.split(), *third_plural.split(), "yourselves", "these", "those"]
        undecided = ("you", "your", "yours")
        singular = [
            w
            for w in [*first, *second, *third, "this", "that", "one"]
            if w not in plural and w not in undecided
        ]
        for name, lists in (
            ("Number", {"Sing": singular, "Plur": plural}),
            ("Gender", {"Masc": masculine, "Fem": feminine, "Neut": neuter}),
            ("Person", {"1": first, "2": second, "3": third}),
        ):
            for value, forms in lists.items():
                if form in forms:
                    said.setdefault(name, value)
    return [said.get(name, "") for name in ("Number", "Gender", "Person")]


def compatible(one: str, other: str) -> bool:
    """Coreference: a missing value agrees with any."""
    return not one or not other or bool(set(one.split(",")) & set(other.split(",")))


def coreference_best(
    cases: Sequence[Case], max_tokens: int, candidates: str = "mentions", merge: str = "mean"
) -> list[Row]:
    """Table coreference_best."""
    counts = coreference_counts(cases, candidates, merge)
    rules = baseline_counts(cases)
    heads = all_heads(cases)
    units = {unit for (_, _), by_unit in counts.by_unit.items() for unit in by_unit}
    rows = []
    for kind in MENTION_TYPES:
        best = choose(counts, heads, kind)
        baseline = choose(rules, RULES, kind)
        score = counts.score(best, kind)
        names = ("layer", "head", "accuracy", "ci_low", "ci_high", "heldout_accuracy", "baseline")
        row: Row = dict.fromkeys((*names, "baseline_accuracy", "baseline_heldout_accuracy"))
        if score["total"]:
            row = {
                "layer": best[0],
                "head": best[1],
                "accuracy": score["accuracy"],
                **counts.interval(best, kind),
                "heldout_accuracy": heldout_accuracy(counts, heads, kind, units),
                "baseline": baseline,
                "baseline_accuracy": rules.score(baseline, kind)["accuracy"],
                "baseline_heldout_accuracy": heldout_accuracy(rules, RULES, kind, units),
            }
        test = paired_test(counts, heads, rules, RULES, kind, units)
        rows.append(
            {"max_tokens": max_tokens, "mention_type": kind, "total": score["total"], **row, **test}
        )
    return with_holm(rows, lambda row: row["mention_type"] == "all")


def coreference_gains(
    cases: Sequence[Case], max_tokens: int, candidates: str = "mentions", merge: str = "mean"
) -> list[Row]:
    """Table coreference_gains."""
    counts, rules = coreference_counts(cases, candidates, merge), baseline_counts(cases)
    units = [unit for by_unit in counts.by_unit.values() for unit in by_unit]
    rows = []
    for kind in MENTION_TYPES:
        for row in gains(counts, rules, RULES, kind, units, {w: [w] for w in all_heads(cases)}):
            baseline = choose(rules, RULES, kind) if row["total"] else None
            rows.append(
                {"max_tokens": max_tokens, "mention_type": kind, **row, "baseline": baseline}
            )
    return with_holm(rows, lambda row: row["mention_type"] == "all")


def coreference_baselines(cases: Sequence[Case], max_tokens: int) -> list[Row]:
    """Table coreference_baselines."""
    counts = baseline_counts(cases)
    return [
        {"max_tokens": max_tokens, "baseline": baseline, "mention_type": kind}
        | counts.score(baseline, kind)
        for baseline in RULES
        for kind in MENTION_TYPES
    ]


# Importance


def importance(cases: Sequence[Case]) -> list[Row]:
    """Table importance; the `attention` of a case holds the gradients."""
    rows = []
    for layer, head in all_heads(cases):
        found: dict[str, list[float]] = {"sep": [], "cls": [], "punctuation": [], "other": []}
        for case in cases:
            gradient: list[list[float]] = case.attention[layer - 1, head - 1].tolist()
            sums = dict.fromkeys(found, 0.0)
            for row in gradient:
                for key, value in enumerate(row):
                    sums[target_of(case, key)] += abs(value)
            for target, total in sums.items():
                found[target].append(total / len(gradient))
        for target, values in found.items():
            where = {"layer": layer, "head": head, "target": target}
            value = math.fsum(values) / len(values)
            rows.append({**where, "examples": len(cases), "value": value})
    return rows


def target_of(case: Case, key: int) -> str:
    """Importance: which target a key belongs to."""
    if case.is_sep[key]:
        return "sep"
    if case.is_cls[key]:
        return "cls"
    return "punctuation" if case.is_punctuation[key] else "other"


# Divergence


def js_of_rows(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Divergence of two heads at each query: half the relative entropies to the middle."""
    middle = (p + q) / 2
    both: np.ndarray = rel_entr(p, middle).sum(-1) + rel_entr(q, middle).sum(-1)
    return both / 2


def js_between(
    cases: Sequence[Case], a: tuple[int, int], others: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Divergence: the mean over all query tokens of all examples, of a head from others."""
    tokens = sum(case.attention.shape[-1] for case in cases)
    mean: np.ndarray = js_totals(cases, a, others).sum(0) / tokens
    return mean


def js_totals(
    cases: Sequence[Case], a: tuple[int, int], others: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Sums over the query tokens of each example, (example, other)."""
    layers, heads = (np.array(each) - 1 for each in zip(*others, strict=True))
    return np.array(
        [
            js_of_rows(case.attention[a[0] - 1, a[1] - 1], case.attention[layers, heads]).sum(-1)
            for case in cases
        ]
    )


def divergence(cases: Sequence[Case]) -> list[Row]:
    """Table divergence."""
    rows = []
    lengths = [case.attention.shape[-1] for case in cases]
    units = sorted({case.unit for case in cases})
    tokens = [sum(n for c, n in zip(cases, lengths, strict=True) if c.unit == u) for u in units]
    for a in all_heads(cases):
        totals = js_totals(cases, a, all_heads(cases))
        for b, column in zip(all_heads(cases), totals.T, strict=True):
            by_unit = [
                math.fsum(v for c, v in zip(cases, column, strict=True) if c.unit == u)
                for u in units
            ]
            row: Row = {"layer_a": a[0], "head_a": a[1], "layer_b": b[0], "head_b": b[1]}
            row |= {"js_divergence": math.fsum(column) / sum(lengths), "examples": len(cases)}
            rows.append(row | {"standard_error": standard_error(by_unit, tokens)})
    return rows


def standard_error(c: Sequence[float], t: Sequence[float]) -> float | None:
    """That of sum c / sum t over units, None of fewer than two."""
    d, r = len(t), sum(c) / sum(t)
    if d < 2:
        return None
    squares = sum((cd - r * td) ** 2 for cd, td in zip(c, t, strict=True))
    return math.sqrt(d / (d - 1) * squares) / sum(t)


def closeness(divergences: np.ndarray, layer_of: Sequence[int]) -> tuple[Any, Any]:
    """Exact means over unordered pairs of heads of one layer, and of different layers."""
    within: list[Fraction] = []
    between: list[Fraction] = []
    for a, b in combinations(range(len(layer_of)), 2):
        pairs = within if layer_of[a] == layer_of[b] else between
        pairs.append(Fraction(float(divergences[a, b])))
    return (
        sum(within) / len(within) if within else None,
        sum(between) / len(between) if between else None,
    )


def closeness_p_value(divergences: np.ndarray, layer_of: Sequence[int]) -> float:
    """The share of all relabellings with a difference (between - within) at least as large."""
    within, between = closeness(divergences, layer_of)
    differences: list[Fraction] = []
    for labels in set(permutations(layer_of)):
        relabelled = closeness(divergences, labels)
        differences.append(relabelled[1] - relabelled[0])
    as_large: list[bool] = [d >= between - within for d in differences]
    return sum(as_large) / len(as_large)


# Behaviour


def behaviours(
    rows: Sequence[Row], mean_log_length: float, above: dict[str, float], length: int
) -> list[Row]:
    """The behaviour of each head, from rows of table patterns and the thresholds."""
    value = {(row["layer"], row["head"], row["pattern"]): row["value"] for row in rows}
    found = []
    for layer, head in sorted({(row["layer"], row["head"]) for row in rows}):
        behaviour = "other"
        if value[layer, head, "entropy"] / mean_log_length > above["broad"] / math.log(length):
            behaviour = "broad"
        for pattern in ("punctuation", "sep", "cls", "previous", "next"):
            if value[layer, head, pattern] > above[pattern]:
                behaviour = pattern
        found.append({"layer": layer, "head": head, "behaviour": behaviour})
    return found
