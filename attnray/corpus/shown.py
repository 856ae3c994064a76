"""Corpora as pages name them: with their files, where these say more."""

from __future__ import annotations

from collections.abc import Iterable

from attnray.config import Config, corpora
from attnray.corpus.files.addresses import name as name_of

#: A few files are named, of more the first.
MOST_FILES = 2


def shown(names: Iterable[str], config: Config) -> list[str]:
    """The names of some of a run's corpora, each with its files unless they are called the same."""
    files: dict[str, list[str]] = {}
    for corpus in corpora(config).values():
        files.setdefault(corpus.name, []).extend(map(name_of, corpus.path))
    return [_shown(name, [*dict.fromkeys(files.get(name, []))]) for name in names]


def _shown(name: str, files: list[str]) -> str:
    if not files or {file.partition(".")[0] for file in files} == {name}:
        return name
    if len(files) > MOST_FILES:
        return f"{name} ({files[0]} and {len(files) - 1} more files)"
    return f"{name} ({', '.join(files)})"
