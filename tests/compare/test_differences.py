"""Differences between models against a slow computation from the attention of two runs."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from attnray.compare import heldout as held_out
from attnray.compare.differences import differences_table
from attnray.compare.subjects import Subject, opened
from attnray.corpus.units import FOLDS
from attnray.metrics.paired import CORRECTION
from attnray.reading import RunReader
from attnray.store.folder import RunFolder
from tests.builders.families import tiny_checkpoint
from tests.builders.gap_corpus import written
from tests.builders.jobs import SMALL, succeed

#: Layer, head and direction.
Choice = tuple[int, int, str]


@pytest.fixture(scope="module")
def folders(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Runs of two models of different tokenizers over the same documents.

    The second one takes fewer pieces: it leaves out long sentences and cuts documents earlier.
    """
    folder = tmp_path_factory.mktemp("runs")
    short = {"max_position_embeddings": 40}
    other = tiny_checkpoint("albert", folder / "models" / "tiny-albert", **short)
    found = []
    for model in (tiny_model, other):
        found.append(folder / model.name)
        succeed(
            "run",
            "executor=serial",
            "store=float32",
            f"model.path={model}",
            f"run_dir={found[-1]}",
            "corpus.limit=20",
            "metrics=[syntax,coreference]",
            *SMALL,
        )
    return found


@pytest.fixture(scope="module")
def subjects(folders: list[Path]) -> list[Subject]:
    return opened([RunFolder(folder) for folder in folders])


@pytest.fixture(scope="module")
def resolvers(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Subject]:
    """Runs of two models over passages of GAP's form, their words drawn."""
    folder = tmp_path_factory.mktemp("gap")
    path = written(folder / "gap.tsv", 40)
    other = tiny_checkpoint("roberta", folder / "models" / "tiny-roberta")
    for model in (tiny_model, other):
        run = ("corpus=gap", f"corpus.path={path}", f"run_dir={folder / model.name}")
        settings = ("executor=serial", "metrics=[coreference]", f"model.path={model}")
        succeed("run", *settings, *run)
    return opened([RunFolder(folder / model.name) for model in (tiny_model, other)])


@dataclass
class Case:
    """A question to every head: its unit and fold, and whether each choice answers it right."""

    unit: int
    fold: int
    right: dict[Choice, bool]


#: By what tells a case from any other, whatever the model.
Cases = dict[Hashable, Case]


def most_attended(weights: np.ndarray, word: int, among: Iterable[int]) -> int:
    """The word with the most attention, ties to the nearest, then to the left one."""
    return min(among, key=lambda other: (-weights[other], abs(other - word), other))


def syntax_cases(folder: Path, relation: str) -> Cases:
    """Every word with a head."""
    found: Cases = {}
    for each in RunReader(str(folder), role="syntax"):
        maps = each.attention(words=True)
        for word, (head, label) in enumerate(zip(each.heads, each.relations, strict=True)):
            if head > 0 and relation in ("all", label.partition(":")[0]):
                others = [other for other in range(len(each.words)) if other != word]
                right = {}
                for layer, number in np.ndindex(maps.shape[:2]):
                    for direction, row in (
                        ("dependent_to_head", maps[layer, number, word]),
                        ("head_to_dependent", maps[layer, number, :, word]),
                    ):
                        choice = most_attended(row, word, others)
                        right[layer, number, direction] = choice == head - 1
                name = (each.document, each.sentence, word)
                found[name] = Case(each.unit, each.fold, right)
    return found


def coreference_cases(folder: Path, mention_type: str) -> Cases:
    """Every anaphor."""
    found: Cases = {}
    for each in RunReader(str(folder), role="coreference"):
        maps, mentions = each.attention(words=True), each.mentions
        for place, mention in enumerate(mentions):
            earlier = [m for m in mentions[:place] if m.head != mention.head]
            heads = {m.head for m in earlier if m.entity == mention.entity}
            if heads and mention_type in ("all", mention.type):
                among = {m.head for m in earlier}
                right = {
                    (layer, head, ""): most_attended(
                        maps[layer, head, mention.head], mention.head, among
                    )
                    in heads
                    for layer, head in np.ndindex(maps.shape[:2])
                }
                name = (each.document, mention.start, mention.end, mention.entity)
                found[name] = Case(mention.unit, mention.fold, right)
    return found


