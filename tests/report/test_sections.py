"""Sections: one that is made up is shown everywhere, and all say which tables they read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from attnray import tables
from attnray.metrics.own import OwnDocumentRow, OwnRow
from attnray.report.closing import closing_lines
from attnray.report.columns import Column, PageTable, label, number
from attnray.report.compared import COMPARED
from attnray.report.comparison import comparison
from attnray.report.drawing.canvas import svg
from attnray.report.findings import CorpusFindings, Facts, Findings, Source
from attnray.report.page import page
from attnray.report.section import Section, tables_of
from attnray.report.sections import SECTIONS
from tests.builders import hand_made
from tests.builders.pages import Page, texts

TEMPLATE = """\
<p>Noses of {{ wording.spaced("many_colours") }}.</p>
{% call table(noses) %}
A nose each.
{% endcall %}
{% call figure(figures.noses, "Figure: noses") %}
Noses, drawn.
{% endcall %}
"""


@dataclass(frozen=True)
class NoseRow:
    """A row of `noses`: how long one is."""

    owner: str
    length: int | None


NOSES = Source("noses", NoseRow)
TABLE = hand_made.table(NoseRow, [{"owner": "<Cyrano>", "length": 9}, {"owner": "no one"}])
COLUMNS: tuple[Column[NoseRow], ...] = (
    label("Owner", lambda row: row.owner),
    number("Length", lambda row: row.length or "–"),
)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "noses.html.jinja"
    path.write_text(TEMPLATE)
    return path


@pytest.fixture
def section(template: Path) -> Section[Findings]:
    return Section(
        "noses",
        "All the noses",
        template,
        needs=[NOSES],
        figures=lambda _: {"noses": drawn},
        sentences=lambda found: [f"There are {len(NOSES.rows(found.tables))} noses."],
        lines=lambda _: ["A line."],
        context=lambda found: {
            "noses": PageTable("Table: noses", COLUMNS, NOSES.rows(found.tables))
        },
        navigation="Noses",
    )


def drawn(name: str) -> str:
    return svg(name, "noses", (2, 2), write_a_nose)


def write_a_nose(figure: Figure) -> None:
    figure.text(0.5, 0.5, "a nose")


def test_a_made_up_section_is_on_the_page(section: Section[Findings]) -> None:
    made_up = (*SECTIONS[:3], section, *SECTIONS[3:])
    report = page({"noses": TABLE}, Facts(hand_made.MODEL), sections=made_up)
    shown = Page(report.text)
    assert [title for level, title in shown.headings if level == 2] == [
        *("What was run", "In one look", "All the noses", "How to make this again"),
    ]
    assert '<li><a href="#noses">Noses</a></li>' in report.text
    assert "<li>There are 2 noses.</li>" in report.text
    assert "Noses of many colours." in shown.text
    assert [row for row in shown.rows if row[0] in ("Owner", "<Cyrano>", "no one")] == [
        ["Owner", "Length"],
        ["<Cyrano>", "9"],
        ["no one", "–"],
    ]
    assert texts(report.figures["noses"]) == ["a nose"]


def test_its_tables_can_be_read_by_all(section: Section[Findings]) -> None:
    report = page({"noses": TABLE}, Facts(hand_made.MODEL), sections=[section])
    assert (
        '<div class="scroll" role="region" tabindex="0" aria-label="Table: noses">' in report.text
    )
    assert '<th scope="col">Owner</th><th scope="col" class="number">Length</th>' in report.text
    assert '<th scope="row" class="label">&lt;Cyrano&gt;</th>' in report.text
    assert "<caption>A nose each.</caption>" in report.text


def test_a_made_up_section_speaks_on_the_terminal(section: Section[Findings]) -> None:
    noses = {**hand_made.some("syntax_best"), "noses": TABLE}
    first, *_, last = closing_lines(noses, hand_made.MODEL, (*SECTIONS, section)).splitlines()
    assert first.startswith("best head of each relation")
    assert last == "A line."


def test_without_its_table_it_is_not_shown(section: Section[Findings]) -> None:
    sections = (*SECTIONS, section)
    text = page(hand_made.ALL, hand_made.facts(), sections=sections).text
    assert text == page(hand_made.ALL, hand_made.facts()).text
    assert "A line." not in closing_lines(hand_made.ALL, hand_made.MODEL, sections)


def test_a_made_up_section_is_in_the_comparison(template: Path) -> None:
    made_up: Section[CorpusFindings] = Section(
        "noses",
        "All the noses",
        template,
        needs=[NOSES],
        figures=lambda _: {"noses": drawn},
        context=lambda found: {
            "noses": PageTable("Table: noses", COLUMNS, NOSES.rows(found.tables))
        },
    )
    report = comparison({"noses": TABLE}, sections=(*COMPARED, made_up))
    assert (3, "All the noses") in Page(report.text).headings
    assert list(report.figures) == ["noses-1"]


@pytest.mark.parametrize("sections", [SECTIONS, COMPARED], ids=["page", "comparison"])
def test_sections_read_tables_by_their_row_types(sections: tuple[Section[Any], ...]) -> None:
    known = {**tables.RUN, **tables.COMPARISON}
    sources = [source for each in sections for source in (*each.needs, *each.uses)]
    assert all(source.row is known[source.name] for source in sources)


def test_sections_of_a_page_read_tables_of_a_run() -> None:
    assert tables_of(SECTIONS) <= set(tables.RUN)


@pytest.mark.parametrize("sections", [SECTIONS, COMPARED], ids=["page", "comparison"])
def test_sections_have_anchors_and_templates_of_their_own(
    sections: tuple[Section[Any], ...],
) -> None:
    assert len({each.anchor for each in sections}) == len(sections)
    assert len({each.template for each in sections}) == len(sections)
    assert all(each.template.is_file() for each in sections)


def test_metrics_of_ones_own_are_known_by_their_columns() -> None:
    row = {"layer": 1, "head": 1, "value": 0.25, "ci_low": None, "ci_high": None, "examples": 7}
    nothing = {**row, "value": None, "examples": 0}
    longer = [{**row, "max_tokens": cut, "value": cut / 1000} for cut in (128, 512)]
    own = {
        "mine": hand_made.table(OwnRow, [row, {**row, "head": 2, "value": 0.5}]),
        "nothing": hand_made.table(OwnRow, [nothing]),
        "of_documents": hand_made.table(OwnDocumentRow, longer),
    }
    found = {**own, **hand_made.some("patterns")}
    assert closing_lines(found, hand_made.MODEL) == (
        "mine: most 1-2 0.5, 1-1 0.25: tables/mine.parquet\n"
        "of_documents: most 1-1 0.512, 1-1 0.128: tables/of_documents.parquet"
    )
    report = page(found, hand_made.facts())
    assert {"own_mine", "own_of_documents"} == {n for n in report.figures if n.startswith("own_")}
    assert ["1-2", "0.5", "–", "7"] in Page(report.text).rows
    assert ["1-1", "512", "0.512", "–", "7"] in Page(report.text).rows
    assert report.sources == ["mine", "of_documents"]
