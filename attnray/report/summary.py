"""The closing lines of a run on the terminal: its best heads beside the baselines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from attnray.report import wording
from attnray.report.findings import (
    ALL,
    MentionBest,
    PronounBest,
    RelationBest,
    frequent,
    mentions,
    probe_means,
    pronouns,
    read,
    relations,
)
from attnray.store.folder import RunFolder

MOST_RELATIONS = 6
#: What a line has: label, head, direction, accuracy, baselines, cases.
Line = tuple[str, str, str, str, str, str]


def best_heads(folder: RunFolder, tables: tuple[str, ...], model: str) -> str:
    """A line for all dependencies, frequent relations, coreference, pronouns, and each probe.

    Args:
        folder: the run folder.
        tables: the names of the tables to use; empty text where none of them has heads.
        model: whose heads: a random twin has rows too.
    """
    lines: list[Line] = []
    if "syntax_best" in tables:
        rows = relations(read(folder, "syntax_best", model))
        whole = [row for row in rows if row.relation == ALL]
        lines += map(_relation_line, whole + frequent(rows, MOST_RELATIONS))
    if "coreference_best" in tables:
        best = read(folder, "coreference_best", model)
        found = mentions(best, read(folder, "coreference_baselines", model))
        lines += [_mention_line(row) for row in found if row.mention_type == ALL]
    if "gap_best" in tables:
        best = read(folder, "gap_best", model)
        chosen = pronouns(best, read(folder, "gap_baselines", model))
        lines += [_pronoun_line(row) for row in chosen if row.gender == ALL]
    probes = read(folder, "probes", model) if "probes" in tables else None
    return "\n".join([*_aligned(lines), *(_probe_lines(probes) if probes else [])])


def _relation_line(row: RelationBest) -> Line:
    offset = wording.NOTHING if row.baseline_offset is None else f"{row.baseline_offset:+d}"
    return (
        row.relation,
        wording.head(row.layer, row.head),
        row.direction,
        wording.percent(row.accuracy),
        f"(best offset {offset}: {wording.percent(row.baseline_accuracy)})",
        f"{wording.count(row.total)} cases",
    )


def _mention_line(row: MentionBest) -> Line:
    return _antecedent_line("coreference", row, row.baselines, "anaphors")


def _pronoun_line(row: PronounBest) -> Line:
    accuracies = {name: each.accuracy for name, each in row.baselines.items()}
    return _antecedent_line("gap", row, accuracies, "pronouns")


def _antecedent_line(
    name: str,
    row: MentionBest | PronounBest,
    baselines: Mapping[str, float | None],
    cases: str,
) -> Line:
    beside = (f"{baseline}: {wording.percent(value)}" for baseline, value in baselines.items())
    return (
        name,
        wording.head(row.layer, row.head),
        f"{row.max_tokens} pieces",
        wording.percent(row.accuracy),
        f"({', '.join(beside)})",
        f"{wording.count(row.total)} {cases}",
    )


def _probe_lines(probes: pa.Table) -> list[str]:
    """UAS by probe, the mean over seeds."""
    words = wording.count(probes["dev_words"][0].as_py())
    return [
        f"probe {wording.spaced(probe):<20} UAS {wording.percent(uas):>6}  {words} words"
        for probe, uas in probe_means(probes).items()
    ]


def _aligned(lines: list[Line]) -> Iterable[str]:
    """The lines with their parts in columns, shares and counts to the right."""
    counts = [line[5].partition(" ") for line in lines]
    digits = max((len(number) for number, *_ in counts), default=0)
    widths = [max(len(line[part]) for line in lines) for part in range(5)] if lines else []
    for (label, head, direction, share, beside, _), (number, _, unit) in zip(
        lines, counts, strict=True
    ):
        yield (
            f"{label:<{widths[0]}}  {head:>{widths[1]}}  {direction:<{widths[2]}}  "
            f"{share:>{widths[3]}}  {beside:<{widths[4]}}  {number:>{digits}} {unit}"
        )
