"""The page: what was found, as HTML, with the form that asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from attnray.errors import InputError
from attnray.explore.asked import NO, OTHER, YES, Asked
from attnray.explore.attended import CASES, attended
from attnray.explore.cases import ALL
from attnray.explore.form import form
from attnray.explore.found import ROWS, Found, Shown, find
from attnray.explore.opened import SHARDS_HELD, OpenedRun
from attnray.metrics.syntax import DIRECTIONS
from attnray.report import bundle, wording
from attnray.report.rendering import templates
from attnray.report.sentences import sentence_data

FOLDER = Path(__file__).parent
#: Of a longer text so many words are shown around those that are marked.
AROUND = 12


class Word(NamedTuple):
    """A word of a text, and what it is there: the word of a case, its goal, or nothing."""

    text: str
    role: str


class Verdict(NamedTuple):
    """What a head says of a case: right or wrong, None where its run does not have the case."""

    shown: Shown
    right: bool | None


class Line(NamedTuple):
    """A case in the list, or an example."""

    name: str
    words: list[Word]
    remarks: list[str]
    verdicts: list[Verdict]


class View(NamedTuple):
    """The attention of a head to the example of a case, or why it is not there."""

    shown: Shown
    data: Markup | None
    lacking: str


class Opened(NamedTuple):
    """The case that is opened, with its neighbours by name; `held` is its word."""

    line: Line
    views: list[View]
    held: int | str
    previous: str | None
    next: str | None


class Four(NamedTuple):
    """How many cases both heads, the first, the second, and neither have right."""

    both: int
    a: int
    b: int
    neither: int


def page(runs: Sequence[OpenedRun], asked: Asked, whole: bool = True) -> str:
    """The page that answers what is asked.

    Args:
        runs: the run, and another one beside it where there is one.
        asked: what is asked.
        whole: with its script and style; else only the part that another answer changes.

    Raises:
        InputError: it cannot be asked of these runs.
    """
    found = find(runs, asked)
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            whole=whole,
            runs=runs,
            found=found,
            asked=asked,
            form=form(runs, found),
            opened=_opened(found),
            lines=[_line(found, case) for case in found.listed],
            right=_right(found),
            notes=[*_notes(runs, found)],
            reading=_reading(runs),
            rows=ROWS,
        )
    )


def summary(runs: Sequence[OpenedRun], asked: Asked, whole: bool = True) -> str:
    """What heads do on all cases that are asked for; see `page`.

    Raises:
        InputError: it cannot be asked of these runs.
    """
    found = find(runs, asked)
    return (
        _environment()
        .get_template("summary.html.jinja")
        .render(
            whole=whole,
            asked=asked,
            found=found,
            shares=[attended(found, shown) for shown in found.heads if len(found.chosen)],
            heads=_every_head(found),
            most=CASES,
            shards=SHARDS_HELD,
        )
    )


def _line(found: Found, case: int) -> Line:
    cases = found.cases
    texts, place = cases.texts, int(cases.example[case])
    first = int(texts.start[place])
    marked = {int(at) - first: role for at, role in _marked(found, case)}
    remarks = [cases.labels[int(cases.label[case])]] if cases.metric else []
    if cases.goal[case] >= 0:
        remarks.append(wording.offset(int(cases.goal[case] - cases.word[case])))
    remarks.append(texts.documents[int(texts.document[place])])
    verdicts = [_verdict(shown, case) for shown in found.heads if cases.metric]
    words = _words(texts.spelled(place), marked)
    return Line(cases.name(case), words, [*map(wording.legible, remarks)], verdicts)


def _marked(found: Found, case: int) -> Iterator[tuple[int, str]]:
    """The words that are marked, each with what it is, among all words."""
    cases, texts = found.cases, found.cases.texts
    if cases.goal[case] >= 0:
        yield int(cases.goal[case]), "goal"
    if cases.metric:
        yield int(cases.word[case]), "word"
    elif found.asked.word:
        start, end = (int(each[cases.example[case]]) for each in (texts.start, texts.end))
        like = texts.forms.like(found.asked.word)[texts.words[start:end]]
        yield from ((start + int(at), "word") for at in np.flatnonzero(like))


def _words(spelled: Sequence[str], marked: dict[int, str]) -> list[Word]:
    """The words around those that are marked; an ellipsis stands for others."""
    kept = range(len(spelled))
    if len(spelled) > 4 * AROUND:
        first, last = (min(marked), max(marked)) if marked else (0, AROUND)
        kept = kept[max(0, first - AROUND) : last + AROUND + 1]
    words = [Word(wording.legible(spelled[at]), marked.get(at, "")) for at in kept]
    before = [Word("…", "")] if kept.start else []
    return [*before, *words, *([Word("…", "")] if kept.stop < len(spelled) else [])]


def _verdict(shown: Shown, case: int) -> Verdict:
    return Verdict(shown, bool(shown.right[case]) if shown.known[case] else None)


def _opened(found: Found) -> Opened | None:
    asked, cases = found.asked, found.cases
    if not asked.case:
        return None
    case = cases.named(asked.case)
    if case is None:
        raise InputError(f"case={asked.case}: there is no such case of {found.subject.name}")
    beside = [found.neighbour(case, step) for step in (-1, 1)]
    names = [None if each is None else cases.name(each) for each in beside]
    word = int(cases.word[case] - cases.texts.start[cases.example[case]])
    views = [_view(shown, case) for shown in found.heads]
    return Opened(_line(found, case), views, word if cases.metric else "", *names)


def _view(shown: Shown, case: int) -> View:
    """The attention of a head to a case of the run that is asked."""
    own = shown.case(case)
    if own is None:
        return View(
            shown, None, f"{shown.run.folder.name} has no case of this document and these words"
        )
    weights = shown.run.weights(shown.cases, own, *shown.head)
    if weights is None:
        return View(shown, None, shown.run.lacks_attention)
    row = shown.run.row(shown.cases, own)
    data = sentence_data(
        shown.run.example(shown.cases, own),
        weights,
        merge=shown.run.config.merge,
        arcs=_arcs(row, shown.direction),
        label=_label(row),
        cite=f"attnray explore {shown.run.folder}, head {shown.head}",
    )
    return View(shown, bundle.embedded(data), "")


def _arcs(row: dict[str, Any], direction: str) -> list[tuple[int, int]]:
    """From the word that is to attend to the one that is to be attended."""
    goals = [row["head_word"]] if "head_word" in row else row.get("antecedents", [])
    arcs = [(row["word"], goal) for goal in goals]
    return [(goal, word) for word, goal in arcs] if direction == DIRECTIONS[1] else arcs


def _label(row: dict[str, Any]) -> str:
    return f"{row['relation']} in the treebank" if "relation" in row else "antecedents as annotated"


def _right(found: Found) -> Four | None:
    """How many of the cases that are asked for, whatever heads say, each head has right."""
    if found.cases.metric is None:
        return None
    a = found.a.right[found.wanted]
    b = found.b.right[found.wanted] if found.b else np.zeros_like(a)
    known = found.b.known[found.wanted] if found.b else np.ones_like(a)
    counts = (a & b, a & ~b, ~a & b, ~a & ~b)
    return Four(*(int((each & known).sum()) for each in counts))


def _reading(runs: Sequence[OpenedRun]) -> bool:
    return not all(run.subjects.wait() for run in runs)


def _notes(runs: Sequence[OpenedRun], found: Found) -> Iterator[str]:
    """What is missing."""
    run = runs[0]
    if not any(each.metric for each in run.subjects.by_name.values()):
        settings = f"metrics={run.config.metrics} cases={run.config.cases}"
        yield f"The run keeps no cases (it was made with {settings}): these are its examples."
    if not run.keeps_all:
        yield f"The run keeps the attention of {run.kept} examples only; the others open without."
    if _reading(runs):
        yield "More is being read."
    elif found.subject.lacking:
        lacking = f"{found.subject.lacking} of {len(found.subject.examples.shards)} shards"
        why = next(iter(found.subject.failed.values()), "they have not been measured yet")
        yield f"Without {lacking}: {why}."
    if found.asked.b_run == OTHER and found.b is None:
        yield f"{runs[1].folder.name} has no {found.subject.name}."
    if found.b and found.b.there is not None and (lost := int((~found.b.known).sum())):
        yield f"{wording.count(lost)} are not in the other run: its documents or words differ."


def _every_head(found: Found) -> list[list[tuple[str, str, int]]] | None:
    """Each head by layer: its name, better direction, and how many chosen cases it has right."""
    cases = found.cases
    if cases.metric is None or not len(found.chosen):
        return None
    counts = cases.counts(found.chosen)
    return [
        [
            (f"{layer}-{head}", cases.directions[int(of_head.argmax())], int(of_head.max()))
            for head, of_head in enumerate(of_layer, 1)
        ]
        for layer, of_layer in enumerate(counts, 1)
    ]


@cache
def parts() -> tuple[Markup, Markup]:
    """The script and the style of the page."""
    return bundle.script(FOLDER / "scripts"), bundle.style(FOLDER / "styles")


def policy() -> str:
    """What the page may do: run its script, and ask where it came from."""
    return bundle.policy(*parts(), asks="'self'")


@cache
def _environment() -> Environment:
    environment = templates(FOLDER)
    script, style = parts()
    environment.globals |= {"script": script, "style": style, "wording": wording}
    environment.globals |= {"ALL": ALL, "YES": YES, "NO": NO, "OTHER": OTHER}
    return environment
