"""Models by the accuracy of their best heads: of coreference, and of ambiguous pronouns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attnray.report.drawing.by_model import Score, by_model
from attnray.report.findings import Placed


def models_by_kind(
    name: str, rows: Sequence[Placed[Any]], kind: Callable[[Any], str], texts: str
) -> str:
    """The accuracy of best heads in texts cut to the shortest length.

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
    kinds = list(dict.fromkeys(each for scores in models.values() for each in scores))
    label = f"accuracy of the best head, {texts} cut to {cut} pieces"
    return by_model(name, label, kinds, models)
