"""A run as `attnray.open` gives it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import pyarrow as pa

from attnray.config import planned, typed
from attnray.errors import InputError
from attnray.interface.best import Best, baseline_name
from attnray.interface.example import Example
from attnray.interface.forms import TableForm, table_as
from attnray.interface.head import Head, parsed
from attnray.interface.mistakes import Mistakes
from attnray.interface.parallel import in_order
from attnray.interface.rows import dicts
from attnray.interface.shown import table as shown
from attnray.interface.tables import Tables
from attnray.metrics.base import Predictor
from attnray.metrics.registry import METRICS
from attnray.nearest import meant
from attnray.reading import OpenRun
from attnray.report.claims import claimed
from attnray.report.wording import NOTHING, points
from attnray.store.folder import REPORT, page_of

if TYPE_CHECKING:
    import pandas
    import polars

R = TypeVar("R")
Row = dict[str, Any]

#: How many heads a run is shown with.
SUREST = 5

PREDICTORS = [kind for kind in METRICS.values() if issubclass(kind, Predictor)]


class Run(OpenRun[Example]):
    """A run, open for reading: `attnray.open(RUN_DIR)`.

    It is a sequence of its examples, in the order of the corpus: `len(run)`, `run[7]`, `run[-1]`,
    `run[2:5]`, `for example in run`. Layers and heads count from 1, as in the paper and the tables;
    examples, words and tokens from 0.

    >>> len(run), run.shape
    (224, (6, 12))
    >>> weights = run[7].attention(layer=3, head=1, words=True)  # (from word, to word)
    >>> run.best("obj").gain > 0.3
    True
    >>> run.errors("obj", "3-1")[0]
    watchman: a (33.5%), not rescued (14.0%) | …
    """

    _kind = Example

    @property
    def folder(self) -> Path | str:
        """The folder or the address where it lies."""
        return self._folder.root

    @property
    def model(self) -> str:
        """The name of its model, as in the tables."""
        return str(self._manifest.identity["model"]["name"])

    @property
    def shape(self) -> tuple[int, int]:
        """How many layers the model has, and heads in each."""
        return self._manifest.heads

    @property
    def corpora(self) -> dict[str, str]:
        """The name of the corpus that serves each role, such as syntax or coreference."""
        sets = {role: self._manifest.sets_of(role) for role in self._manifest.roles}
        return {role: found[0].corpus for role, found in sets.items() if found}

    @property
    def settings(self) -> dict[str, Any]:
        """The configuration that it was made with, as in conf/config.yaml."""
        return self._manifest.config

    @property
    def documents(self) -> list[str]:
        """The names of the documents, in the order of the corpus; `run.document(name)` has one."""
        return list(dict.fromkeys(self._index["document"].to_pylist()))

    @property
    def report(self) -> Path | str:
        """Where its report is."""
        name = page_of(REPORT)
        return self.folder / name if isinstance(self.folder, Path) else f"{self.folder}/{name}"

    @property
    def tables(self) -> Tables:
        """Its tables by name, as pyarrow has them, such as `run.tables["syntax_best"]`."""
        return Tables(self._folder)

    @overload
    def table(self, name: str, as_: Literal["arrow"] = "arrow") -> pa.Table: ...

    @overload
    def table(self, name: str, as_: Literal["pandas"]) -> pandas.DataFrame: ...

    @overload
    def table(self, name: str, as_: Literal["polars"]) -> polars.DataFrame: ...

    def table(self, name: str, as_: TableForm = "arrow") -> Any:
        """A table, such as `syntax_best`, as `arrow`, `pandas` or `polars` has it.

        Raises:
            InputError: the run has no such table, or the package is not installed.
        """
        return table_as(super().table(name), as_)

    def best(self, item: str, metric: str | None = None, max_tokens: int | None = None) -> Best:
        """The best head of a relation, a type of mention, or a gender of pronouns (GAP).

        Args:
            item: such as obj, pronoun or feminine; all has every case.
            metric: syntax, coreference or gap, where several have it: by default the first.
            max_tokens: what documents were cut to, where a run has several: by default the first.

        Raises:
            InputError: the run has measured no such thing, or has no case of it.
        """
        kind = self._measuring(item, metric)
        row = self._best_row(kind, item, max_tokens)
        if row["layer"] is None:
            raise InputError(f"{self.folder}: the corpus has no case of {item}")
        return Best(
            item=item,
            metric=kind.name,
            head=self.head(row["layer"], row["head"]),
            direction=row.get("direction"),
            total=row["total"],
            accuracy=row["accuracy"],
            interval=_interval(row, "ci"),
            heldout_accuracy=row["heldout_accuracy"],
            baseline=baseline_name(row.get("baseline_offset") or row.get("baseline")),
            baseline_accuracy=row["baseline_accuracy"],
            baseline_heldout_accuracy=row["baseline_heldout_accuracy"],
            gain=row["difference"],
            gain_interval=_interval(row, "difference_ci"),
            p_holm=row["p_holm"],
        )

    @overload
    def head(self, layer: int, head: int) -> Head: ...

    @overload
    def head(self, layer: str) -> Head: ...

    def head(self, layer: int | str, head: int | None = None) -> Head:
        """A head by its layer and its number in there, both from 1: `run.head(3, 1)`, or `"3-1"`.

        Raises:
            InputError: there is none.
        """
        found = Head(self, *parsed((layer, head) if head is not None else layer))
        for name, number, count in zip(
            ("layer", "head"), (found.layer, found.head), self.shape, strict=True
        ):
            if not 1 <= number <= count:
                raise InputError(f"there is no {name} {number}: they count from 1 to {count}")
        return found

    def errors(
        self,
        item: str,
        head: Head | tuple[int, int] | str | None = None,
        direction: str | None = None,
        metric: str | None = None,
        max_tokens: int | None = None,
    ) -> Mistakes:
        """The cases of a relation or a type of mention that a head gets wrong.

        Args:
            item: such as obj, pronoun or feminine; all has every case.
            head: `"3-1"` or `(3, 1)`, layer and head from 1; by default the best one.
            direction: of a relation: dependent_to_head or head_to_dependent; by default the one in
                which the head is right more often.
            metric: as for `best`.
            max_tokens: as for `best`.

        Raises:
            InputError: the run has measured no such thing, has no such head or direction, or kept
                no cases.
        """
        kind = self._measuring(item, metric)
        row = self._best_row(kind, item, max_tokens)
        chosen = (
            self.best(item, kind.name, max_tokens).head
            if head is None
            else self.head(*parsed(head))
        )
        direction = direction or self._better_direction(kind, item, chosen)
        cut = {"max_tokens": row["max_tokens"]} if "max_tokens" in row else {}
        wrong = self.cases(kind.name, chosen.layer, chosen.head, direction, right=False, **cut)
        examples = next(
            each
            for each in self._manifest.sets_of(kind.role)
            if not cut or each.max_tokens == row["max_tokens"]
        )
        predictor = kind.of(typed(planned(self.settings)), examples)
        taken = predictor.groups(wrong).get(item)
        cases = wrong.slice(0, 0) if taken is None else wrong.filter(pa.array(taken))
        return Mistakes(item, chosen, direction, cases, self.over(examples), predictor)

    def map(self, function: Callable[[Example], R], workers: int | None = None) -> Iterator[R]:
        """What a function makes of each example, in their order, several worked on at once.

        Threads call it, as many as there are CPUs by default: what numpy does goes on side
        by side, loops in Python do not. An error says which example it was.

        >>> surest = max(run.map(lambda example: example.attention(3, 1).max()))
        """
        return in_order(function, self, workers or os.cpu_count() or 1)

    def __repr__(self) -> str:
        layers, heads = self.shape
        corpora = ", ".join(dict.fromkeys(self.corpora.values()))
        return (
            f"<run of {self.model} ({layers} layers x {heads} heads) on {corpora}: "
            f"{len(self):,} examples ({self._set.kind}), {self.folder}>"
        )

    def _repr_html_(self) -> str:
        corpora = ", ".join(f"{role}: {name}" for role, name in self.corpora.items())
        rows = [
            ("examples", f"{len(self):,} ({self._set.kind}) of {len(self.documents):,} documents"),
            ("corpora", corpora),
            ("most above baselines", ", ".join(self._surest) or NOTHING),
            ("tables", ", ".join(self.tables)),
            ("report", self.report),
        ]
        return shown(repr(self), ("", ""), rows)

    def _measuring(self, item: str, metric: str | None) -> type[Predictor]:
        """The predictor whose table of best heads has this row.

        Raises:
            InputError: there is none.
        """
        known: list[str] = []
        asked = [kind for kind in PREDICTORS if metric in (None, kind.name)]
        for kind in asked:
            items = [row[kind.item] for row in dicts(self, f"{kind.name}_best")]
            if item in items:
                return kind
            known += items
        if not known:
            tables = [f"{kind.name}_best" for kind in asked]
            raise InputError(f"{self.folder} has no table {' or '.join(tables) or metric}")
        raise InputError(
            f"{self.folder}: nothing was measured of {item}, but of "
            f"{', '.join(dict.fromkeys(known))}{meant(item, known)}"
        )

    @property
    def _surest(self) -> list[str]:
        """The heads that are most above the baselines, after Holm's correction."""
        rows = [
            {**row, "item": row[kind.item]}
            for kind in PREDICTORS
            for row in dicts(self, f"{kind.name}_best")
            if claimed(row["difference"], row["p_holm"]) == "more"
        ]
        rows.sort(key=lambda row: -row["difference"])
        return [
            f"{row['item']} {row['layer']}-{row['head']} ({points(row['difference'])})"
            for row in rows[:SUREST]
        ]

    def _best_row(self, kind: type[Predictor], item: str, max_tokens: int | None) -> Row:
        cut = {} if max_tokens is None else {"max_tokens": max_tokens}
        rows = dicts(self, f"{kind.name}_best", **{kind.item: item}, **cut)
        if not rows:
            raise InputError(
                f"{self.folder}: {kind.name} was not measured at max_tokens={max_tokens}"
            )
        return rows[0]

    def _better_direction(self, kind: type[Predictor], item: str, head: Head) -> str | None:
        if kind.directions == ("",):
            return None
        where = {"layer": head.layer, "head": head.head, kind.item: item}
        rows = dicts(self, kind.name, **where)
        order = kind.directions.index
        best = max(rows, key=lambda row: (row["correct"], -order(row["direction"])))
        return str(best["direction"])


def _interval(row: Row, name: str) -> tuple[float, float] | None:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return None if low is None or high is None else (low, high)
