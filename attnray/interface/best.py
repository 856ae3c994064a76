"""The best head of a relation or a type of mention, as `run.best("obj")` gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnray.interface.shown import table
from attnray.report.wording import (
    count,
    interval,
    offset,
    p_value,
    percent,
    points,
    signed_interval,
)

if TYPE_CHECKING:
    from attnray.interface.head import Head

Interval = tuple[float, float]


@dataclass(frozen=True, repr=False)
class Best:
    """The best head of a relation, a type of mention or a gender, beside the best baseline.

    Accuracies are fractions. `accuracy`, with its 95% `interval`, is that of `head` on all cases,
    on which it was found to be the best; `heldout_accuracy` is that of the heads that are best on
    four fifths of the documents, on the last fifth. `gain` is how much that is over the baseline's
    (`baseline_heldout_accuracy`), with its interval, and `p_holm` its p-value after Holm's
    correction for all relations. None is what cannot be told of so few cases or documents.
    """

    item: str
    metric: str
    head: Head
    direction: str | None
    total: int
    accuracy: float | None
    interval: Interval | None
    heldout_accuracy: float | None
    baseline: str
    baseline_accuracy: float | None
    baseline_heldout_accuracy: float | None
    gain: float | None
    gain_interval: Interval | None
    p_holm: float | None

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._said())

    def _repr_html_(self) -> str:
        return table("", ("", ""), self._said())

    def _said(self) -> list[tuple[str, str]]:
        way = f", {self.direction}" if self.direction else ""
        inside = interval(*(self.interval or (None, None)))
        gained = signed_interval(*(self.gain_interval or (None, None)))
        gain = f"{points(self.gain)} ({gained}) points, p {p_value(self.p_holm)} after Holm"
        if self.gain is None:
            gain = "too few cases or documents to say"
        return [
            (self.item, f"head {self.head}{way}"),
            ("accuracy", f"{percent(self.accuracy)} ({inside}) of {count(self.total)} cases"),
            ("held out", percent(self.heldout_accuracy)),
            ("baseline", f"{self.baseline}, {percent(self.baseline_heldout_accuracy)} held out"),
            ("gain", gain),
        ]


def baseline_name(given: object) -> str:
    """A baseline as people read it: that of syntax is an offset."""
    return f"offset {offset(given)}" if isinstance(given, int) else str(given)
