"""Which head it is, in sentences: what the tables say, and no more than their tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attnray.report.claims import TOO_FEW, claimed, verdict
from attnray.report.columns import too_few
from attnray.report.questions import Best, Gain, Question
from attnray.report.sections.finder.patterns import Pattern
from attnray.report.sections.relations import direction
from attnray.report.wording import (
    count,
    head,
    nats,
    p_equals,
    percent,
    points,
    signed_interval,
)

#: No more heads or kinds of cases are named in a sentence.
MOST_NAMED = 6
#: So many heads are named after the one that has most of a pattern.
MOST_NEXT = 3


def answer(
    question: Question, others: Sequence[Question], behaviours: Mapping[tuple[int, int], str]
) -> list[str]:
    """Which head finds something, and what else that head does; the answer itself comes first.

    Args:
        question: what is to be found.
        others: all that heads are asked, this included.
        behaviours: in words, by layer and head.
    """
    best, found = question.best, verdict(question.best)
    noun = question.cases.removesuffix("s") if best.total == 1 else question.cases
    cases = f"{count(best.total)} {noun}"
    if found == "untested":
        return [f"Of {cases} nothing can be said: {TOO_FEW}."]
    if found == "undecided" and too_few(best.difference_ci_low, best.difference_ci_high):
        return [f"Of {cases} nothing can be said: the 95% interval is longer than 100 points."]
    own = next(row for row in question.gains if (row.layer, row.head) == (best.layer, best.head))
    corrected = "" if best.p_holm is None else " after Holm’s correction"
    picked = (
        "The best head, picked on other documents than it is scored on, has "
        f"{points(best.difference)} points (95% interval "
        f"{signed_interval(best.difference_ci_low, best.difference_ci_high)}; "
        f"{p_equals(_p_value(best))}{corrected})."
    )
    if found != "more":
        doing = (
            "No head does significantly better"
            if found == "undecided"
            else "Even the best head does worse"
        )
        return [f"{doing} than {question.rule} on {cases}.", picked]
    lead = (
        f"Head {_name(own)} finds {percent(own.accuracy)} of {cases}{_looking(own)}, "
        f"{points(own.difference)} points against {question.rule}."
    )
    behaviour = behaviours.get((own.layer, own.head))
    mostly = f" Its behaviour: {behaviour}." if behaviour else ""
    return [lead, picked, _others(question), _else(own, question, others) + mostly]


def highest(pattern: Pattern) -> list[str]:
    """Which heads have most of a pattern, beside the mean of all."""
    ranked = sorted(
        ((row.value, row) for row in pattern.rows if row.value is not None),
        key=lambda pair: -pair[0],
    )
    if not ranked:
        return ["No head has a value."]
    write = nats if pattern.nats else percent
    (most, top), *others = ranked
    mean = sum(value for value, _ in ranked) / len(ranked)
    named = [f"{head(row.layer, row.head)} ({write(value)})" for value, row in others[:MOST_NEXT]]
    followed = f", followed by {', '.join(named)}" if named else ""
    return [
        f"Head {head(top.layer, top.head)} has most: {write(most)}{followed}.",
        f"The mean of {len(ranked)} heads is {write(mean)}. There is no baseline for this.",
    ]


def _others(question: Question) -> str:
    """The heads that are better, each by itself and after correction for all of them."""
    better = sorted(
        (row for row in question.gains if is_better(row)), key=lambda row: -(row.difference or 0)
    )
    named = [f"{_name(row)} ({points(row.difference)})" for row in better]
    corrected = ", corrected for all heads" if question.best.p_holm is not None else ""
    if not named:
        stricter = f"{corrected}, a stricter test," if corrected else ","
        return f"Tested one by one{stricter} no head is significantly better."
    return f"Significantly better, tested one by one{corrected}: {_first(named)}."


def _else(own: Gain, question: Question, others: Sequence[Question]) -> str:
    """What else a head finds significantly better than its baseline."""
    at = list(question.gains).index(own)
    gains = [(each.gains[at], each.name) for each in others if each is not question]
    better = [each for each in gains if each[0].p_holm is not None and is_better(each[0])]
    better.sort(key=lambda each: -(each[0].difference or 0))
    if not better:
        return f"Head {_name(own)} finds nothing else significantly better."
    named = [f"{name} ({points(row.difference)})" for row, name in better]
    return f"Head {_name(own)} also finds {_first(named)}."


def is_better(row: Gain) -> bool:
    """Whether a head is significantly better, where it is one of several after correction."""
    return claimed(row.difference, _p_value(row)) == "more"


def _p_value(row: Gain | Best) -> float | None:
    return row.p_value if row.p_holm is None else row.p_holm


def _name(row: Gain) -> str:
    return head(row.layer, row.head)


def _looking(row: Gain) -> str:
    name = getattr(row, "direction", "")
    return f" ({direction(name)})" if name else ""


def _first(names: Sequence[str]) -> str:
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return ", ".join([*names[:MOST_NAMED], *more])
