"""Runs over real corpora that several files of tests look at."""

from __future__ import annotations

from pathlib import Path

from tests.builders.jobs import succeed
from tests.builders.once import Once


def run_on(path: Path, folder: Path, *overrides: str) -> None:
    """Run the embedded model over a corpus in CoNLL-U."""
    corpus = ("corpus=conllu", f"corpus.path={path}", f"run_dir={folder}")
    succeed("run", "executor=serial", *corpus, *overrides)


def sample(once: Once) -> Path:
    """A folder with `runs/sample`, as the tutorial has it, and what its job printed."""

    def make(folder: Path) -> None:
        settings = ("executor=serial", "run_dir=runs/sample")
        (folder / "printed").write_text(succeed("run", *settings, cwd=folder))

    return once("documentation", make)


def ewt(shared: Path, once: Once, store: str = "log16") -> Path:
    """The run over EWT's development set, for patterns and syntax."""
    path = shared / "ewt" / "en_ewt-ud-dev.conllu"
    settings = (f"store={store}", "metrics=[patterns,syntax]")
    return once(f"ewt-{store}", lambda folder: run_on(path, folder, *settings))


def ewt_begin(shared: Path, once: Once) -> Path:
    """The run over a part of it, for what is slow."""
    path = shared / "ewt" / "en_ewt-ud-dev.conllu"
    settings = ("metrics=[patterns,syntax]", "corpus.limit=20")
    return once("ewt-begin", lambda folder: run_on(path, folder, *settings))


def ewt_third(shared: Path, once: Once, store: str) -> Path:
    """The run over a third of it, for whatever is done to several stores."""
    path = shared / "ewt" / "en_ewt-ud-dev.conllu"
    settings = (f"store={store}", "metrics=[syntax]", "corpus.limit=106")
    return once(f"ewt-third-{store}", lambda folder: run_on(path, folder, *settings))


def gum(shared: Path, once: Once) -> Path:
    """The run over OntoGUM's training set, for coreference."""
    path = shared / "gum" / "ontogum-train.conllu"
    return once("gum", lambda folder: run_on(path, folder, "metrics=[coreference]"))


def gum_dev(shared: Path, once: Once, store: str = "log16") -> Path:
    """The run over OntoGUM's development set, for syntax and coreference."""
    path = shared / "gum" / "ontogum-dev.conllu"
    settings = (f"store={store}", "metrics=[syntax,coreference]")
    return once(f"gum-dev-{store}", lambda folder: run_on(path, folder, *settings))
