"""Best head per relation: heads that find the syntactic head of a word, or a word of a head."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING

from attnray.corpus.example import Example
from attnray.metrics.syntax import (
    ALL,
    ALL_BUT_PUNCT,
    PUNCT,
    BestRelationRow,
    RelationGainRow,
    relation_label,
)
from attnray.report import columns, glosses
from attnray.report.claims import Kind, of_all, of_each, untested, verdict
from attnray.report.columns import Column, PageTable, label, number
from attnray.report.drawing.by_row import HELD_OUT, LOOKS, Mark, MarkedRow, RowPanel, by_row, marks
from attnray.report.drawing.maps import MapPanel, attention_lines
from attnray.report.examples import candidates, choose
from attnray.report.findings import Findings, Source
from attnray.report.listing import Entry, Labels, is_better, listing
from attnray.report.questions import Question, questions
from attnray.report.section import Draw, Section, SingleMaps, template_of
from attnray.report.wording import count, head, legible, offset, percent, spaced

if TYPE_CHECKING:
    from attnray.config import Config
    from attnray.reading import RunReader, StoredExample

BEST = Source("syntax_best", BestRelationRow)
GAINS = Source("syntax_gains", RelationGainRow)
#: Relations that stand for several come first.
TOGETHER = (ALL, ALL_BUT_PUNCT)
#: So many are named where not all of them can be.
MOST_RELATIONS = 6
#: So many are listed on the terminal.
MOST_LISTED = 12
LABELS = Labels("relation", "direction", "offset", "cases")
ABOUT_MAPS = "Attention of the best head of relations, the lines between the related words in red"
_ARROWS = {"dependent_to_head": "dependent → head", "head_to_dependent": "head → dependent"}
_DIRECTIONS = {"dependent_to_head": "dep→head", "head_to_dependent": "head→dep"}
_SHORT = {"dependent_to_head": "d→h", "head_to_dependent": "h→d"}


def direction(name: str) -> str:
    """A direction in words."""
    return _ARROWS.get(name, spaced(name))


def short_direction(name: str) -> str:
    """A direction in letters, for narrow columns."""
    return _SHORT.get(name, spaced(name))


def ordered(rows: Iterable[BestRelationRow]) -> list[BestRelationRow]:
    """Those that stand for several, then those with the most cases."""

    def place(row: BestRelationRow) -> tuple[int, int, str]:
        together = TOGETHER.index(row.relation) if row.relation in TOGETHER else len(TOGETHER)
        return together, -row.total, row.relation

    return sorted(rows, key=place)


def frequent(rows: Iterable[BestRelationRow]) -> list[BestRelationRow]:
    """The rows in their order, without punct and those that stand for several."""
    return [row for row in rows if row.relation not in (*TOGETHER, PUNCT)]


def _rows(findings: Findings) -> list[BestRelationRow]:
    return ordered(BEST.rows(findings.tables))


RELATION: Column[BestRelationRow] = label(
    "Relation", attrgetter("relation"), lambda row: glosses.relation(row.relation)
)


def _head(row: BestRelationRow) -> str:
    """A head and its direction, for narrow columns."""
    return f"{head(row.layer, row.head)} {short_direction(row.direction)}"


COLUMNS: tuple[Column[BestRelationRow], ...] = (
    RELATION,
    columns.cases("Cases"),
    replace(columns.HEAD, cell=_head),
    columns.ACCURACY,
    columns.INTERVAL,
    columns.held_out("Held-out accuracy"),
    number("Best offset", attrgetter("baseline_offset"), offset),
    number("Offset accuracy", attrgetter("baseline_accuracy"), percent),
    columns.rule_held_out("Offset held out"),
    *columns.less_baseline("its interval"),
)


def context(findings: Findings) -> Mapping[str, object]:
    """The table of relations."""
    shown = [*COLUMNS, *columns.of_twin(findings, BEST, attrgetter("relation"))]
    table = PageTable(
        "Table: best head per relation",
        shown,
        _rows(findings),
        source=BEST.name,
        note=untested("relations"),
    )
    return {"best": table, "corpus": BEST.corpus(findings.tables)}


def figures(findings: Findings) -> Mapping[str, Draw]:
    """All relations, and the attention of some heads."""
    drawn: dict[str, Draw] = {"syntax": partial(best_heads, rows=_rows(findings))}
    if panels := findings.maps.get("relations"):
        drawn["relations"] = partial(attention_lines, about=ABOUT_MAPS, panels=panels)
    return drawn


def best_heads(name: str, rows: Sequence[BestRelationRow]) -> str:
    """The best head of every relation beside the best fixed offset."""
    shown = [
        MarkedRow(
            label=row.relation,
            values=(row.accuracy, row.heldout_accuracy, row.baseline_accuracy),
            interval=(row.ci_low, row.ci_high),
            columns=(
                _head(row),
                offset(row.baseline_offset),
                count(row.total),
            ),
        )
        for row in rows
    ]
    return by_row(
        name,
        f"Accuracy of the best head of {len(rows)} relations with its 95% interval and its "
        "held-out accuracy, beside the best fixed offset. The table has the same numbers.",
        "accuracy",
        [
            *marks(["best head"]),
            HELD_OUT,
            Mark("best fixed offset", *LOOKS[1]),
        ],
        [RowPanel(shown, first=sum(row.relation in TOGETHER for row in rows))],
        ("best head", "offset", "cases"),
        ticks_above=True,
    )


def sentences(findings: Findings) -> list[str]:
    """What is claimed of all dependencies and of single relations, frequent ones first."""
    rows, rule = _rows(findings), "the best fixed offset"
    whole = [row for row in rows if row.relation == ALL]
    said = [of_all(row, "dependencies", rule, direction(row.direction)) for row in whole]
    single = [Kind(row.relation, row) for row in frequent(rows)]
    return said + of_each(single, "relations (punct left out)", "cases", rule)


def lines(findings: Findings) -> list[str]:
    """All dependencies, then the relations, those first that a head finds better than offsets."""
    rows = _rows(findings)
    whole = [row for row in rows if row.relation == ALL]
    entries = [
        Entry(row.relation, _DIRECTIONS.get(row.direction, ""), row, offset(row.baseline_offset))
        for row in whole + sorted(frequent(rows), key=by_gain)
    ]
    end = len(whole) + MOST_LISTED
    return [listing("relation", LABELS, entries[:end], _more(entries[end:]))]


def _more(entries: Sequence[Entry]) -> list[str]:
    """That there are others, if so."""
    if not entries:
        return []
    better = sum(map(is_better, entries))
    marked = f" ({better} of them *)" if better else ""
    return [f"{len(entries)} more relations{marked}: tables/{BEST.name}.parquet"]


def by_gain(row: BestRelationRow) -> tuple[bool, float]:
    """The largest gains first; of those that may be chance, the most frequent."""
    found = verdict(row) == "more"
    return not found, -(row.difference or 0.0) if found else -row.total


def asked(findings: Findings) -> list[Question]:
    """Which head finds each relation."""
    return questions(
        findings,
        _rows(findings),
        GAINS,
        "relation",
        group="Relations",
        cases="cases",
        rule=lambda row: f"the best fixed offset ({offset(row.baseline_offset)})",
        words=glosses.relation,
    )


def related_words(
    reader: RunReader,
    rows: Iterable[BestRelationRow],
    examples: Sequence[int] = (),
    merge: str = "mean",
    relation_labels: str = "universal",
) -> list[MapPanel]:
    """The best head of the most frequent relations, each on an example, between words.

    Only relations whose best head beats the best fixed offset, and which an example holds.
    The pairs of the relation are highlighted, from the attending to the attended word.

    Args:
        reader: a run, open at its sentences.
        rows: those of `syntax_best`.
        examples: numbers of examples to choose from, the preferred ones first.
        merge: as the table was made: mean, first or max.
        relation_labels: as the table was made: universal or full.

    Raises:
        InputError: there is no example of such a number.
    """
    among = candidates(reader, examples)
    better = [row for row in frequent(ordered(rows)) if _beats_offset(row)]
    panels = (_panel(among, row, merge, relation_labels) for row in better)
    return list(islice((panel for panel in panels if panel), MOST_RELATIONS))


def _panel(
    among: Sequence[StoredExample], row: BestRelationRow, merge: str, relation_labels: str
) -> MapPanel | None:
    def pairs(example: Example) -> Iterator[tuple[int, int]]:
        """Word and head of each case, from 0."""
        related = zip(example.heads, example.relations, strict=True)
        for word, (governor, relation) in enumerate(related):
            if governor > 0 and _shown(relation, relation_labels) == legible(row.relation):
                yield word, governor - 1

    example = choose(among, lambda each: len(list(pairs(each))))
    if example is None:
        return None
    found = list(pairs(example))
    if row.direction == "head_to_dependent":
        found = [(governor, word) for word, governor in found]
    return MapPanel(
        title=f"{row.relation}: head {head(row.layer, row.head)}",
        words=example.words,
        weights=example.attention(row.layer, row.head, words=True, merge=merge),
        highlight=frozenset(found),
        note=f"{direction(row.direction)}, {percent(row.accuracy)} right",
    )


def _shown(relation: str, relation_labels: str) -> str:
    return legible(relation_label(relation, relation_labels))


def _beats_offset(row: BestRelationRow) -> bool:
    accuracy, baseline = row.accuracy, row.baseline_accuracy
    return accuracy is not None and (baseline is None or accuracy > baseline)


def _maps(reader: RunReader, findings: Findings, config: Config) -> list[MapPanel]:
    rows = BEST.rows(findings.tables)
    return related_words(reader, rows, config.examples, config.merge, config.relation_labels)


SECTION = Section(
    "relations",
    "Best head per relation",
    template_of(__file__),
    needs=[BEST],
    uses=[GAINS],
    figures=figures,
    asks=asked,
    sentences=sentences,
    lines=lines,
    context=context,
    maps=SingleMaps("syntax", _maps),
    navigation="Relations",
)
