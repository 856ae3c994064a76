"""A head as `run.head(3, 1)` gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from attnray.errors import InputError
from attnray.interface.rows import dicts, objects
from attnray.interface.shown import table
from attnray.metrics.coreference import MentionGainRow, MentionRow
from attnray.metrics.heads import HeadRow
from attnray.metrics.patterns import PatternRow
from attnray.metrics.syntax import RelationGainRow, RelationRow
from attnray.report.claims import claimed
from attnray.report.wording import NOTHING, percent, points

if TYPE_CHECKING:
    from attnray.interface.mistakes import Mistakes
    from attnray.interface.opened import Run

R = TypeVar("R")
Gain = RelationGainRow | MentionGainRow

#: How many of its gains, patterns and neighbours a head is shown with.
SHOWN = 3
#: As people write a head.
WRITTEN = re.compile(r"(\d+)-(\d+)")


class Near(NamedTuple):
    """A head, and its Jensen-Shannon divergence from another in nats."""

    head: Head
    divergence: float

    def __repr__(self) -> str:
        return f"{self.head} ({self.divergence:.3f})"


@dataclass(frozen=True, repr=False)
class Head:
    """A head of a run and what it does; `layer` and `head`, its number in there, count from 1.

    What the run has not measured is empty.
    """

    run: Run
    layer: int
    head: int

    def __str__(self) -> str:
        return f"{self.layer}-{self.head}"

    @property
    def behaviour(self) -> str | None:
        """What it mostly does (next, previous, cls, sep, punctuation, broad or other)."""
        return next((row.behaviour for row in self._rows(HeadRow, "heads")), None)

    @cached_property
    def patterns(self) -> dict[str, PatternRow]:
        """Its mean weight on each target, and its mean entropies in nats, by their names."""
        return {row.pattern: row for row in self._rows(PatternRow, "patterns")}

    @cached_property
    def relations(self) -> list[RelationRow]:
        """How often it finds the words of each relation, in each direction, the surest first."""
        rows = self._rows(RelationRow, "syntax")
        return sorted(rows, key=lambda row: -(row.accuracy or 0))

    @cached_property
    def mentions(self) -> list[MentionRow]:
        """How often it finds an antecedent of each type of mention, the surest first."""
        rows = self._rows(MentionRow, "coreference")
        return sorted(rows, key=lambda row: -(row.accuracy or 0))

    @cached_property
    def gains(self) -> list[Gain]:
        """How much better it is than the best baseline, held out, the greatest gain first.

        Only where it can be told: of five documents at the least.
        """
        rows: list[Gain] = [
            *self._rows(RelationGainRow, "syntax_gains"),
            *self._rows(MentionGainRow, "coreference_gains"),
        ]
        known = [row for row in rows if row.difference is not None]
        return sorted(known, key=lambda row: -(row.difference or 0))

    def nearest(self, count: int = 5) -> list[Near]:
        """The heads whose attention is most like its own, the nearest first."""
        rows = dicts(self.run, "divergence", layer_a=self.layer, head_a=self.head)
        found = [
            Near(Head(self.run, row["layer_b"], row["head_b"]), row["js_divergence"])
            for row in rows
            if (row["layer_b"], row["head_b"]) != (self.layer, self.head)
        ]
        return sorted(found, key=lambda near: near.divergence)[:count]

    def errors(self, item: str, **which: Any) -> Mistakes:
        """The cases of a relation or a type of mention that it gets wrong: see `Run.errors`."""
        return self.run.errors(item, self, **which)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {said}" for name, said in self._said())

    def _repr_html_(self) -> str:
        return table("", ("", ""), self._said())

    def _said(self) -> list[tuple[str, str]]:
        gains = [f"{_item(row)} {points(row.difference)}" for row in self.gains if _is_sure(row)]
        weights = [row for row in self.patterns.values() if "entropy" not in row.pattern]
        weights.sort(key=lambda row: -(row.value or 0))
        patterns = [f"{row.pattern} {percent(row.value)}" for row in weights[:SHOWN]]
        near = [*map(repr, self.nearest(SHOWN))]
        return [
            (f"head {self}", f"of {self.run.model}, behaviour: {self.behaviour or NOTHING}"),
            ("gains over baselines", ", ".join(gains[:SHOWN]) or NOTHING),
            ("mean weight on", ", ".join(patterns) or NOTHING),
            ("nearest heads", ", ".join(near) or NOTHING),
        ]

    def _rows(self, kind: type[R], name: str) -> list[R]:
        return objects(kind, self.run, name, layer=self.layer, head=self.head)


def _is_sure(row: Gain) -> bool:
    return claimed(row.difference, row.p_holm) == "more"


def _item(row: Gain) -> str:
    return row.relation if isinstance(row, RelationGainRow) else row.mention_type


def parsed(head: object) -> tuple[int, int]:
    """The layer and number of a head: of a `Head`, `(3, 1)` or `"3-1"`.

    Raises:
        InputError: it is none.
    """
    if isinstance(head, Head):
        return head.layer, head.head
    if isinstance(head, str) and (match := WRITTEN.fullmatch(head)):
        return int(match[1]), int(match[2])
    if isinstance(head, tuple) and len(head) == 2:
        return head
    raise InputError(f"{head!r} is no head: say '3-1' or (3, 1), layer and head from 1")
