"""The report: figures as SVG, and one page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from attnray.report import by_layer, by_row, counts, sentences, wording
from attnray.report.clusters import clusters
from attnray.report.findings import behaving, legible, mentions, pronouns, read, relations
from attnray.report.importance import importance
from attnray.report.maps import Panel, behaviours_figure, relations_figure
from attnray.store.folder import RunFolder

TEMPLATE = "page.html.jinja"
USED = (
    "patterns",
    "heads",
    "layer_closeness",
    "importance",
    "syntax_best",
    "coreference_baselines",
    "coreference_best",
    "gap_baselines",
    "gap_best",
    "probes",
    "probe_differences",
    "corpus",
)
Tables = dict[str, pa.Table]
Maps = Mapping[str, Sequence[Panel]]


@dataclass(frozen=True)
class Facts:
    """What the tables do not say of a run.

    `tables` names the tables of this run: others in its folder are of other runs.
    `uniform` is the entropy of uniform attention in nats, the mean of ln(length), if known;
    `twin` the name of the same model with random weights, where the tables have it too.
    """

    model: str
    corpora: tuple[str, ...]
    tables: tuple[str, ...]
    notes: tuple[str, ...]
    settings: dict[str, str]
    uniform: float | None = None
    twin: str | None = None


def write_report(folder: RunFolder, facts: Facts, maps: Maps | None = None) -> list[Path]:
    """Write the figures and the page from the tables of a run.

    Args:
        folder: the run folder.
        facts: what the tables do not say.
        maps: what the figures of single maps show, by figure: `behaviours` and `relations`.

    Returns:
        What was written: the figures, then the page.
    """
    tables = _tables(folder, facts, facts.model)
    twin = _tables(folder, facts, facts.twin) if facts.twin else {}
    figures = {name: draw() for name, draw in _figures(tables, facts, maps or {}).items()}
    written = [folder.write_figure(name, svg) for name, svg in figures.items()]
    page = template(TEMPLATE).render(_context(tables, twin, facts, figures))
    return [*written, folder.write_page("report", page)]


def _tables(folder: RunFolder, facts: Facts, model: str) -> Tables:
    """A model's rows of the tables that are shown."""
    return {name: read(folder, name, model) for name in USED if name in facts.tables}


def _figures(tables: Tables, facts: Facts, maps: Maps) -> dict[str, Callable[[], str]]:
    """The figures that the tables allow, by name."""
    figures: dict[str, Callable[[], str]] = {}
    if "patterns" in tables:
        patterns = tables["patterns"]
        figures["special_tokens"] = lambda: by_layer.special_tokens(patterns)
        figures["entropy"] = lambda: by_layer.entropy(patterns, facts.uniform)
    if "heads" in tables and tables["heads"]["x"].null_count == 0:
        figures["clusters"] = lambda: clusters(tables["heads"])
    if "importance" in tables:
        figures["importance"] = lambda: importance(tables["importance"])
    for name, draw in (("behaviours", behaviours_figure), ("relations", relations_figure)):
        if maps.get(name):
            figures[name] = partial(draw, maps[name])
    if "syntax_best" in tables:
        figures["syntax"] = lambda: by_row.syntax(tables["syntax_best"])
    if "coreference_best" in tables:
        figures["coreference"] = lambda: by_row.coreference(
            tables["coreference_best"], tables["coreference_baselines"]
        )
    return figures


def template(name: str) -> Template:
    """A page's template."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)


def _context(
    tables: Tables, twin: Tables, facts: Facts, figures: dict[str, str]
) -> dict[str, object]:
    """What the template shows: rows, sentences, figures, and how to write numbers."""
    in_one_look: list[str] = []
    context: dict[str, object] = {}
    if "patterns" in tables:
        in_one_look += sentences.about_patterns(tables["patterns"])
        context["patterns_examples"] = tables["patterns"]["examples"][0].as_py()
    if "heads" in tables:
        context["behaviours"] = behaving(tables["heads"], twin.get("heads"))
        closeness = tables.get("layer_closeness")
        context["closeness"] = closeness.to_pylist()[0] if closeness else None
    if "importance" in tables:
        context["importance_examples"] = tables["importance"]["examples"][0].as_py()
    if "syntax_best" in tables:
        found = context["relations"] = relations(tables["syntax_best"])
        context["twin_relations"] = _heldout(twin.get("syntax_best"), "relation")
        in_one_look += sentences.about_relations(found)
    if "coreference_best" in tables:
        rows = mentions(tables["coreference_best"], tables["coreference_baselines"])
        context["mentions"] = rows
        context["twin_mentions"] = _heldout(
            twin.get("coreference_best"), "max_tokens", "mention_type"
        )
        context["baselines"] = list(dict.fromkeys(name for row in rows for name in row.baselines))
        in_one_look += sentences.about_mentions(rows)
    if "gap_best" in tables:
        found_pronouns = pronouns(tables["gap_best"], tables["gap_baselines"])
        context["pronouns"] = found_pronouns
        context["twin_pronouns"] = _heldout(twin.get("gap_best"), "max_tokens", "gender")
        context["bias"] = sentences.about_bias(found_pronouns)
        in_one_look += sentences.about_pronouns(found_pronouns)
    if "probes" in tables:
        both = [tables["probes"], *([twin["probes"]] if twin else [])]
        context["probes"] = pa.concat_tables(both).to_pylist()
        in_one_look += sentences.about_probes(tables["probes"], twin.get("probes"))
        context["probe_differences"] = tables["probe_differences"].to_pylist()
    if "corpus" in tables:
        context["measured"] = counts.measured(tables["corpus"])
        context["left_out"] = counts.left_out(tables["corpus"])
    return context | {
        "model": legible(facts.model),
        "twin": legible(facts.twin) if facts.twin else None,
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


def _heldout(best: pa.Table | None, *keys: str) -> dict[object, float | None]:
    """The held-out accuracies of a table of best heads, by one key or a tuple of several."""
    rows = best.to_pylist() if best else []
    return {
        row[keys[0]] if len(keys) == 1 else tuple(row[k] for k in keys): row["heldout_accuracy"]
        for row in rows
    }