def heldout(cases: Cases) -> tuple[dict[Hashable, bool], bool]:
    """Whether the heads chosen on the other folds are right in each case; whether all are one."""
    picks = {}
    for fold in range(FOLDS):
        totals = Counter[Choice]()
        for case in cases.values():
            for choice, right in case.right.items():
                totals[choice] += right and case.fold != fold
        picks[fold] = min(totals, key=lambda choice: (-totals[choice], choice))
    answers = {name: case.right[picks[case.fold]] for name, case in cases.items()}
    return answers, len(set(picks.values())) == 1


@pytest.mark.parametrize(
    ("metric", "item", "cases_of"),
    [
        *(("syntax", relation, syntax_cases) for relation in ("all", "obj", "nsubj", "det")),
        *(("coreference", kind, coreference_cases) for kind in ("all", "pronoun")),
    ],
)
def test_on_the_cases_that_both_have(
    folders: list[Path],
    subjects: list[Subject],
    metric: str,
    item: str,
    cases_of: Callable[[Path, str], Cases],
) -> None:
    ours, theirs = (cases_of(folder, item) for folder in folders)
    (answers, alike), (others, others_alike) = heldout(ours), heldout(theirs)
    shared = ours.keys() & theirs.keys()
    assert all(ours[name].unit == theirs[name].unit for name in shared)
    accuracy, other = (sum(each[n] for n in shared) / len(shared) for each in (answers, others))
    errors: dict[int, float] = defaultdict(float)
    for name in shared:
        errors[ours[name].unit] += answers[name] - others[name] - (accuracy - other)
    count = len(errors)
    variance = count / (count - 1) * sum(e * e for e in errors.values()) / len(shared) ** 2
    error = math.sqrt(variance * (1 if alike and others_alike else CORRECTION))
    reach = stats.t.ppf(0.975, count - 1) * error
    row = row_of(differences_table(subjects).to_pylist(), metric, item)
    assert (row["model"], row["other_model"]) == ("tiny", "tiny-albert")
    assert row["total"] == len(shared)
    assert row["left_out"] == len(ours.keys() - shared) > 0
    assert row["other_left_out"] == len(theirs.keys() - shared)
    assert row["heldout_accuracy"] == pytest.approx(accuracy, abs=1e-12)
    assert row["other_heldout_accuracy"] == pytest.approx(other, abs=1e-12)
    assert row["difference"] == pytest.approx(accuracy - other, abs=1e-12)
    assert row["ci_low"] == pytest.approx(max(-1, accuracy - other - reach), abs=1e-12)
    assert row["ci_high"] == pytest.approx(min(1, accuracy - other + reach), abs=1e-12)
    p_value = 2 * stats.t.sf(abs(accuracy - other) / error, count - 1)
    assert row["p_value"] == pytest.approx(p_value, rel=1e-9)


@pytest.mark.parametrize(
    ("of", "metric", "table", "item"),
    [
        ("subjects", "syntax", "syntax_best", "relation"),
        ("subjects", "coreference", "coreference_best", "mention_type"),
        ("resolvers", "gap", "gap_best", "gender"),
    ],
)
def test_held_out_choices_are_those_of_the_tables_of_each_run(
    request: pytest.FixtureRequest, of: str, metric: str, table: str, item: str
) -> None:
    for subject in request.getfixturevalue(of):
        found = held_out.heldout(subject.run, metric)
        best = subject.table(table)
        assert best is not None
        own = {row[item]: (row["heldout_accuracy"], row["total"]) for row in best.to_pylist()}
        for (_, name), each in found.items():
            total = each.totals.sum()
            assert own[name] == (each.correct.sum() / total, total)
        assert "all" in {name for _, name in found}


def test_p_values_are_corrected_within_a_metric(subjects: list[Subject]) -> None:
    rows = [r for r in differences_table(subjects).to_pylist() if r["metric"] == "syntax"]
    single = sorted(
        (r["p_value"], r["p_holm"])
        for r in rows
        if r["item"] not in ("all", "all_but_punct") and r["p_value"] is not None
    )
    reached = 0.0
    for rank, (p_value, p_holm) in enumerate(single):
        reached = max(reached, min(1.0, (len(single) - rank) * p_value))
        assert p_holm == pytest.approx(reached)
    assert [r["p_holm"] for r in rows if r["item"] == "all"] == [None]


def row_of(rows: list[dict[str, Any]], metric: str, item: str) -> dict[str, Any]:
    (found,) = (row for row in rows if row["metric"] == metric and row["item"] == item)
    return found
