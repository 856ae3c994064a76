"""Differences between models against a slow computation from the attention of two runs."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from attnray.compare.differences import differences_table
from attnray.compare.subjects import Subject, opened
from attnray.corpus.gap import COLUMNS
from attnray.corpus.units import FOLDS
from attnray.metrics.paired import CORRECTION, difference_of_choices
from attnray.reading import RunReader
from attnray.store.folder import RunFolder
from tests.model.families import tiny_checkpoint
from tests.pipeline.jobs import SMALL, succeed

Choice = tuple[int, int, str]


@pytest.fixture(scope="module")
def folders(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Runs of two models of different tokenizers over the same documents."""
    folder = tmp_path_factory.mktemp("runs")
    other = tiny_checkpoint("albert", folder / "models" / "tiny-albert")
    found = []
    for model in (tiny_model, other):
        found.append(folder / model.name)
        succeed(
            "run",
            "executor=serial",
            "store=float32",
            f"model.path={model}",
            f"run_dir={found[-1]}",
            "corpus.limit=12",
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
    generator = np.random.default_rng(0)
    lines = ["\t".join(COLUMNS)]
    for number in range(40):
        between = " ".join(generator.choice(["slept", "so", "well", "a", "dog"], 4))
        pronoun = ("she", "he")[number % 2]
        text = f"Ann {between} Bo {between} {pronoun} left."
        labels = generator.permutation(["TRUE", "FALSE"])
        offsets = [str(text.index(word)) for word in (f"{pronoun} left", "Ann", "Bo")]
        names = ["Ann", offsets[1], labels[0], "Bo", offsets[2], labels[1]]
        row = [f"test-{number}", text, pronoun, offsets[0], *names, "http://x"]
        lines.append("\t".join(row))
    path = folder / "gap.tsv"
    path.write_text("\n".join(lines))
    other = tiny_checkpoint("roberta", folder / "models" / "tiny-roberta")
    for model in (tiny_model, other):
        run = ("corpus=gap", f"corpus.path={path}", f"run_dir={folder / model.name}")
        settings = ("executor=serial", "metrics=[coreference]", f"model.path={model}")
        succeed("run", *settings, *run)
    return opened([RunFolder(folder / model.name) for model in (tiny_model, other)])


def predicted(weights: np.ndarray, word: int) -> int:
    """The other word with the most attention, ties to the nearest, then to the left one."""
    others = [other for other in range(len(weights)) if other != word]
    return min(others, key=lambda other: (-weights[other], abs(other - word), other))


def right_by_unit(folder: Path, relation: str) -> dict[int, tuple[int, dict[Choice, list[int]]]]:
    """For each unit its fold, and what each head and direction got right in each case."""
    reader = RunReader(str(folder), role="syntax")
    found: dict[int, tuple[int, dict[Choice, list[int]]]] = {}
    for index in range(len(reader)):
        example = reader[index]
        maps = example.attention(words=True)
        about = example.example
        right = found.setdefault(about.unit, (about.fold, defaultdict(list)))[1]
        for word, (head, label) in enumerate(zip(about.heads, about.relations, strict=True)):
            if head > 0 and relation in ("all", label.partition(":")[0]):
                for layer, number in np.ndindex(maps.shape[:2]):
                    rows = {
                        "dependent_to_head": maps[layer, number, word],
                        "head_to_dependent": maps[layer, number, :, word],
                    }
                    for direction, row in rows.items():
                        right[layer, number, direction].append(predicted(row, word) == head - 1)
    return {unit: each for unit, each in found.items() if each[1]}


def heldout(units: dict[int, tuple[int, dict[Choice, list[int]]]]) -> tuple[dict[int, int], bool]:
    """What the heads chosen on the other folds got right in each unit; whether all are one."""
    picks = {}
    for fold in range(FOLDS):
        totals: dict[Choice, int] = defaultdict(int)
        for own, right in units.values():
            for choice, cases in right.items():
                totals[choice] += sum(cases) if own != fold else 0
        picks[fold] = min(totals, key=lambda choice: (-totals[choice], choice))
    correct = {unit: sum(right[picks[fold]]) for unit, (fold, right) in units.items()}
    return correct, len(set(picks.values())) == 1


@pytest.mark.parametrize("relation", ["all", "obj", "nsubj", "det"])
def test_syntax(folders: list[Path], subjects: list[Subject], relation: str) -> None:
    both = [right_by_unit(folder, relation) for folder in folders]
    (correct, alike), (other_correct, other_alike) = (heldout(units) for units in both)
    totals, other_totals = (
        {unit: len(next(iter(right.values()))) for unit, (_, right) in units.items()}
        for units in both
    )
    units = sorted(totals.keys() | other_totals.keys())
    accuracy = sum(correct.values()) / sum(totals.values())
    other = sum(other_correct.values()) / sum(other_totals.values())
    errors = [
        (correct.get(u, 0) - accuracy * totals.get(u, 0)) / sum(totals.values())
        - (other_correct.get(u, 0) - other * other_totals.get(u, 0)) / sum(other_totals.values())
        for u in units
    ]
    count = len(units)
    variance = count / (count - 1) * sum(e * e for e in errors)
    error = math.sqrt(variance * (1 if alike and other_alike else CORRECTION))
    reach = stats.t.ppf(0.975, count - 1) * error
    row = row_of(differences_table(subjects).to_pylist(), "syntax", relation)
    assert (row["model"], row["other_model"]) == ("tiny", "tiny-albert")
    assert row["total"] == sum(totals.values())
    assert row["heldout_accuracy"] == pytest.approx(accuracy, abs=1e-12)
    assert row["other_heldout_accuracy"] == pytest.approx(other, abs=1e-12)
    assert row["difference"] == pytest.approx(accuracy - other, abs=1e-12)
    assert row["ci_low"] == pytest.approx(accuracy - other - reach, abs=1e-12)
    assert row["ci_high"] == pytest.approx(accuracy - other + reach, abs=1e-12)
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
def test_held_out_accuracies_are_those_of_the_tables_of_each_run(
    request: pytest.FixtureRequest, of: str, metric: str, table: str, item: str
) -> None:
    found: list[Subject] = request.getfixturevalue(of)
    rows = [row for row in differences_table(found).to_pylist() if row["metric"] == metric]
    sides = (("heldout_accuracy", "total"), ("other_heldout_accuracy", "other_total"))
    for subject, (accuracy, total) in zip(found, sides, strict=True):
        best = subject.table(table)
        assert best is not None
        own = {row[item]: (row["heldout_accuracy"], row["total"]) for row in best.to_pylist()}
        compared = {row["item"]: (row[accuracy], row[total]) for row in rows}
        assert "all" in compared
        assert compared.items() <= own.items()


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


def test_with_the_same_cases_it_is_the_ratio_of_differences() -> None:
    generator = np.random.default_rng(0)
    totals = generator.integers(1, 20, 40)
    one, other = (generator.binomial(totals, share) for share in (0.6, 0.4))
    found = difference_of_choices(one, totals, other, totals, True)
    shifted = (one - other) - (one - other).sum() / totals.sum() * totals
    error = math.sqrt(40 / 39 * (shifted**2).sum()) / totals.sum()
    assert found.difference == pytest.approx((one - other).sum() / totals.sum())
    assert found.high is not None
    assert found.high - found.difference == pytest.approx(stats.t.ppf(0.975, 39) * error)


def row_of(rows: list[dict[str, Any]], metric: str, item: str) -> dict[str, Any]:
    (found,) = (row for row in rows if row["metric"] == metric and row["item"] == item)
    return found
