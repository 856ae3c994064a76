"""Models by what they reach: a row a model, with a mark for each kind of thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attnray.report.drawing.by_row import MarkedRow, RowPanel, by_row, marks
from attnray.report.wording import spaced

#: In a figure there are no more models.
MOST_MODELS = 30
LONGEST_NAME = 30
#: A value and its interval.
Score = tuple[float | None, float | None, float | None]
NOTHING: Score = (None, None, None)


def by_model(
    name: str, label: str, kinds: Sequence[str], models: Mapping[str, Mapping[str, Score]]
) -> str:
    """The first models.

    Args:
        name: of the figure.
        label: what the scores are.
        kinds: what each model may have a score of; that of the first has its interval.
        models: the scores of each model by kind.
    """
    rows = [
        MarkedRow(model, [scores.get(kind, NOTHING)[0] for kind in kinds], (low, high))
        for model, scores in list(models.items())[:MOST_MODELS]
        for _, low, high in [scores.get(kinds[0], NOTHING)]
    ]
    return by_row(
        name,
        f"{label}: {len(rows)} models. The table has the same numbers.",
        label,
        marks(map(spaced, kinds)),
        [RowPanel(rows)],
        around=1.2,
        row=0.26,
        longest=LONGEST_NAME,
    )
