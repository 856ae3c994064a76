"""Report: the tables of a run to its figures and its page."""

from __future__ import annotations

from dataclasses import asdict

from attnray import __version__
from attnray.config import corpora, lengths
from attnray.errors import IncompleteRun
from attnray.metrics import heads
from attnray.metrics.registry import PROBES
from attnray.reading import RunReader
from attnray.report.chosen import behaviours, relations
from attnray.report.findings import read
from attnray.report.maps import Panel
from attnray.report.page import Facts, write_report
from attnray.report.reproduction import Models
from attnray.report.reproduction_page import write_reproduction
from attnray.stages.reduce import marker
from attnray.store.files import fingerprint
from attnray.store.run import Run

STAGE = "report"


def report(run: Run) -> None:
    """Write the figures and the page, unless they are there.

    Raises:
        IncompleteRun: a metric has no tables yet.
    """
    identities = {metric: run.table_identity(metric) for metric in run.metrics}
    if heads.NEEDS in run.metrics:
        identities[heads.HEADS] = run.heads_identity
    if run.trials:
        identities[PROBES] = run.probes_identity
    lacking = [m for m, i in identities.items() if not run.folder.done(marker(m), 0, i)]
    if lacking:
        raise IncompleteRun(f"{run.folder.path} has no tables of {', '.join(lacking)} yet")
    twin = run.twin.model if run.twin else None
    facts = Facts(
        model=run.model,
        corpora=tuple(dict.fromkeys(each.corpus for each in run.manifest.sets)),
        tables=run.tables,
        notes=tuple(run.notes),
        settings=_settings(run),
        uniform=_uniform_entropy(run),
        twin=twin,
    )
    config = run.config
    shown = {"examples": config.examples, "reproduce": config.reproduce, "version": __version__}
    identity = fingerprint({**identities, **asdict(facts), **shown})
    if not run.folder.done(STAGE, 0, identity):
        outputs = write_report(run.folder, facts, _maps(run))
        if paper := run.config.reproduce:
            outputs += write_reproduction(run.folder, paper, run.tables, Models(run.model, twin))
        run.folder.commit(STAGE, 0, identity, outputs)


def _maps(run: Run) -> dict[str, list[Panel]]:
    """Single maps of the heads that the report names, on examples of the store."""
    config, maps = run.config, {}
    if "patterns" in run.metrics:
        reader = RunReader(str(run.folder.path), role="patterns")
        tables = [read(run.folder, name, run.model) for name in ("heads", "patterns")]
        maps["behaviours"] = behaviours(reader, tables[0], tables[1], config.examples)
    if "syntax" in run.metrics:
        reader = RunReader(str(run.folder.path), role="syntax")
        best = read(run.folder, "syntax_best", run.model)
        labels = config.relation_labels
        maps["relations"] = relations(reader, best, config.examples, config.merge, labels)
    return maps


def _uniform_entropy(run: Run) -> float | None:
    """The mean entropy of uniform attention over the examples of the patterns, in nats."""
    if "patterns" not in run.metrics:
        return None
    return run.manifest.sets_of("patterns")[0].mean_ln_length


def _settings(run: Run) -> dict[str, str]:
    """What the page says of how the run was made."""
    config, identity = run.config, run.manifest.identity
    paths = [p for corpus in corpora(config).values() for p in corpus.path]
    versions = ", ".join(f"{name} {version}" for name, version in identity["versions"].items())
    return {
        "corpus files": ", ".join(dict.fromkeys(path.rpartition("/")[2] for path in paths)),
        "model commit": str(identity["model"]["commit"] or "local files"),
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
