"""Report: the tables of a run to its figures and its page."""

from __future__ import annotations

from dataclasses import asdict

from attnray import __version__
from attnray.config import corpora
from attnray.errors import IncompleteRun
from attnray.pipeline.reduce import STAGE as REDUCE
from attnray.pipeline.reduce import table_identity
from attnray.pipeline.stages import Run
from attnray.report.page import Facts, write_report
from attnray.store.folder import fingerprint

STAGE = "report"


def report(run: Run) -> None:
    """Write the figures and the page, unless they are there.

    Raises:
        IncompleteRun: a metric has no tables yet.
    """
    identities = {m.name: table_identity(run.manifest, m) for m in run.metrics}
    lacking = [n for n, i in identities.items() if not run.folder.done(f"{REDUCE}-{n}", 0, i)]
    if lacking:
        raise IncompleteRun(f"{run.folder.path} has no tables of {', '.join(lacking)} yet")
    facts = Facts(
        model=run.manifest.identity["model"]["name"],
        corpora=tuple(dict.fromkeys(each.corpus for each in run.manifest.sets)),
        tables=run.tables,
        notes=tuple(run.notes),
        settings=_settings(run),
        uniform=_uniform_entropy(run),
    )
    identity = fingerprint({**identities, **asdict(facts), "version": __version__})
    if not run.folder.done(STAGE, 0, identity):
        outputs = write_report(run.folder, facts)
        run.folder.commit(STAGE, 0, identity, outputs)


def _uniform_entropy(run: Run) -> float | None:
    """The mean entropy of uniform attention over the examples of the patterns, in nats."""
    examples = run.manifest.set_of("patterns") if "patterns" in run.config.metrics else None
    return examples.mean_ln_length if examples else None


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
        "most tokens of a document": str(config.max_tokens),
        "seed": str(config.seed),
        "versions": f"attnray {__version__}, {versions}",
    }
