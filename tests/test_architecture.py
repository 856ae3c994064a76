"""docs/architecture.md says which files know of a metric, a section, a format: no others do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
#: **A kind**, such as `example`: … and the list of its files.
RECIPE = re.compile(r"^\*\*(An? [^*]+)\*\*, such as `(\w+)`:.*?\n\n((?:- `[^`]+`\n)+)", re.M | re.S)
RECIPES = {
    kind: (example, set(re.findall(r"- `([^`]+)`", files)))
    for kind, example, files in (match.groups() for match in RECIPE.finditer(PAGE))
}
COMMENT = re.compile(r'""".*?"""|#[^\n]*', re.S)
SEARCHED = ("attnray", "conf", "jobs", "tests/builders")
#: The paper's own setup and numbers name what they need, and tables are drawn from several metrics.
PAPER = {"attnray/report/reproduction.py", "conf/experiment/clark2019.yaml"}
#: What has a name and a meaning of its own in these folders: the corpus they are run over.
OTHERS = {
    "pronouns": (
        "attnray/metrics",
        "attnray/corpus",
        "attnray/report/compared",
        "attnray/report/glosses.py",
    ),
    "importance": ("attnray/report/sections", "tests/builders"),
    "word_head": ("tests/builders",),
    "serial": ("tests/builders",),
}


def knowing(example: str) -> set[str]:
    """The files that have a word in their text or their name."""
    word = re.compile(rf"\b{example}\b")
    found = set()
    for folder in SEARCHED:
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in (".py", ".yaml", ".csv", ".jinja") and not name.startswith(
                OTHERS.get(example, ())
            ):
                code = re.sub(
                    r'""".*?"""|#[^\n]*', "", path.read_text(encoding="utf-8"), flags=re.S
                )
                if word.search(code) or path.name.partition(".")[0] == example:
                    found.add(name)
    return found - PAPER


def test_there_is_a_recipe_for_each_kind() -> None:
    kinds = {
        "A metric",
        "A section of the report",
        "A corpus format",
        "A family of encoders",
        "A code of the store",
        "An executor",
    }
    assert set(RECIPES) == kinds


@pytest.mark.parametrize("kind", list(RECIPES))
def test_no_other_file_knows_of_it(kind: str) -> None:
    example, files = RECIPES[kind]
    assert knowing(example) == files


def test_what_is_to_be_read_first_is_there() -> None:
    first = PAGE.partition("## Five files")[2].partition("##")[0]
    paths = re.findall(r"^\d\. `([^`]+)`", first, re.M)
    assert len(paths) == 5
    assert all((ROOT / path).is_file() for path in paths)


def test_the_folders_are_there_in_the_order_of_the_layers() -> None:
    rows = re.findall(r"^\| `((?:attnray|jobs)/[^`]*)`", PAGE, re.M)
    assert all((ROOT / row).exists() for row in rows)
