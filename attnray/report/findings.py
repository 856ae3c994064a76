"""What sections are made of: tables, read by their row types, and facts beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from attnray.metrics.rows import rows_of
from attnray.report.drawing.maps import MapPanel
from attnray.report.questions import Question
from attnray.report.wording import legible

R = TypeVar("R")

#: By name, each with the rows of whichever models.
Tables = Mapping[str, pa.Table]
#: What figures of single maps show, by the anchor of their section.
Maps = Mapping[str, Sequence[MapPanel]]


class Placed(NamedTuple, Generic[R]):
    """A row of a table with the model and the corpus before it."""

    model: str
    corpus: str
    row: R


@dataclass(frozen=True)
class Source(Generic[R]):
    """A table by its name, and the type of its rows."""

    name: str
    row: type[R]

    def rows(self, tables: Tables) -> list[R]:
        """Its rows; none where there is no such table."""
        return [each.row for each in self.placed(tables)]

    def placed(self, tables: Tables) -> list[Placed[R]]:
        """Its rows with the model and the corpus of each."""
        if self.name not in tables:
            return []
        table = tables[self.name]
        models, corpora = table["model"].to_pylist(), table["corpus"].to_pylist()
        rows = zip(models, corpora, rows_of(self.row, table), strict=True)
        return [Placed(*each) for each in rows]

    def corpus(self, tables: Tables) -> str:
        """The corpus that it is about, where it is one."""
        return str(tables[self.name]["corpus"][0].as_py())


@dataclass(frozen=True)
class Facts:
    """What the tables do not say of a run.

    `uniform` is the entropy of uniform attention in nats, the mean of ln(length), if known;
    `twin` the name of the same model with random weights, where the tables have it too;
    `command` what began the run, if known.
    """

    model: str
    corpora: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    uniform: float | None = None
    twin: str | None = None
    command: str = ""


@dataclass(frozen=True)
class Findings:
    """What the sections of a run's page are made of; every text in it is fit to be shown.

    `tables` has the rows of the model, `twin` those of its random twin, if there is one;
    `sentences` what all sections together say in one look, `questions` what they ask of heads.
    """

    facts: Facts
    tables: Tables
    twin: Tables
    maps: Maps
    sentences: Sequence[str] = ()
    questions: Sequence[Question] = ()

    @classmethod
    def of(cls, tables: Tables, facts: Facts, maps: Maps | None = None) -> Findings:
        """Those of the tables of a run, whatever models they have rows of."""
        twin = _rows_where(tables, "model", facts.twin) if facts.twin else {}
        return cls(_shown(facts), _rows_where(tables, "model", facts.model), twin, maps or {})


@dataclass(frozen=True)
class CorpusFindings:
    """What the sections of a comparison are made of: all models' rows over one corpus."""

    corpus: str
    tables: Tables

    @classmethod
    def of(cls, tables: Tables, corpus: str) -> CorpusFindings:
        """Those of the tables of a comparison; without tables that have no such row."""
        own = _rows_where(tables, "corpus", corpus)
        return cls(legible(corpus), {name: table for name, table in own.items() if len(table)})


def _rows_where(tables: Tables, column: str, value: str) -> Tables:
    """The rows with a value, their texts fit to be shown."""
    own = {name: table.filter(pc.field(column) == value) for name, table in tables.items()}
    return {name: _legible(table) for name, table in own.items()}


def _legible(table: pa.Table) -> pa.Table:
    for position, column in enumerate(table.schema):
        if pa.types.is_string(column.type):
            texts = table[position].to_pylist()
            shown = {text: text and legible(text) for text in set(texts)}
            texts = [shown[text] for text in texts]
            table = table.set_column(position, column, pa.array(texts, pa.string()))
    return table


def _shown(facts: Facts) -> Facts:
    return Facts(
        model=legible(facts.model),
        corpora=tuple(map(legible, facts.corpora)),
        notes=tuple(map(legible, facts.notes)),
        settings={legible(name): legible(value) for name, value in facts.settings.items()},
        uniform=facts.uniform,
        twin=legible(facts.twin) if facts.twin else None,
        command=legible(facts.command),
    )
