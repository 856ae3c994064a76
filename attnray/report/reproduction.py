"""The numbers of the paper beside those of a run: the table `reproduction`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from attnray.metrics.rows import whole_schema

#: The paper's numbers. Shares are fractions; there is no value where the paper shows something
#: by eye alone.
NUMBERS = {"clark2019": "clark2019.csv"}
Tables = Mapping[str, pa.Table]


@dataclass(frozen=True)
class ReproductionRow:
    """A row of `reproduction`: a number of the paper beside the run's own."""

    source: str
    item: str
    quantity: str
    unit: str
    paper: float | None
    ours: float | None
    difference: float | None
    paper_detail: str
    our_detail: str


class Models(NamedTuple):
    """The names of the model and of its random twin, None where the run has none."""

    main: str
    twin: str | None


class Ours(NamedTuple):
    """What the run found: the value, in which corpus, and by which head, offset or vectors."""

    value: float | None
    corpus: str
    detail: str = ""


def reproduction(paper: str, tables: Tables, models: Models) -> pa.Table:
    """Each number of the paper with the run's own, where its tables have it.

    Args:
        paper: whose numbers, a key of `NUMBERS`.
        tables: the tables of the run by name, as far as there are any.
        models: the model, and its twin.

    Returns:
        The rows of `ReproductionRow`; `ours` and `difference` (ours less the paper's) are null
        where the run has no such number, `paper` where the paper shows no figure.
    """
    rows = []
    for row in _numbers(paper):
        stated = float(row["value"]) if row["value"] else None
        ours = _ours(row, tables, models) or Ours(None, "")
        both = stated is not None and ours.value is not None
        rows.append(
            {
                "model": models.main,
                "corpus": ours.corpus,
                "source": row["source"],
                "item": row["item"],
                "quantity": row["quantity"],
                "unit": row["unit"],
                "paper": stated,
                "ours": ours.value,
                "difference": ours.value - stated if both else None,  # type: ignore[operator]
                "paper_detail": row["detail"],
                "our_detail": ours.detail,
            }
        )
    return pa.Table.from_pylist(rows, whole_schema(ReproductionRow))


def _numbers(paper: str) -> Iterator[dict[str, str]]:
    text = resources.files(__package__).joinpath(NUMBERS[paper]).read_text()
    return csv.DictReader(text.splitlines())


