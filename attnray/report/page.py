"""The report: figures as SVG, and one page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from attnray.report import by_layer, by_row, counts, sentences, wording
from attnray.report.findings import legible, mentions, read, relations
from attnray.store.folder import RunFolder, replacing

TEMPLATE = "page.html.jinja"
USED = (
    "patterns",
    "syntax_best",
    "coreference",
    "coreference_baselines",
    "corpus",
)
Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Facts:
    """What the tables do not say of a run.

    `tables` names the tables of this run: others in its folder are of other runs.
    `uniform` is the entropy of uniform attention in nats, the mean of ln(length), if known.
    """

    model: str
    corpora: tuple[str, ...]
    tables: tuple[str, ...]
    notes: tuple[str, ...]
    settings: dict[str, str]
    uniform: float | None = None


def write_report(folder: RunFolder, facts: Facts) -> list[Path]:
    """Write the figures and the page from the tables of a run.

    Returns:
        What was written: the figures, then the page.
    """
    tables = {name: read(folder, name, facts.model) for name in USED if name in facts.tables}
    figures = {name: draw() for name, draw in _figures(tables, facts).items()}
    written = {folder.figure(name): svg for name, svg in figures.items()}
    written[folder.report] = _page(tables, facts, figures)
    for path, text in written.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return list(written)


def _figures(tables: Tables, facts: Facts) -> dict[str, Callable[[], str]]:
    """The figures that the tables allow, by name."""
    figures: dict[str, Callable[[], str]] = {}
    if "patterns" in tables:
        patterns = tables["patterns"]
        figures["special_tokens"] = lambda: by_layer.special_tokens(patterns)
        figures["entropy"] = lambda: by_layer.entropy(patterns, facts.uniform)
    if "syntax_best" in tables:
        figures["syntax"] = lambda: by_row.syntax(tables["syntax_best"])
    if "coreference" in tables:
        figures["coreference"] = lambda: by_row.coreference(
            tables["coreference"], tables["coreference_baselines"]
        )
    return figures


def _page(tables: Tables, facts: Facts, figures: dict[str, str]) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(_context(tables, facts, figures))


def _context(tables: Tables, facts: Facts, figures: dict[str, str]) -> dict[str, object]:
    """What the template shows: rows, sentences, figures, and how to write numbers."""
    in_one_look: list[str] = []
    context: dict[str, object] = {}
    if "patterns" in tables:
        in_one_look += sentences.about_patterns(tables["patterns"])
        context["patterns_examples"] = tables["patterns"]["examples"][0].as_py()
    if "syntax_best" in tables:
        found = context["relations"] = relations(tables["syntax_best"])
        in_one_look += sentences.about_relations(found)
    if "coreference" in tables:
        rows = mentions(tables["coreference"], tables["coreference_baselines"])
        context["mentions"] = rows
        context["baselines"] = list(dict.fromkeys(name for row in rows for name in row.baselines))
        in_one_look += sentences.about_mentions(rows)
    if "corpus" in tables:
        context["measured"] = counts.measured(tables["corpus"])
        context["left_out"] = counts.left_out(tables["corpus"])
    return context | {
        "model": legible(facts.model),
        "corpora": [legible(corpus) for corpus in facts.corpora],
        "notes": [legible(note) for note in facts.notes],
        "settings": {legible(name): legible(value) for name, value in facts.settings.items()},
        "uniform": facts.uniform,
        "corpus_of": {name: table["corpus"][0].as_py() for name, table in tables.items()},
        "in_one_look": in_one_look,
        "items": counts.MEASURED,
        # The SVG escaped its texts when it was made.
        "figures": {name: Markup(svg) for name, svg in figures.items()},
        "wording": wording,
    }
