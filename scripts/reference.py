"""The pages of docs/ that are made from the code; as a program, write them anew."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any, get_args, get_type_hints

import omegaconf
from omegaconf import DictConfig, ListConfig, OmegaConf
from sphinx.pycode import ModuleAnalyzer

from attnray import tables
from attnray.cli.choices import choices, configuration_folder, models
from attnray.cli.help import JOBS
from attnray.config import CHOICES, Config

DOCS = Path(__file__).resolve().parents[1] / "docs"
GROUPS = {
    "model": "A folder (`model=path/to/checkpoint`) is one too, and `model=NAME-random-SEED` is "
    "NAME with new\nweights. More under [model](#settings-of-model).",
    "corpus": "A file whose name tells its format is one too (`corpus=path/to/dev.conllu`): "
    "`.conllu`, `.conllx`,\n`.conll`, `_conll`, `.tsv` (GAP), `.json`, `.jsonl`, `.parquet`, "
    "`.txt`, each maybe with `.gz`.",
    "store": "How attention is written; [which to choose](large-corpora.md).",
    "executor": "Where the work runs; [on a cluster](cluster.md).",
    "experiment": "A whole analysis at once; [the whole paper](paper.md).",
}
_SETTINGS = """\
# Settings

A setting is given as KEY=VALUE on the command line of any job, in any order; the syntax is Hydra's.
Values with commas, spaces or braces go in quotes: `'corpus.path="a,b.conllu"'`, and lists too:
`'metrics=[patterns,syntax]'`. `--cfg job` prints all settings as they would be, and does nothing
else; `-m` makes [a sweep](sweep.md) of several values.

This page is made from `attnray/config.py` and `conf/` by `python scripts/reference.py`."""
_JOBS = """\
# Jobs

`attnray JOB …` and `python jobs/JOB.py …` are the same. Each stage is a job of its own on an
existing run folder: it reads that folder's plan, and applies only what its command line says. A
job that is started again goes on where it stopped.

This page is made from `attnray/cli/help.py` by `python scripts/reference.py`."""
_STATUS = """\
## Exit status

| status | meaning |
|---|---|
| 0 | complete |
| 1 | incomplete: the message names each missing shard and why, and the same command goes on |
| 2 | the configuration or the input cannot be used: one line says what, where and what to do |
| 130, 143, 129 | ended by Ctrl-C, SIGTERM or SIGHUP: 128 and the signal's number |

