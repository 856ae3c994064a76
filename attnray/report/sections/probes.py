"""Probes: how much of a dependency parse can be read from attention alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from attnray.probe.tables import ProbeDifferenceRow, ProbeRow
from attnray.report import columns
from attnray.report.claims import claimed
from attnray.report.columns import Column, PageTable, label, number, of_row
from attnray.report.findings import Findings, Placed, Source
from attnray.report.section import Section, template_of
from attnray.report.wording import NOTHING, count, p_value, percent, points, signed_interval, spaced

PROBES = Source("probes", ProbeRow)
DIFFERENCES = Source("probe_differences", ProbeDifferenceRow)

PROBE: Column[Any] = label("Probe", lambda row: spaced(row.probe))
SEED: Column[ProbeRow] = number("Seed", lambda row: row.seed)
UAS: Column[ProbeRow] = number("UAS", lambda row: percent(row.uas))
COLUMNS: list[Column[Placed[ProbeRow]]] = [
    *of_row(PROBE),
    columns.MODEL,
    *of_row(
        SEED,
        label("Vectors", lambda row: spaced(row.vectors or NOTHING)),
        UAS,
        columns.INTERVAL,
        number("UAS of the tree", lambda row: percent(row.tree_uas)),
        number("UUAS", lambda row: percent(row.uuas)),
    ),
]
#: How much one probe finds more than another.
MORE: tuple[Column[ProbeDifferenceRow], ...] = (
    number("Difference", lambda row: points(row.difference)),
    number("95% interval", lambda row: signed_interval(row.ci_low, row.ci_high)),
    number("p (Holm)", lambda row: p_value(row.p_holm)),
)
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
        "probes": PageTable("Table: probes", COLUMNS, rows),
        "first": rows[0],
        "differences": PageTable(label, DIFFERENCE_COLUMNS, differences),
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
