"""Models by the accuracy of their best heads: of coreference, and of ambiguous pronouns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attnray.report import listing
from attnray.report.drawing.by_model import Score, by_model
from attnray.report.findings import CorpusFindings, Placed, Source

#: The row below the models.
BASELINE = "best baseline"


def models_by_kind(
    name: str, rows: Sequence[Placed[Any]], kind: Callable[[Any], str], texts: str
) -> str:
    """The accuracy of best heads in texts cut to the shortest length, and of the best baseline.

    Args:
        name: of the figure.
        rows: those of best heads.
        kind: what cases a row is about.
        texts: what was cut.
    """
    cut = min(row.max_tokens for _, _, row in rows)
    models: dict[str, dict[str, Score]] = {}
    for model, _, row in rows:
        if row.max_tokens == cut:
            score = (row.accuracy, row.ci_low, row.ci_high)
            models.setdefault(model, {})[kind(row)] = score
    # The rules know nothing of heads: theirs differ where documents are cut at other words.
    for _, _, row in rows:
        if row.max_tokens == cut:
            models.setdefault(BASELINE, {}).setdefault(
                kind(row), (row.baseline_accuracy, None, None)
            )
    kinds = list(dict.fromkeys(each for scores in models.values() for each in scores))
    label = f"accuracy of the best head, {texts} cut to {cut} pieces"
    return by_model(name, label, kinds, models)


def gains_by_kind(
    findings: CorpusFindings, best: Source[Any], kind: Callable[[Any], str], what: str
) -> list[str]:
    """What the best heads gain, by model, for the terminal.

    Args:
        findings: those of a corpus.
        best: the table of best heads.
        kind: what cases a row is about.
        what: what cases are.
    """
    rows = best.placed(findings.tables)
    several = len({each.row.max_tokens for each in rows}) > 1
    named = (
        (each.model, f"{kind(each.row)}{f' {each.row.max_tokens}' if several else ''}", each.row)
        for each in rows
    )
    more = f": tables/{best.name}.parquet"
    return [listing.by_model(f"{findings.corpus}, {what}", "baseline", named, more)]
