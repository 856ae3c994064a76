"""What heads are asked: "which one finds obj?", and how well every one of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attnray.metrics.coreference import BestMentionRow, MentionGainRow
from attnray.metrics.gap import BestPronounRow, PronounGainRow
from attnray.metrics.syntax import BestRelationRow, RelationGainRow

if TYPE_CHECKING:
    from attnray.report.findings import Findings, Source, Tables

Gain = RelationGainRow | MentionGainRow | PronounGainRow
Best = BestRelationRow | BestMentionRow | BestPronounRow


@dataclass(frozen=True)
class Question:
    """A kind of cases, and how well every head finds what it asks for.

    Attributes:
        key: names it in the address of the page.
        group: what it is one of.
        name: as the tables have it.
        words: what that is, empty where nothing is known of it.
        cases: what its cases are, in the plural.
        rule: what heads are held against, and which of its kind is best on all cases.
        best: the row of the best head.
        gains: of every head, in the order of layers and heads.
        twin: the same of the random twin, empty without one.
    """

    key: str
    group: str
    name: str
    words: str
    cases: str
    rule: str
    best: Best
    gains: Sequence[Gain]
    twin: Sequence[Gain]


def questions(
    findings: Findings,
    best: Iterable[Best],
    gains: Source[Any],
    item: str,
    group: str,
    cases: str,
    rule: Callable[[Any], str],
    words: Callable[[str], str] = lambda name: "",
) -> list[Question]:
    """A question for each best head, where the gains of all heads are known.

    Args:
        findings: with the gains of the model, and of its twin.
        best: rows of best heads, in the order of the page.
        gains: the table of gains.
        item: the column that says what a row is about.
        group: what questions are in; `{}` stands for the cut.
        cases: what cases are, in the plural.
        rule: what a best head is held against.
        words: what an item is.
    """

    def key(row: Any) -> tuple[int | None, str]:
        return getattr(row, "max_tokens", None), getattr(row, item)

    def by_key(tables: Tables) -> dict[tuple[int | None, str], list[Gain]]:
        found: dict[tuple[int | None, str], list[Gain]] = {}
        for row in gains.rows(tables):
            found.setdefault(key(row), []).append(row)
        return found

    own, twin = by_key(findings.tables), by_key(findings.twin)
    return [
        Question(
            key=":".join(str(part) for part in (item, cut, name) if part is not None),
            group=group.format(cut),
            name=name,
            words=words(name),
            cases=cases,
            rule=rule(row),
            best=row,
            gains=own[cut, name],
            twin=twin.get((cut, name), ()),
        )
        for row in best
        for cut, name in [key(row)]
        if (cut, name) in own
    ]
