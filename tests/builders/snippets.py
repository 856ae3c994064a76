"""What the documentation tells people to type: fenced blocks of pages, and their commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

from tests.builders.jobs import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w])")

#: A command in a command: $(…).
INNER = re.compile(r"\$\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; without a fence its language is empty."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    """Those of all pages, but for Sphinx's directives."""
    for path in PAGES:
        for token in MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8")):
            if token.type in ("fence", "code_block") and not token.info.startswith("{"):
                line = (token.map or [0])[0] + 1
                name = str(path.relative_to(ROOT))
                yield Block(name, line, token.info.strip(), token.content)


def mentioned() -> Iterator[tuple[str, list[str]]]:
    """The words of commands that stand in sentences, each with its page."""
    for path in PAGES:
        text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
        for code in re.findall(r"`((?:attnray|make|python)\s[^`]+)`", text):
            yield path.name, code.split()


def typed(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console, those behind `$ `, each with what it printed."""
    parts = re.split(r"^\$ ", text.replace("\\\n", ""), flags=re.M)
    assert not parts[0], f"no command before {parts[0]!r}"
    for part in parts[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def simple_commands(script: str) -> Iterator[list[str]]:
    """The words of each simple command of a script, without variables that are set before it."""
    script = INNER.sub("inner", script.replace("\\\n", " "))
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";&|\n")
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    command: list[str] = []
    for word in [*lexer, "\n"]:
        if set(word) <= set(";&|\n"):
            while command and re.match(r"\w+=", command[0]):
                del command[0]
            if command:
                yield command
            command = []
        else:
            command.append(word)


def alike(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed: `…` is anything, numbers may differ by a hundredth.

    (On another kind of processor a head may decide otherwise in a case or two.)
    """
    text = (re.escape(each) for each in NUMBER.split(" ".join(shown.split())))
    pattern = re.sub(r"(\\ )?…(\\ )?", ".*?", f"({NUMBER.pattern})".join(text))
    match = re.fullmatch(pattern, " ".join(printed.split()), re.S)
    if match is None:
        return False
    wanted, found = (
        [float(each.replace(",", "")) for each in numbers]
        for numbers in (NUMBER.findall(shown), match.groups())
    )
    return all(abs(a - b) <= max(1.0, 0.01 * a) for a, b in zip(wanted, found, strict=True))
