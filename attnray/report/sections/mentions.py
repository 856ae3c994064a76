"""Coreference: heads that find an antecedent, by type of mention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter

from attnray.metrics.coreference import BestMentionRow, MentionBaselineRow, MentionGainRow
from attnray.report import columns, glosses
from attnray.report.baselines import Beside, best_rule, claims, joined, listed, of_best, rule
from attnray.report.claims import untested
from attnray.report.columns import Column, PageTable, label, number
from attnray.report.drawing.by_row import HELD_OUT, LOOKS, Mark, MarkedRow, RowPanel, by_row, marks
from attnray.report.findings import Findings, Source
from attnray.report.questions import Question, questions
from attnray.report.section import Section, template_of
from attnray.report.wording import count, head, percent, spaced

BEST = Source("coreference_best", BestMentionRow)
GAINS = Source("coreference_gains", MentionGainRow)
BASELINES = Source("coreference_baselines", MentionBaselineRow)
#: A best head beside the baselines.
Mention = Beside[BestMentionRow, MentionBaselineRow]


def mentions(findings: Findings) -> list[Mention]:
    """The best head of every mention type, by cut."""
    tables = findings.tables
    return joined(BEST.rows(tables), BASELINES.rows(tables), attrgetter("mention_type"))


def baselines_of(rows: Sequence[Mention]) -> list[str]:
    """Their names."""
    return list(dict.fromkeys(name for row in rows for name in row.baselines))


MENTION: Column[BestMentionRow] = label(
    "Mention", attrgetter("mention_type"), lambda row: glosses.mention(row.mention_type)
)
FIRST: list[Column[Mention]] = of_best(
    MENTION,
    number("Cut (pieces)", attrgetter("max_tokens")),
    columns.cases("Anaphors"),
    columns.HEAD,
    columns.ACCURACY,
    columns.INTERVAL,
)


def _baseline(name: str) -> Column[Mention]:
    return number(f"Baseline {spaced(name)}", lambda row: row.accuracies.get(name), percent)


def context(findings: Findings) -> Mapping[str, object]:
    """The table of mentions, and what the baselines do."""
    rows = mentions(findings)
    baselines = map(_baseline, baselines_of(rows))
    last: list[Column[Mention]] = of_best(
        columns.held_out("Head held out"),
        columns.rule_held_out("Best baseline held out"),
        *columns.less_baseline("95% interval"),
        *columns.of_twin(findings, BEST, attrgetter("max_tokens", "mention_type")),
    )
    return {
        "best": PageTable(
            "Table: coreference",
            [*FIRST, *baselines, *last],
            rows,
            source=BEST.name,
            note=untested("types of mention"),
        ),
        "corpus": BEST.corpus(findings.tables),
        "rules": "; ".join(map(rule, baselines_of(rows))),
    }


def best_heads(name: str, rows: Sequence[Mention]) -> str:
    """The best head of every mention type beside the baselines, a panel for every cut."""
    baselines = baselines_of(rows)
    panels = [
        RowPanel([_marked(row, baselines) for row in group], f"documents cut to {cut} pieces")
        for cut, group in groupby(rows, key=lambda row: row.best.max_tokens)
    ]
    return by_row(
        name,
        "Accuracy of the best head of every mention type with its 95% interval, beside "
        f"{len(baselines)} baselines. The table has the same numbers.",
        "accuracy",
        [
            *marks(["best head"]),
            HELD_OUT,
            *(Mark(spaced(b), *look) for b, look in zip(baselines, LOOKS[1:], strict=False)),
        ],
        panels,
        ("best head", "anaphors"),
        around=0.9,
        row=0.32,
    )


def _marked(row: Mention, baselines: Sequence[str]) -> MarkedRow:
    best = row.best
    return MarkedRow(
        label=best.mention_type,
        values=(best.accuracy, best.heldout_accuracy, *map(row.accuracies.get, baselines)),
        interval=(best.ci_low, best.ci_high),
        columns=(head(best.layer, best.head), count(best.total)),
    )


def sentences(findings: Findings) -> list[str]:
    """What is claimed of all anaphors and of each type of mention, for every cut."""
    named = [(row.best.mention_type, row) for row in mentions(findings)]
    return claims("anaphors of documents", "types of mention", "anaphors", named)


def lines(findings: Findings) -> list[str]:
    """The best head of every type of mention, by cut."""
    rows = mentions(findings)
    return listed(
        "type of mention", "mention", "anaphors", [(row.best.mention_type, row) for row in rows]
    )


def asked(findings: Findings) -> list[Question]:
    """Which head finds the antecedent of each type of mention."""
    return questions(
        findings,
        [row.best for row in mentions(findings)],
        GAINS,
        "mention_type",
        group="Antecedents, in documents of {} pieces",
        cases="anaphors",
        rule=best_rule,
        words=glosses.mention,
    )


SECTION = Section(
    "mentions",
    "Coreference",
    template_of(__file__),
    needs=[BEST, BASELINES],
    uses=[GAINS],
    figures=lambda findings: {"coreference": partial(best_heads, rows=mentions(findings))},
    sentences=sentences,
    asks=asked,
    lines=lines,
    context=context,
)
