"""The closing lines of a run on the terminal: its best heads beside the baselines."""

from __future__ import annotations

from collections.abc import Sequence

from attnray.report.findings import Facts, Findings, Tables
from attnray.report.page import Sections, shown
from attnray.report.section import Line
from attnray.report.sections import SECTIONS


def closing_lines(tables: Tables, model: str, sections: Sections = SECTIONS) -> str:
    """What the sections say when a run ends, the lines of heads in columns.

    Args:
        tables: those of the run, as far as it has any.
        model: whose rows: a random twin has rows too.
        sections: in the order in which they speak.
    """
    findings = Findings.of(tables, Facts(model))
    said = [line for each in shown(findings, sections) for line in each.lines(findings)]
    lines = [line for line in said if isinstance(line, Line)]
    return "\n".join([*_aligned(lines), *(line for line in said if isinstance(line, str))])


def _aligned(lines: Sequence[Line]) -> list[str]:
    """The lines with their parts in columns, shares and counts to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        f"{label:<{widths[0]}}  {head:>{widths[1]}}  {where:<{widths[2]}}  "
        f"{accuracy:>{widths[3]}}  {beside:<{widths[4]}}  {count:>{widths[5]}} {cases}"
        for label, head, where, accuracy, beside, count, cases in lines
    ]
