"""The subjects of a comparison: models over corpora, from run folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from attnray.config import planned, typed
from attnray.errors import InputError
from attnray.stages.planned import existing
from attnray.store.files import fingerprint
from attnray.store.folder import RunFolder
from attnray.store.manifest import Manifest, flat
from attnray.store.run import Run

#: Settings that make no difference to what is compared.
INDIFFERENT = ("run_dir", "executor", "model", "corpus", "corpora")


@dataclass(frozen=True)
class Subject:
    """A model over its corpora: its run, the folder of its tables, and what it is called.

    A random twin is a subject of its own; its tables are those of the run it belongs to.
    """

    run: Run
    folder: RunFolder
    name: str

    def table(self, name: str) -> pa.Table | None:
        """Its rows of a table under its own name; None where its run has no such table."""
        if name not in self.run.tables:
            return None
        table = self.folder.table(name)
        own = table.filter(pc.field("model") == self.run.model)
        return own.set_column(0, "model", pa.array([self.name] * len(own), pa.string()))

    @property
    def corpora(self) -> list[str]:
        """What its examples are from."""
        return list(dict.fromkeys(each.corpus for each in self.run.manifest.sets))

    def examples(self, role: str) -> str:
        """What its examples of a role were made from: equal for those that can be paired.

        (What documents are cut to is for each measurement to compare.)
        """
        corpus = self.run.manifest.identity["corpora"][role]
        return fingerprint({k: v for k, v in corpus.items() if k != "name"})


def opened(folders: Sequence[RunFolder]) -> list[Subject]:
    """The subjects of run folders, in their order, each under a name of its own.

    Raises:
        InputError: a folder is no finished run.
    """
    subjects: list[Subject] = []
    for folder in folders:
        run = _run(folder)
        subjects += [Subject(each, folder, each.model) for each in run.with_twin]
    return _told_apart(subjects)


def _run(folder: RunFolder) -> Run:
    manifest = Manifest.read(folder)
    if manifest is None:
        raise InputError(f"{folder} has no manifest.json: give folders of finished runs")
    run = existing(folder, typed(planned(manifest.config)), manifest)
    lacking = [name for name in run.tables if not folder.has_table(name)]
    if lacking:
        raise InputError(f"{folder} has no table {lacking[0]} yet: finish this run first")
    return run


def _told_apart(subjects: list[Subject]) -> list[Subject]:
    """Add what differs between runs of one model over one corpus to the model's name."""
    keys = [(subject.name, subject.run.config.corpus.name) for subject in subjects]
    count = Counter(keys)
    told = []
    for subject, key in zip(subjects, keys, strict=True):
        if count[key] > 1:
            alike = [s.run for s, other in zip(subjects, keys, strict=True) if other == key]
            subject = replace(subject, name=f"{subject.name} ({_differing(subject.run, alike)})")
        told.append(subject)
    return told


def _differing(run: Run, alike: list[Run]) -> str:
    """The settings of a run that others of its kind have otherwise, else its folder."""
    settings = [_settings(each) for each in alike]
    own = _settings(run)
    differing = {k: v for k, v in own.items() if any(other.get(k) != v for other in settings)}
    return ", ".join(f"{k}={v}" for k, v in differing.items()) or run.folder.name


def _settings(run: Run) -> dict[str, str]:
    config = asdict(run.config)
    return flat({key: value for key, value in config.items() if key not in INDIFFERENT})
