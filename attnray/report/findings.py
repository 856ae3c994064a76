"""What the tables say: the best heads, in the order in which they are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields

import pyarrow as pa
import pyarrow.compute as pc

from attnray.metrics.behaviour import BEHAVIOURS
from attnray.store.folder import RunFolder

ALL, ALL_BUT_PUNCT, PUNCT = "all", "all_but_punct", "punct"
_FIRST = (ALL, ALL_BUT_PUNCT)


@dataclass(frozen=True)
class RelationBest:
    """A row of the table `syntax_best`: the best head and the best offset of a relation."""

    relation: str
    total: int
    layer: int
    head: int
    direction: str
    accuracy: float | None
    ci_low: float | None
    ci_high: float | None
    heldout_accuracy: float | None
    baseline_offset: int | None
    baseline_accuracy: float | None
    baseline_heldout_accuracy: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_holm: float | None


@dataclass(frozen=True)
class MentionBest:
    """A row of the table `coreference_best`, beside all the baselines by name.

    `layer` and `head` are None where there is no such mention.
    """

    max_tokens: int
    mention_type: str
    total: int
    layer: int | None
    head: int | None
    accuracy: float | None
    ci_low: float | None
    ci_high: float | None
    heldout_accuracy: float | None
    baseline_heldout_accuracy: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_holm: float | None
    baselines: dict[str, float | None]


@dataclass(frozen=True)
class BaselineScore:
    """A row of the table `gap_baselines`."""

    accuracy: float | None
    f1: float | None
    bias: float | None


@dataclass(frozen=True)
class PronounBest:
    """A row of the table `gap_best`, beside all the baselines by name.

    `layer` and `head` are None where there is no pronoun of that gender; `left_out` and `bias`
    are those of all genders together.
    """

    max_tokens: int
    gender: str
    passages: int
    left_out: int | None
    total: int
    layer: int | None
    head: int | None
    accuracy: float | None
    ci_low: float | None
    ci_high: float | None
    heldout_accuracy: float | None
    f1: float | None
    heldout_f1: float | None
    bias: float | None
    difference: float | None
    difference_ci_low: float | None
    difference_ci_high: float | None
    p_value: float | None
    p_holm: float | None
    baselines: dict[str, BaselineScore]


@dataclass(frozen=True)
class Behaving:
    """The heads, as (layer, head), with a behaviour, and how many the twin has."""

    behaviour: str
    heads: list[tuple[int, int]]
    twin: int


def read(folder: RunFolder, table: str, model: str) -> pa.Table:
    """A model's rows of a table, its strings fit to be shown."""
    content = folder.table(table).filter(pc.field("model") == model)
    for position, field in enumerate(content.schema):
        if pa.types.is_string(field.type):
            shown = [None if v is None else legible(v) for v in content[position].to_pylist()]
            content = content.set_column(position, field, pa.array(shown, pa.string()))
    return content


def legible(text: str) -> str:
    """The text with a mark for every character that only steers a terminal or breaks XML."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def relations(best: pa.Table) -> list[RelationBest]:
    """The rows of `syntax_best`: all, all_but_punct, then those with the most cases."""
    columns = [field.name for field in fields(RelationBest)]
    rows = [RelationBest(**row) for row in best.select(columns).to_pylist()]
    return sorted(rows, key=lambda row: (*_rank(row.relation), -row.total, row.relation))


def frequent(rows: Iterable[RelationBest], count: int) -> list[RelationBest]:
    """The first relations in the order given, those that stand for several and punct left out."""
    several = (*_FIRST, PUNCT)
    return [row for row in rows if row.relation not in several][:count]


def mentions(best: pa.Table, baselines: pa.Table) -> list[MentionBest]:
    """The best head of every mention type, by `max_tokens`, then in the order of the table."""
    beside: dict[tuple[int, str], dict[str, float | None]] = {}
    for row in baselines.to_pylist():
        values = beside.setdefault((row["max_tokens"], row["mention_type"]), {})
        values[row["baseline"]] = row["accuracy"]
    columns = [field.name for field in fields(MentionBest) if field.name != "baselines"]
    rows = sorted(best.select(columns).to_pylist(), key=lambda row: int(row["max_tokens"]))
    return [
        MentionBest(**row, baselines=beside.get((row["max_tokens"], row["mention_type"]), {}))
        for row in rows
    ]


def pronouns(best: pa.Table, baselines: pa.Table) -> list[PronounBest]:
    """The best head for the pronouns of every gender, by `max_tokens`, then as in the table."""
    beside: dict[tuple[int, str], dict[str, BaselineScore]] = {}
    for row in baselines.to_pylist():
        scores = beside.setdefault((row["max_tokens"], row["gender"]), {})
        scores[row["baseline"]] = BaselineScore(row["accuracy"], row["f1"], row["bias"])
    columns = [field.name for field in fields(PronounBest) if field.name != "baselines"]
    rows = sorted(best.select(columns).to_pylist(), key=lambda row: int(row["max_tokens"]))
    return [
        PronounBest(**row, baselines=beside.get((row["max_tokens"], row["gender"]), {}))
        for row in rows
    ]


def behaving(heads: pa.Table, twin: pa.Table | None) -> list[Behaving]:
    """The heads of each behaviour that some head has, in the order of the definition."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in heads.to_pylist():
        found.setdefault(row["behaviour"], []).append((row["layer"], row["head"]))
    others = Counter(twin["behaviour"].to_pylist()) if twin else Counter()
    return [
        Behaving(name, sorted(found.get(name, [])), others[name])
        for name in BEHAVIOURS
        if name in found or others[name]
    ]


def probe_means(probes: pa.Table) -> dict[str, float]:
    """The UAS of each probe, the mean over its seeds, in the order of the table."""
    found: dict[str, list[float]] = {}
    for row in probes.to_pylist():
        if row["uas"] is not None:
            found.setdefault(row["probe"], []).append(row["uas"])
    return {probe: sum(values) / len(values) for probe, values in found.items()}


def layer_means(patterns: pa.Table, pattern: str) -> dict[int, float]:
    """The mean of a pattern over the heads of each layer."""
    chosen = patterns.filter(pc.field("pattern") == pattern)
    means = chosen.group_by("layer").aggregate([("value", "mean")]).sort_by("layer")
    return dict(zip(means["layer"].to_pylist(), means["value_mean"].to_pylist(), strict=True))


def heads_above(patterns: pa.Table, pattern: str, share: float) -> list[tuple[int, int]]:
    """The heads, as (layer, head), whose value of a pattern is above a share."""
    chosen = patterns.filter((pc.field("pattern") == pattern) & (pc.field("value") > share))
    return sorted(zip(chosen["layer"].to_pylist(), chosen["head"].to_pylist(), strict=True))


def _rank(relation: str) -> tuple[int]:
    return (_FIRST.index(relation) if relation in _FIRST else len(_FIRST),)
