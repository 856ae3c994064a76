"""Ambiguous pronouns: heads that choose between the two names of a passage of GAP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from attnray.metrics.gap import ALL, BestPronounRow, PronounBaselineRow, PronounGainRow
from attnray.report import columns
from attnray.report.baselines import Beside, best_rule, claims, joined, listed, of_best, rule
from attnray.report.claims import untested
from attnray.report.columns import Column, PageTable, label, number
from attnray.report.findings import Findings, Source
from attnray.report.questions import Question, questions
from attnray.report.section import Section, template_of
from attnray.report.wording import count, head, percent, spaced

BEST = Source("gap_best", BestPronounRow)
GAINS = Source("gap_gains", PronounGainRow)
BASELINES = Source("gap_baselines", PronounBaselineRow)
#: A best head beside the baselines.
Pronoun = Beside[BestPronounRow, PronounBaselineRow]


def pronouns(findings: Findings) -> list[Pronoun]:
    """The best head for the pronouns of every gender, by cut."""
    tables = findings.tables
    return joined(BEST.rows(tables), BASELINES.rows(tables), attrgetter("gender"))


FIRST: list[Column[Pronoun]] = of_best(
    label("Pronouns", attrgetter("gender")),
    number("Cut (pieces)", attrgetter("max_tokens")),
    number("Passages", attrgetter("passages"), count),
    columns.cases("Solvable"),
    columns.HEAD,
    columns.ACCURACY,
    columns.INTERVAL,
    number("F1", attrgetter("f1"), percent),
    columns.held_out("Accuracy held out"),
    number("F1 held out", attrgetter("heldout_f1"), percent),
)


def _baseline(name: str) -> list[Column[Pronoun]]:
    return [
        number(f"Baseline {spaced(name)}", lambda row: row.baselines[name].accuracy, percent),
        number(f"F1 of {spaced(name)}", lambda row: row.baselines[name].f1, percent),
    ]


def context(findings: Findings) -> Mapping[str, object]:
    """The table of pronouns, what the baselines do, the bias, and what was left out."""
    rows = pronouns(findings)
    baselines = list(rows[0].baselines)
    scores = [column for name in baselines for column in _baseline(name)]
    last: list[Column[Pronoun]] = of_best(
        *columns.less_baseline("its interval"),
        *columns.of_twin(findings, BEST, attrgetter("max_tokens", "gender")),
    )
    return {
        "best": PageTable(
            "Table: ambiguous pronouns",
            [*FIRST, *scores, *last],
            rows,
            source=BEST.name,
            note=untested("genders"),
        ),
        "corpus": BEST.corpus(findings.tables),
        "rules": "; ".join(map(rule, baselines)),
        "sieve": "sieve" in baselines,
        "bias": about_bias(rows),
        "cut": [row.best for row in rows if row.best.left_out],
    }


def about_bias(rows: Sequence[Pronoun]) -> list[str]:
    """F1 of feminine over masculine pronouns, of the best head and the baselines, by cut."""
    sentences = []
    for best, baselines in rows:
        if best.gender == ALL and best.bias:
            known = [
                f"{each.bias:.2f} ({spaced(name)})" for name, each in baselines.items() if each.bias
            ]
            sentences.append(
                f"Bias, the F1 of feminine pronouns over that of masculine ones, in passages cut "
                f"to {best.max_tokens} pieces: {best.bias:.2f} for head "
                f"{head(best.layer, best.head)}; {', '.join(known) or 'no baseline'}."
            )
    return sentences


def sentences(findings: Findings) -> list[str]:
    """What is claimed of the pronouns of all genders and of each, for every cut."""
    named = [(row.best.gender, row) for row in pronouns(findings)]
    return claims("ambiguous pronouns of passages", "genders", "pronouns", named)


def lines(findings: Findings) -> list[str]:
    """The best head of every gender, by cut."""
    rows = pronouns(findings)
    return listed(
        "gender of ambiguous pronouns",
        "gender",
        "pronouns",
        [(row.best.gender, row) for row in rows],
    )


def asked(findings: Findings) -> list[Question]:
    """Which head finds the names of pronouns of each gender."""
    return questions(
        findings,
        [row.best for row in pronouns(findings)],
        GAINS,
        "gender",
        group="Ambiguous pronouns, in passages of {} pieces",
        cases="pronouns",
        rule=best_rule,
    )


SECTION = Section(
    "pronouns",
    "Ambiguous pronouns",
    template_of(__file__),
    needs=[BEST, BASELINES],
    uses=[GAINS],
    sentences=sentences,
    asks=asked,
    lines=lines,
    context=context,
)
