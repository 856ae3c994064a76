"""The form: what can be asked of what is looked at, and what is asked now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from attnray.explore.asked import NO, OTHER, YES
from attnray.explore.cases import Cases
from attnray.explore.found import Found, Shown
from attnray.explore.opened import OpenedRun
from attnray.explore.subjects import Subject
from attnray.report import glosses
from attnray.report.wording import count, spaced

#: So many documents are suggested.
SUGGESTED = 500
#: What a group of cases is called, and the word that is to be found, by the column of cases.
GROUPS = {"relation": "Relation", "mention_type": "Type of mention", "gender": "Gender"}
GOALS = {"head_word": "Its head word", "antecedents": "Nearest antecedent"}

#: Fields of a few letters: two stand side by side.
NARROW = {"least", "most", "a", "a_right", "b", "b_right", "word", "goal"}

#: What groups are in words.
GLOSSES = {"Relation": glosses.relation, "Type of mention": glosses.mention}

Options = Sequence[tuple[str, str]]


class Field(NamedTuple):
    """A field: by name, as `Asked` has it. With options it is a choice among these.

    `near` are those that are suggested.
    """

    name: str
    label: str
    value: str
    options: Options = ()
    kind: str = "text"
    near: Sequence[str] = ()

    @property
    def wide(self) -> bool:
        """Whether what it holds is long."""
        return self.name not in NARROW


class Part(NamedTuple):
    """Some fields under a title."""

    title: str
    fields: list[Field]


def form(runs: Sequence[OpenedRun], found: Found) -> list[Part]:
    """The fields, part after part."""
    return [
        Part("Cases", [*_of_cases(runs[0], found)]),
        Part("Head A", [*_of_head("a", found, found.a, "best" if found.cases.metric else "first")]),
        Part("Head B", [*_of_second(runs, found)]),
    ]


def column(cases: Cases, titles: dict[str, str]) -> str:
    """The title of the first column that cases have, empty where they have none."""
    names = {each.name for each in fields(cases.metric.case)} if cases.metric else set()
    return next((title for name, title in titles.items() if name in names), "")


def _of_cases(run: OpenedRun, found: Found) -> Iterator[Field]:
    asked, cases = found.asked, found.cases
    subjects = [(name, _subject(each)) for name, each in run.subjects.by_name.items()]
    yield Field("of", "Look at", found.subject.name, subjects)
    if cases.metric:
        yield Field("group", column(cases, GROUPS) or "Group", asked.group, _groups(cases))
    yield Field("word", "Word" if cases.metric else "With the word", asked.word)
    if goal := column(cases, GOALS):
        yield Field("goal", goal, asked.goal)
        for name, label in (("least", "Distance from"), ("most", "to")):
            value = getattr(asked, name)
            yield Field(name, label, "" if value is None else str(value), kind="number")
    names = cases.texts.documents
    near = [names[number] for number in range(min(len(names), SUGGESTED))]
    yield Field("document", "Document", asked.document, near=near)
    if not run.keeps_all:
        yield Field("stored", "Attention", asked.stored, [("", "kept or not"), (YES, "kept")])


def _of_second(runs: Sequence[OpenedRun], found: Found) -> Iterator[Field]:
    asked, other = found.asked, found.asked.b_run == OTHER
    if len(runs) > 1:
        names = [("", runs[0].folder.name), (OTHER, runs[1].folder.name)]
        yield Field("b_run", "Run", asked.b_run, names)
    yield from _of_head("b", found, found.b, "as A" if other else "none")


def _of_head(name: str, found: Found, shown: Shown | None, unsaid: str) -> Iterator[Field]:
    """The fields of a head: which one, in which direction, and whether it is right."""
    asked = {each: getattr(found.asked, f"{name}{each}") for each in ("", "_direction", "_right")}
    layers, heads = (shown or found.a).run.manifest.heads
    which = (f"{layer}-{head}" for layer in range(1, layers + 1) for head in range(1, heads + 1))
    default = f"{unsaid}: {shown.head}" if shown and not asked[""] else unsaid
    options = [("", default), *((each, each) for each in which)]
    yield Field(name, "Head", str(asked[""] or ""), options)
    if shown and found.cases.metric:
        answers = [("", "any"), (YES, "right"), (NO, "wrong")]
        yield Field(f"{name}_right", "Right or wrong", asked["_right"], answers)
    directions = found.cases.directions
    if shown and len(directions) > 1:
        better = f"better: {spaced(shown.direction)}" if not asked["_direction"] else "better"
        known = [("", better), *((each, spaced(each)) for each in directions)]
        yield Field(f"{name}_direction", "Direction", asked["_direction"], known)


def _subject(subject: Subject) -> str:
    return f"{subject.name} ({count(len(subject.cases))})"


def _groups(cases: Cases) -> list[tuple[str, str]]:
    """The groups with how many cases each has, those that take in several labels first."""
    gloss = GLOSSES.get(column(cases, GROUPS))
    by_label = np.bincount(cases.label, minlength=len(cases.labels))
    groups = sorted(cases.groups.items(), key=lambda each: (len(each[1]) < 2, each[0]))
    sizes = {group: by_label[cases.labels.numbers(labels)].sum() for group, labels in groups}
    words = {group: gloss(group) if gloss else "" for group in sizes}
    titles = {group: f"{spaced(group)}: {words[group]}".rstrip(": ") for group in sizes}
    return [(group, f"{titles[group]} ({count(int(size))})") for group, size in sizes.items()]
