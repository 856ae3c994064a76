"""Which head finds what: in sentences, and as a map of all heads where scripts run."""

from __future__ import annotations

from collections.abc import Mapping

from attnray.metrics.syntax import ALL_BUT_PUNCT, PUNCT
from attnray.report.findings import Findings
from attnray.report.section import Section, template_of
from attnray.report.sections.finder.answers import answer
from attnray.report.sections.finder.numbers import SOURCES, any_heads, heads_data
from attnray.report.sections.finder.patterns import behaviours

#: Without scripts so many questions are answered.
MOST_ANSWERED = 10


def context(findings: Findings) -> Mapping[str, object]:
    """The answers to the first questions, for those who see no map."""
    questions = findings.questions
    first = [each for each in questions if each.name not in (ALL_BUT_PUNCT, PUNCT)]
    known = behaviours(findings)
    return {"answers": [(each, answer(each, questions, known)) for each in first[:MOST_ANSWERED]]}


SECTION: Section[Findings] = Section(
    "finder",
    "Find a head",
    template_of(__file__),
    uses=SOURCES,
    shown=any_heads,
    context=context,
    data=lambda findings: {"heads": heads_data(findings)},
)
