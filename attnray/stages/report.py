"""Report: the tables of a run to its figures and its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from attnray import __version__
from attnray.called import called
from attnray.config import corpora, lengths
from attnray.corpus.files.addresses import name as name_of
from attnray.corpus.shown import shown
from attnray.errors import IncompleteRun
from attnray.metrics import heads
from attnray.metrics.registry import PROBES, own
from attnray.reading import RunReader
from attnray.report.best_heads import TABLES, best_heads
from attnray.report.findings import Facts, Findings, Tables
from attnray.report.head_examples import head_examples
from attnray.report.page import chosen_maps, page
from attnray.report.rendering import Report
from attnray.report.reproduction import Models, reproduction
from attnray.report.reproduction_page import reproduction_page
from attnray.report.section import tables_of
from attnray.report.sections import SECTIONS
from attnray.store.committed import Files
from attnray.store.files import fingerprint
from attnray.store.folder import REPORT, RunFolder, tabulated
from attnray.store.run import Run

REPRODUCTION = "reproduction"
BEST_HEADS = "best_heads.json"


def report(run: Run) -> None:
    """Write the figures and the page, unless they are there.

    Raises:
        IncompleteRun: a metric has no tables yet.
    """
    facts, config = _facts(run), run.config
    made_from = _fingerprint(run, facts)
    if not run.folder.done(REPORT, 0, made_from, contents=True):
        files = _write_page(run, facts) | _write_best(run)
        if config.reproduce:
            files |= _write_reproduction(run, config.reproduce)
        run.folder.commit(REPORT, 0, made_from, files)


def reported(run: Run) -> bool:
    """Whether the figures and the page are there.

    Raises:
        IncompleteRun: a metric has no tables yet.
    """
    return run.folder.done(REPORT, 0, _fingerprint(run, _facts(run)), contents=True)


def _fingerprint(run: Run, facts: Facts) -> str:
    """What decides the page."""
    fingerprints = {metric: run.table_fingerprint(metric) for metric in run.metrics}
    if heads.NEEDS in run.metrics:
        fingerprints[heads.HEADS] = run.heads_fingerprint
    if run.trials:
        fingerprints[PROBES] = run.probes_fingerprint
    lacking = [m for m, i in fingerprints.items() if not run.folder.done(tabulated(m), 0, i)]
    if lacking:
        raise IncompleteRun(
            f"{run.folder} has no tables of {', '.join(lacking)} yet: "
            f"`{called('reduce')}` makes them"
        )
    config = run.config
    shown = {"examples": config.examples, "reproduce": config.reproduce, "version": __version__}
    return fingerprint({**fingerprints, **asdict(facts), "tables": run.tables, **shown})


def shown_tables(run: Run, among: Iterable[str] | None = None) -> Tables:
    """The tables that the sections of the page are made of, as far as the run has them.

    Args:
        run: a run that is reduced.
        among: only these of its tables.
    """
    named = tables_of(SECTIONS).union(own(run.metrics))
    names = named.intersection(run.tables if among is None else among)
    return {name: run.folder.table(name) for name in names}


def write_report(folder: RunFolder, report: Report, tables: Tables) -> Files:
    """Write a page, its figures, and the tables that it links to as CSV.

    Args:
        folder: that of the run or comparison.
        report: what is written.
        tables: those it was made of.
    """
    files: Files = {}
    for name in report.sources:
        files |= folder.write_csv(name, tables[name])
    for name, svg in report.figures.items():
        files |= folder.write_figure(name, svg)
    return files | folder.write_page(REPORT, report.text)


def _write_page(run: Run, facts: Facts) -> Files:
    tables, folder = shown_tables(run), str(run.folder.root)

    def open_role(role: str) -> RunReader:
        return RunReader(folder, role=role)

    maps = chosen_maps(tables, facts, open_role, run.config)
    cite = f"{facts.model} on {', '.join(facts.corpora)}, by attnray {__version__}"
    examples = head_examples(Findings.of(tables, facts).tables, open_role, run.config, cite)
    return write_report(run.folder, page(tables, facts, maps, examples), tables)


def _write_best(run: Run) -> Files:
    tables = {name: run.folder.table(name) for name in TABLES if name in run.tables}
    return run.folder.write(BEST_HEADS, best_heads(tables, run.model).encode()) if tables else {}


def _write_reproduction(run: Run, paper: str) -> Files:
    """Write the table `reproduction` and its page."""
    models = Models(run.model, run.twin.model if run.twin else None)
    table = reproduction(paper, {name: run.folder.table(name) for name in run.tables}, models)
    text = reproduction_page({REPRODUCTION: table}, run.model)
    folder = run.folder
    written = folder.write_table(REPRODUCTION, table) | folder.write_csv(REPRODUCTION, table)
    return written | folder.write_page(REPRODUCTION, text)


def _facts(run: Run) -> Facts:
    return Facts(
        model=run.model,
        corpora=tuple(shown(dict.fromkeys(each.corpus for each in run.manifest.sets), run.config)),
        notes=tuple(run.notes),
        settings=_settings(run),
        uniform=_uniform_entropy(run),
        twin=run.twin.model if run.twin else None,
        command=run.manifest.made.get("command", ""),
    )


def _uniform_entropy(run: Run) -> float | None:
    """The mean entropy of uniform attention over the examples of the patterns, in nats."""
    if "patterns" not in run.metrics:
        return None
    return run.manifest.sets_of("patterns")[0].mean_ln_length


def _settings(run: Run) -> dict[str, str]:
    """What the page says of how the run was made."""
    config, identity, made = run.config, run.manifest.identity, run.manifest.made
    used = corpora(config).values()
    paths = [path for corpus in used for path in corpus.path]
    licences = {corpus.name: corpus.licence for corpus in used}
    licences = {run.model: config.model.licence, **licences}
    versions = ", ".join(f"{name} {version}" for name, version in identity["versions"].items())
    said = {
        "begun": made.get("began"),
        "run folder": made.get("folder"),
        "corpus files": ", ".join(dict.fromkeys(map(name_of, paths))),
        "SHA-256 of corpora": _named(_checksums(identity["corpora"])),
        "model commit": identity["model"]["commit"] or "local files",
        "SHA-256 of the model's files": _named(identity["model"]["files"]),
        "licences": _named({name: licence for name, licence in licences.items() if licence}),
        "number type": identity["model"]["dtype"],
        "device": identity["device"],
        "store": config.store.codec,
        "attention from split words": config.merge,
        "relation labels": config.relation_labels,
        "coreference candidates": config.candidates,
        "most tokens of a document": ", ".join(map(str, lengths(config))),
        "seed": str(config.seed),
        "versions": f"attnray {__version__}, {versions}",
    }
    return {setting: value for setting, value in said.items() if value}


def _checksums(corpora: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The checksum of each corpus, by its name and the roles that it serves."""
    roles: dict[tuple[str, str], list[str]] = {}
    for role, corpus in corpora.items():
        roles.setdefault((corpus["name"], corpus["sha256"]), []).append(role)
    return {f"{name} ({', '.join(of)})": sum_ for (name, sum_), of in roles.items()}


def _named(values: Mapping[str, str]) -> str:
    """Values with what has them."""
    return ", ".join(f"{name}: {value}" for name, value in values.items())
