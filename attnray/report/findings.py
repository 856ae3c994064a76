"""What the tables say: the best heads, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

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


@dataclass(frozen=True)
class MentionBest:
    """The best head of a mention type, beside the baselines by name.

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
    baselines: dict[str, float | None]


def read(folder: RunFolder, table: str, model: str) -> pa.Table:
    """A model's rows of a table, its strings fit to be shown."""
    content = pq.read_table(folder.table(table), partitioning=None)
    content = content.filter(pc.field("model") == model)
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


def mentions(heads: pa.Table, baselines: pa.Table) -> list[MentionBest]:
    """The best head of every mention type, by `max_tokens`, then in the order of the table."""
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in heads.to_pylist():
        groups.setdefault((row["max_tokens"], row["mention_type"]), []).append(row)
    beside: dict[tuple[int, str], dict[str, float | None]] = {}
    for row in baselines.to_pylist():
        values = beside.setdefault((row["max_tokens"], row["mention_type"]), {})
        values[row["baseline"]] = row["accuracy"]
    ordered = sorted(groups, key=lambda group: group[0])
    return [_mention_best(groups[group], beside.get(group, {})) for group in ordered]


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


def _mention_best(heads: list[dict[str, Any]], baselines: dict[str, float | None]) -> MentionBest:
    """The best of the rows of one mention type; the lowest layer, then head, of equals."""
    scored = [row for row in heads if row["accuracy"] is not None]
    best = min(scored, key=lambda r: (-r["accuracy"], r["layer"], r["head"]), default=None)
    found = best or dict.fromkeys(("layer", "head", "accuracy", "ci_low", "ci_high"))
    return MentionBest(
        max_tokens=heads[0]["max_tokens"],
        mention_type=heads[0]["mention_type"],
        total=heads[0]["total"],
        layer=found["layer"],
        head=found["head"],
        accuracy=found["accuracy"],
        ci_low=found["ci_low"],
        ci_high=found["ci_high"],
        baselines=baselines,
    )