`ATTNRAY_DEBUG=1` in the environment shows where an error comes from. `ray job submit` turns every
status but 0 into 1. A second signal ends a job at once."""


def jobs() -> str:
    """The text of docs/jobs.md."""
    parts = [_JOBS]
    for name, (what, examples) in JOBS.items():
        lines = [f"attnray {name} {each}".rstrip() for each in examples.splitlines() or [""]]
        parts += [f"## {name}", _plain(what), "\n".join(["```bash", *lines, "```"])]
    return "\n\n".join([*parts, _STATUS]) + "\n"


def settings() -> str:
    """The text of docs/settings.md."""
    parts = [_SETTINGS, "## Choices by name"]
    for group, about in GROUPS.items():
        parts += [f"### {group}=", about, _table(("choice", "what it is"), _choices(group))]
    parts += [
        "## Settings of a run",
        _table(("setting", "default", "values", "meaning"), _top()),
    ]
    for name, kind in get_type_hints(Config).items():
        if isinstance(kind, type) and is_dataclass(kind):
            about = _plain(" ".join((kind.__doc__ or "").split()))
            rows = _nested(name, kind)
            parts += [f"## Settings of {name}", about]
            parts.append(_table(("setting", "default", "values", "meaning"), rows))
    parts += [
        "## Corpora by name",
        "Downloaded once, checked, and kept. `corpus.path=` gives any a mirror or a local copy.",
        _table(("`corpus=`", "what it is", "size", "licence"), _corpora()),
        "## Models by name",
        "From the Hugging Face hub. `attnray list` prints these two lists in a terminal.",
        _table(("`model=`", "checkpoint", "size", "licence"), _models()),
    ]
    return "\n\n".join(parts) + "\n"


def _choices(group: str) -> Iterator[tuple[str, ...]]:
    """Those that have a file, but for corpora that are downloaded."""
    known = choices(group)
    for path in sorted((configuration_folder() / group).glob("*.yaml")):
        if not _downloaded(known[path.stem]):
            yield f"`{group}={path.stem}`", _comment(path)


def _models() -> Iterator[tuple[str, ...]]:
    for name, row in models().items():
        yield f"`{name}`", f"`{row['hub']}`", row.get("size", "–"), row.get("licence", "–")


def _corpora() -> Iterator[tuple[str, ...]]:
    for name, row in choices("corpus").items():
        if _downloaded(row):
            about = _comment(configuration_folder() / "corpus" / f"{name}.yaml")
            yield f"`{name}`", about, str(row.get("size", "–")), str(row.get("licence", "–"))


def _downloaded(row: Mapping[str, Any]) -> bool:
    return "://" in str(row.get("path")) and "pkg://" not in str(row["path"])


def _top() -> Iterator[tuple[str, ...]]:
    """The settings that are in no group: what conf/config.yaml says before each."""
    text = (configuration_folder() / "config.yaml").read_text(encoding="utf-8")
    said = re.findall(r"((?:^#.*\n)+)^(\w+):", text, re.M)
    meaning = {key: " ".join(re.sub("^# ?", "", lines, flags=re.M).split()) for lines, key in said}
    hints = get_type_hints(Config)
    for each in fields(Config):
        if not is_dataclass(hints[each.name]):
            values = _values(each.name, hints[each.name])
            yield f"`{each.name}`", _default(each.name, each), values, _plain(meaning[each.name])


def _nested(name: str, kind: type) -> Iterator[tuple[str, ...]]:
    """The settings of a group: what attnray/config.py says before each."""
    said = ModuleAnalyzer.for_module(kind.__module__).find_attr_docs()
    hints = get_type_hints(kind)
    for each in fields(kind):
        key = f"{name}.{each.name}"
        meaning = " ".join(said[kind.__name__, each.name]).strip()
        yield f"`{key}`", _default(key, each), _values(key, hints[each.name]), _plain(meaning)


def _default(key: str, field: Field[Any]) -> str:
    """What conf/config.yaml gives, else the type."""
    value = OmegaConf.select(_defaults(), key, default=field.default)
    if value is omegaconf.MISSING:
        return "–"
    if value is MISSING:
        assert callable(field.default_factory)
        value = field.default_factory()
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value)
    if isinstance(value, list):
        return f"`[{', '.join(map(str, value))}]`"
    return "`null`" if value is None else f"`{str(value).lower()}`"


@cache
def _defaults() -> DictConfig | ListConfig:
    return OmegaConf.load(configuration_folder() / "config.yaml")


def _values(key: str, hint: Any) -> str:
    if key in CHOICES:
        return ", ".join(f"`{each}`" for each in CHOICES[key])
    kinds = [each for each in get_args(hint) if isinstance(each, type)] or [hint]
    names = {int: "integer", float: "number", bool: "`true`, `false`", str: "text"}
    if str(hint).startswith("list"):
        return "list"
    return next((names[each] for each in kinds if each in names), "")


def _comment(path: Path) -> str:
    """The first paragraph of a file of conf/, as one line."""
    lines = path.read_text(encoding="utf-8").removeprefix("# @package _global_\n").splitlines()
    first = takewhile(lambda line: line.startswith("# "), lines)
    return _plain(" ".join(line.removeprefix("# ") for line in first))


def _plain(text: str) -> str:
    """Text as Markdown: what is no code means nothing."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*_<|\\])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = [*head]
    lines = [titles, ["---"] * len(titles), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


#: By the name of their file.
PAGES = {"jobs.md": jobs, "settings.md": settings, "tables.md": tables.documentation}

if __name__ == "__main__":
    for name, text in PAGES.items():
        (DOCS / name).write_text(text(), encoding="utf-8")
