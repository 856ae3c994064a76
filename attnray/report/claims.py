"""What is claimed of best heads: what the test against the best baseline says, with its cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from attnray.metrics.best import FEWEST_UNITS
from attnray.metrics.coreference import BestMentionRow
from attnray.metrics.gap import BestPronounRow
from attnray.metrics.syntax import BestRelationRow
from attnray.report.wording import count, head, p_equals, percent, points, signed_interval

#: Of a test's p-value, corrected by Holm where the test is one of several.
LEVEL = 0.05
#: No more are named in a sentence.
MOST_NAMED = 6
TOO_FEW = (
    f"fewer than {FEWEST_UNITS} documents (or blocks of sentences) have a case, or the difference "
    "is the same in each"
)

Best = BestRelationRow | BestMentionRow | BestPronounRow
#: What the test says of the head.
Verdict = Literal["more", "less", "undecided", "untested"]


class Kind(NamedTuple):
    """A kind of cases with its test."""

    name: str
    row: Best


def verdict(row: Best) -> Verdict:
    """What a test says; where the row is one of several, after Holm's correction."""
    return claimed(row.difference, row.p_value if row.p_holm is None else row.p_holm)


def claimed(difference: float | None, p_value: float | None) -> Verdict:
    """What a p-value says of a difference."""
    if difference is None or p_value is None:
        return "untested"
    if p_value >= LEVEL:
        return "undecided"
    return "more" if difference > 0 else "less"


def of_all(row: Best, cases: str, rule: str, direction: str = "") -> str:
    """What is claimed over all cases together, in a sentence or two.

    Args:
        row: the one that takes in all others.
        cases: what its cases are.
        rule: what the head is held against.
        direction: in which the best head looks, where it can look in several.
    """
    of_cases, found = f"Of {count(row.total)} {cases}", verdict(row)
    if found == "untested":
        return f"{of_cases} nothing can be claimed: {TOO_FEW}."
    said = {
        "more": f"{points(row.difference)} points",
        "less": f"{points(row.difference)} points",
        "undecided": "the difference may be chance",
    }[found]
    interval = signed_interval(row.difference_ci_low, row.difference_ci_high)
    looking = f" ({direction})" if direction else ""
    return (
        f"{of_cases} the best head finds {percent(row.heldout_accuracy)}, {rule} "
        f"{percent(row.baseline_heldout_accuracy)}, both held out: {said} (95% interval "
        f"{interval}; {p_equals(row.p_value)}). Best on all cases is {head(row.layer, row.head)}"
        f"{looking}."
    )


def of_each(kinds: Sequence[Kind], what: str, cases: str, rule: str) -> list[str]:
    """What is claimed of each of several kinds of cases, in sentences.

    Args:
        kinds: those to be named first come first.
        what: what they are, in the plural.
        cases: what their cases are.
        rule: what heads are held against.
    """
    by_verdict: dict[Verdict, list[Kind]] = {}
    for each in kinds:
        if each.row.total:
            by_verdict.setdefault(verdict(each.row), []).append(each)
    untested = by_verdict.pop("untested", [])
    tested, said = sum(map(len, by_verdict.values())), []
    if tested:
        more, less = by_verdict.get("more", []), by_verdict.get("less", [])
        named = f": {_named(more, cases)}" if more else ""
        said.append(
            f"A head finds more than {rule}, held out and after Holm’s correction, in "
            f"{len(more) or 'none'} of {tested} {what}{named}."
        )
        if less:
            said.append(f"It finds less in {len(less)}: {_named(less, cases)}.")
    if untested:
        most = max(each.row.total for each in untested)
        said.append(
            f"Of {len(untested)} {'more' if tested else what} nothing can be claimed: "
            f"{TOO_FEW} (the most frequent has {count(most)} {cases})."
        )
    return said


def untested(kinds: str) -> str:
    """Why cells of a table of tests are empty; `kinds` are what is corrected for."""
    return (
        "–: there is no such case; an interval, a held-out score or a test would need more "
        f"documents (or blocks of sentences) than have a case, at least {FEWEST_UNITS} for a test; "
        "or the difference is the same in each of them. Rows that take in all others have no p "
        f"(Holm), which corrects for the number of {kinds}. too few: the interval of the "
        "difference would be longer than 100 points, or there is none."
    )


def _named(kinds: Sequence[Kind], cases: str) -> str:
    """The first of some kinds, each with its gain and its cases."""
    parts = [
        f"{name} {points(row.difference)} points ({head(row.layer, row.head)}; {count(row.total)} "
        f"{cases})"
        for name, row in kinds[:MOST_NAMED]
    ]
    more = len(kinds) - MOST_NAMED
    return ", ".join(parts) + (f", and {more} more" if more > 0 else "")
