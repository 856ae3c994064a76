"""The report of a run: one page that needs nothing beside itself, made of its sections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from attnray.report.bundle import embedded
from attnray.report.findings import Facts, Findings, Maps, Tables
from attnray.report.rendering import Report, rendered, whole_page
from attnray.report.section import Section
from attnray.report.sections import SECTIONS

if TYPE_CHECKING:
    from attnray.config import Config
    from attnray.reading import RunReader

Sections = Sequence[Section[Findings]]


def page(
    tables: Tables,
    facts: Facts,
    maps: Maps | None = None,
    examples: Mapping[str, object] | None = None,
    sections: Sections = SECTIONS,
) -> Report:
    """The figures and the page of a run.

    Args:
        tables: those of the run, as far as it has any; others are ignored.
        facts: what the tables do not say.
        maps: what the figures of single maps show.
        examples: the example sentences of heads, by id (see `head_examples`).
        sections: in the order of the page.
    """
    findings = Findings.of(tables, facts, maps)
    findings = asked(findings, sections)
    said = [sentence for each in shown(findings, sections) for sentence in each.sentences(findings)]
    findings = replace(findings, sentences=said)
    parts = [rendered(section, findings) for section in shown(findings, sections)]
    data = {name: embedded(value) for name, value in (examples or {}).items()}
    context = {"facts": findings.facts, "sections": parts, "examples": data}
    text = whole_page("page.html.jinja", context)
    return Report.of(text, parts)


def chosen_maps(
    tables: Tables,
    facts: Facts,
    reader: Callable[[str], RunReader],
    config: Config,
    sections: Sections = SECTIONS,
) -> Maps:
    """What the figures of single maps show.

    Args:
        tables: as for `page`.
        facts: as for `page`.
        reader: opens the examples that serve a role.
        config: how the run was made.
        sections: as for `page`.
    """
    findings = Findings.of(tables, facts)
    return {
        each.anchor: each.maps.choose(reader(each.maps.role), findings, config)
        for each in shown(findings, sections)
        if each.maps
    }


def asked(findings: Findings, sections: Sections = SECTIONS) -> Findings:
    """The findings with what their sections ask of heads."""
    found = [question for each in shown(findings, sections) for question in each.asks(findings)]
    return replace(findings, questions=found)


def shown(findings: Findings, sections: Sections) -> list[Section[Findings]]:
    """The sections that there is something to show of."""
    return [each for each in sections if each.is_shown(findings)]
