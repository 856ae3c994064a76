"""Probes: how much of a dependency parse can be read from attention alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from statistics import fmean
from typing import Any

from attnray.probe.tables import ProbeDifferenceRow, ProbeRow
from attnray.report import columns
from attnray.report.claims import claimed, untested
from attnray.report.columns import Column, PageTable, label, number, of_row
from attnray.report.findings import Findings, Placed, Source
from attnray.report.section import Section, template_of
from attnray.report.wording import NOTHING, count, percent, points, spaced

PROBES = Source("probes", ProbeRow)
DIFFERENCES = Source("probe_differences", ProbeDifferenceRow)

PROBE: Column[Any] = label("Probe", lambda row: spaced(row.probe))
SEED: Column[ProbeRow] = number("Seed", attrgetter("seed"))
UAS: Column[ProbeRow] = number("UAS", attrgetter("uas"), percent)
COLUMNS: list[Column[Placed[ProbeRow]]] = [
    *of_row(PROBE),
    columns.MODEL,
    *of_row(
        SEED,
        label("Vectors", lambda row: spaced(row.vectors or NOTHING)),
        UAS,
        columns.INTERVAL,
        number("UAS of the tree", attrgetter("tree_uas"), percent),
        number("UUAS", attrgetter("uuas"), percent),
    ),
]
NOTE = (
    "–: without vectors of words; or fewer than two documents (or blocks of sentences), so that "
    "there is no interval."
)
#: How much one probe finds more than another.
MORE: list[Column[ProbeDifferenceRow]] = columns.differing("", "95% interval")
DIFFERENCE_COLUMNS: tuple[Column[ProbeDifferenceRow], ...] = (
    PROBE,
    label("Less the probe", lambda row: spaced(row.other_probe)),
    label("of the model", lambda row: row.other_model),
    *MORE,
)


def context(findings: Findings) -> Mapping[str, object]:
    """The probes of the model and its twin, and the differences between them."""
    rows = PROBES.placed(findings.tables) + PROBES.placed(findings.twin)
    label, differences = "Table: differences between probes", DIFFERENCES.rows(findings.tables)
    return {
        "probes": PageTable("Table: probes", COLUMNS, rows, source=PROBES.name, note=NOTE),
        "first": rows[0],
        "differences": PageTable(
            label,
            DIFFERENCE_COLUMNS,
            differences,
            source=DIFFERENCES.name,
            note=untested("differences"),
        ),
    }


def means(rows: Sequence[ProbeRow]) -> dict[str, float]:
    """The UAS of each probe, the mean over its seeds, in the order of the table."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.uas is not None:
            found.setdefault(row.probe, []).append(row.uas)
    return {probe: fmean(values) for probe, values in found.items()}


def sentences(findings: Findings) -> list[str]:
    """What each probe reads of a parse, and which read more than that of the random twin."""
    rows = PROBES.rows(findings.tables)
    parts = [f"{spaced(probe)} {percent(uas)}" for probe, uas in means(rows).items()]
    if not parts:
        return []
    words = f"{count(rows[0].dev_words)} words of {PROBES.corpus(findings.tables)}"
    said = [f"Of {words} probes find the syntactic head: {', '.join(parts)}."]
    if twin := findings.facts.twin:
        more = [
            f"{spaced(row.probe)} {points(row.difference)} points"
            for row in DIFFERENCES.rows(findings.tables)
            if row.other_model == twin and claimed(row.difference, row.p_holm) == "more"
        ]
        said.append(
            "More than from the attention of the random twin, after Holm’s correction: "
            f"{', '.join(more) or 'none of them'}."
        )
    return said


def lines(findings: Findings) -> list[str]:
    """UAS by probe."""
    rows = PROBES.rows(findings.tables)
    return [
        f"probe {spaced(probe):<20} UAS {percent(uas):>6}  {count(rows[0].dev_words)} words"
        for probe, uas in means(rows).items()
    ]


SECTION = Section(
    "probes",
    "Probes",
    template_of(__file__),
    needs=[PROBES],
    uses=[DIFFERENCES],
    sentences=sentences,
    lines=lines,
    context=context,
)
