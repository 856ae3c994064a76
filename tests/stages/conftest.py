"""What the tests of the stages share: every analysis of the paper in one run."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from tests.builders.conll2012 import sentence, written
from tests.builders.jobs import SMALL, succeed
from tests.builders.masked_lm import saved
from tests.builders.once import Once

TWO_SENTENCES = (
    sentence("(TOP (S (NP (DT the) (NN dog)) (VP (VBD saw) (NP (PRP it)))))", {0: "(1", 1: "1)"}),
    sentence("(TOP (S (NP (PRP He)) (VP (VBD slept))))", {0: "(1)"}),
)


@pytest.fixture(scope="session")
def paper_settings(tiny_model: Path, once: Once) -> tuple[str, ...]:
    """The experiment with a masked LM, on halves of the sample and a document of CoNLL-2012."""

    def make(folder: Path) -> None:
        sample = resources.files("attnray.corpus").joinpath("sample.conllu").read_text()
        documents = [f"# newdoc{each}" for each in sample.split("# newdoc")[1:]]
        (folder / "dev.conllu").write_text("".join(documents[:6]))
        (folder / "train.conllu").write_text("".join(documents[6:14]))
        written(folder / "x_gold_conll", *TWO_SENTENCES)
        saved(tiny_model, folder / "lm")

    folder = once("paper-inputs", make)
    return (
        "experiment=clark2019",
        f"model.path={folder / 'lm'}",
        f"corpus.path={folder / 'dev.conllu'}",
        f"corpora.train.path={folder / 'train.conllu'}",
        f"corpora.coreference.path={folder}/*_gold_conll",
        "max_tokens=48",
        "seed=7",
        *SMALL,
    )


@pytest.fixture(scope="session")
def paper(paper_settings: tuple[str, ...], once: Once) -> tuple[Path, str]:
    """A serial run of the experiment, and what it printed."""

    def make(folder: Path) -> None:
        run = ("executor=serial", f"run_dir={folder / 'run'}")
        (folder / "printed").write_text(succeed("run", *run, *paper_settings))

    folder = once("paper", make)
    return folder / "run", (folder / "printed").read_text()
