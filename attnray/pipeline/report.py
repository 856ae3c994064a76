"""Report: the tables of a run to its figures and its page."""

from __future__ import annotations

from dataclasses import asdict

from attnray import __version__
from attnray.config import corpora, lengths
from attnray.errors import IncompleteRun
from attnray.pipeline.reduce import marker
from attnray.pipeline.run import Run
from attnray.report.page import Facts, write_report
from attnray.store.folder import fingerprint

STAGE = "report"


def report(run: Run) -> None:
    """Write the figures and the page, unless they are there.

    Raises:
        IncompleteRun: a metric has no tables yet.
    """
    identities = {metric: run.table_identity(metric) for metric in run.metrics}
    lacking = [m for m, i in identities.items() if not run.folder.done(marker(m), 0, i)]
    if lacking:
        raise IncompleteRun(f"{run.folder.path} has no tables of {', '.join(lacking)} yet")
    facts = Facts(
        model=run.model,
        corpora=tuple(dict.fromkeys(each.corpus for each in run.manifest.sets)),
        tables=run.tables,
        notes=tuple(run.notes),
        settings=_settings(run),
        uniform=_uniform_entropy(run),
        twin=run.twin.model if run.twin else None,
    )
    identity = fingerprint({**identities, **asdict(facts), "version": __version__})
    if not run.folder.done(STAGE, 0, identity):
        outputs = write_report(run.folder, facts)
        run.folder.commit(STAGE, 0, identity, outputs)


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