def _ours(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    """The run's own number, None where its tables have none."""
    find = _FINDERS.get(row["source"], {}).get(row["quantity"])
    if find is None:
        return None
    try:
        return find(row, tables, models)
    except KeyError:  # a table the run does not have
        return None


def _rows(table: pa.Table, **wanted: object) -> list[dict[str, Any]]:
    for column, value in wanted.items():
        table = table.filter(pc.field(column) == value)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _only(rows: list[dict[str, Any]], column: str, detail: str = "") -> Ours | None:
    """The value of the first row: `detail` is a template over its columns."""
    if not rows:
        return None
    return Ours(rows[0][column], rows[0]["corpus"], detail.format(**rows[0]))


def _mean(rows: list[dict[str, Any]]) -> Ours | None:
    if not rows:
        return None
    return Ours(sum(row["value"] for row in rows) / len(rows), rows[0]["corpus"])


def _best_head(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    found = _rows(tables["syntax_best"], model=models.main, relation=row["item"])
    return _only(found, "accuracy", "{layer}-{head}")


def _best_offset(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    found = _rows(tables["syntax_best"], model=models.main, relation=row["item"])
    return _only(found, "baseline_accuracy", "{baseline_offset:+d}")


def _papers_head(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    if not _like_the_papers(tables["syntax"]):
        return None
    layer, head = map(int, row["detail"].split("-"))
    chosen = {"model": models.main, "relation": row["item"], "layer": layer, "head": head}
    found = _rows(tables["syntax"], **chosen)
    return _only(sorted(found, key=lambda each: -each["accuracy"]), "accuracy", "{direction}")


def _like_the_papers(heads: pa.Table) -> bool:
    """Whether the model has the heads of BERT-base: 12 layers of 12."""
    return all(pc.max(heads[column]).as_py() == 12 for column in ("layer", "head"))


def _mention_rows(tables: Tables, name: str, models: Models, **wanted: object) -> Any:
    """Rows of a coreference table, at the first length of documents."""
    table = tables[name]
    return _rows(table, model=models.main, max_tokens=table["max_tokens"][0].as_py(), **wanted)


def _mention_baseline(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    wanted = {"baseline": row["quantity"], "mention_type": row["item"]}
    return _only(_mention_rows(tables, "coreference_baselines", models, **wanted), "accuracy")


def _mention_head(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    """The head that is best over all mentions, as the paper has one head in every column."""
    (best,) = _mention_rows(tables, "coreference_best", models, mention_type="all")
    wanted = {"layer": best["layer"], "head": best["head"], "mention_type": row["item"]}
    return _only(
        _mention_rows(tables, "coreference", models, **wanted), "accuracy", "{layer}-{head}"
    )


def _mention_papers_head(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    if not _like_the_papers(tables["coreference"]):
        return None
    layer, head = map(int, row["detail"].split("-"))
    wanted = {"layer": layer, "head": head, "mention_type": row["item"]}
    return _only(_mention_rows(tables, "coreference", models, **wanted), "accuracy")


def _probe(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    found = _rows(tables["probes"], model=models.main, probe=row["item"])
    return _mean_of_seeds(found)


def _twin_probe(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    return _mean_of_seeds(_rows(tables["probes"], model=models.twin, probe=row["item"]))


def _mean_of_seeds(rows: list[dict[str, Any]]) -> Ours | None:
    mean = _mean([{**row, "value": row["uas"]} for row in rows])
    return mean._replace(detail=rows[0]["vectors"] or "") if mean else None


def _behaving(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    heads = _rows(tables["heads"], model=models.main)
    count = sum(head["behaviour"] == row["item"] for head in heads)
    return Ours(float(count), heads[0]["corpus"]) if heads else None


def _in_the_middle(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    found = _rows(tables["patterns"], model=models.main, pattern=row["item"])
    depth = max(each["layer"] for each in found)
    return _mean([each for each in found if 5 / 12 < each["layer"] / depth <= 10 / 12])


def _over_half(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    found = _rows(tables["patterns"], model=models.main, pattern=row["item"])
    layers = sorted(each["layer"] for each in found if each["value"] > 0.5)
    detail = f"layers {', '.join(map(str, layers))}" if layers else ""
    return Ours(float(len(layers)), found[0]["corpus"], detail)


def _late_gradient(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    found = _rows(tables["importance"], model=models.main, target=row["item"])
    depth = max((each["layer"] for each in found), default=0)
    late = _mean([each for each in found if each["layer"] / depth > 4 / 12])
    early = _mean([each for each in found if each["layer"] / depth <= 4 / 12])
    if not early or not late or not early.value or late.value is None:
        return None
    return Ours(late.value / early.value, late.corpus)


def _last_layer(row: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    found = _rows(tables["patterns"], model=models.main, pattern=row["item"])
    depth = max(each["layer"] for each in found)
    return _mean([each for each in found if each["layer"] == depth])


def _closeness(_: dict[str, str], tables: Tables, models: Models) -> Ours | None:
    found = _rows(tables["layer_closeness"], model=models.main)
    return _only(found, "difference", "p = {p_value:.2g}" if found and found[0]["p_value"] else "")


Finder = Callable[[dict[str, str], Tables, Models], Ours | None]
_MIDDLE = "mean weight in the layers at 6/12 to 10/12 of the depth"
_FINDERS: dict[str, dict[str, Finder]] = {
    "table 1": {
        "best head": _best_head,
        "the paper's head": _papers_head,
        "best offset": _best_offset,
    },
    "table 2": {
        "nearest": _mention_baseline,
        "head_match": _mention_baseline,
        "sieve": _mention_baseline,
        "best head": _mention_head,
        "the paper's head": _mention_papers_head,
    },
    "table 3": {"probe": _probe, "random twin": _twin_probe},
    "figure 1": {"heads of this behaviour": _behaving},
    "figure 2": {_MIDDLE: _in_the_middle, "heads with over half of their weight there": _over_half},
    "figure 3": {
        "mean gradient from 5/12 of the depth on, as a share of that before": _late_gradient
    },
    "figure 4": {"mean over the heads of the last layer": _last_layer},
    "figure 5": {"best head": _best_head},
    "figure 6": {"mean divergence between layers less that within": _closeness},
}
