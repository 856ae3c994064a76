"""What a section of a page is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from attnray.report.drawing.maps import MapPanel
from attnray.report.findings import Findings, Source, Tables
from attnray.report.questions import Question

if TYPE_CHECKING:
    from attnray.config import Config
    from attnray.reading import RunReader

#: Draws a figure under a name.
Draw = Callable[[str], str]


class HasTables(Protocol):
    """What the sections of one page are made of has tables."""

    @property
    def tables(self) -> Tables:
        """By name."""


F = TypeVar("F", bound=HasTables)


@dataclass(frozen=True)
class SingleMaps:
    """Which single maps a section shows, on examples that serve a role."""

    role: str
    choose: Callable[[RunReader, Findings, Config], list[MapPanel]]


@dataclass(frozen=True)
class Section(Generic[F]):
    """A part of a page under a heading of its own.

    Everything it says is a function of the findings, which are the same for all sections of
    a page.

    Attributes:
        anchor: its place on the page.
        title: its heading.
        template: its text. It is given `context`, its figures as `figures`, the macros of
            `macros.html.jinja` and the module `wording`.
        needs: tables without which it is not shown.
        uses: other tables that it shows something of.
        shown: whether there is anything to show, where the tables are there.
        figures: how to draw each of its figures, by name.
        sentences: what it says in one look.
        asks: what its tables say heads are asked.
        lines: what it says on the terminal at the end.
        context: what its template is given.
        data: what scripts are given, by id: values that JSON can hold.
        maps: the single maps among its figures.
        navigation: what the contents call it, where that is not its title.
    """

    anchor: str
    title: str
    template: Path
    needs: Sequence[Source[Any]] = ()
    uses: Sequence[Source[Any]] = ()
    shown: Callable[[F], bool] = lambda _: True
    figures: Callable[[F], Mapping[str, Draw]] = lambda _: {}
    sentences: Callable[[F], Sequence[str]] = lambda _: ()
    asks: Callable[[F], Sequence[Question]] = lambda _: ()
    lines: Callable[[F], Sequence[str]] = lambda _: ()
    context: Callable[[F], Mapping[str, object]] = lambda _: {}
    data: Callable[[F], Mapping[str, object]] = lambda _: {}
    maps: SingleMaps | None = None
    navigation: str = ""

    def is_shown(self, findings: F) -> bool:
        """Whether the tables it needs are there, and something to show."""
        there = all(source.name in findings.tables for source in self.needs)
        return there and self.shown(findings)


def template_of(module: str) -> Path:
    """The template beside a section's module."""
    return Path(module).with_suffix(".html.jinja")


def tables_of(sections: Sequence[Section[Any]]) -> set[str]:
    """The names of the tables that sections are made of."""
    return {source.name for each in sections for source in (*each.needs, *each.uses)}
