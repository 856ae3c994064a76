"""The settings by name, and the nearest of them to one that there is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from difflib import get_close_matches
from typing import Any

from attnray.called import called
from attnray.config import Config, CorpusConfig, RolesConfig


def keys() -> list[str]:
    """Every setting, and every group of settings."""
    roles = {each.name: asdict(CorpusConfig()) for each in fields(RolesConfig)}
    return [*_keys({**asdict(Config()), "corpora": roles})]


def nearest_setting(key: str) -> str:
    """What to say of a setting that there is not."""
    known = keys()
    last = key.rpartition(".")[2]
    inner = [each for each in known if get_close_matches(last, [each.rpartition(".")[2]], 1, 0.8)]
    of_no_role = [each for each in inner if not each.startswith("corpora.")]
    near = get_close_matches(key, known, 1, 0.75) or get_close_matches(key, of_no_role, 2, 0)
    hint = f"did you mean {' or '.join(near)}?" if near else f"`{called('run')} --cfg job` has all"
    return f"there is no setting {key}: {hint}"


def _keys(config: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in config.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")
