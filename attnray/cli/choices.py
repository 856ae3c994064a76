"""What can be chosen by name: the files of conf/, and the rows of its table of models."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

import attnray


def configuration_folder() -> Path:
    """The folder of configurations: inside the installed package, or beside it."""
    package = Path(attnray.__file__).parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def choices(group: str) -> dict[str, dict[str, Any]]:
    """The settings of each choice of `model`, `corpus` or another group, by its name, sorted."""
    found = models() if group == "model" else {}
    for path in (configuration_folder() / group).glob("*.yaml"):
        content = OmegaConf.to_container(OmegaConf.load(path))
        assert isinstance(content, dict)
        found[path.stem] = {str(key): value for key, value in content.items()}
    return dict(sorted(found.items()))


def models() -> dict[str, dict[str, Any]]:
    """The settings of the models of conf/models.csv, by name."""
    with (configuration_folder() / "models.csv").open(encoding="utf-8", newline="") as table:
        return {row["name"]: _settings(row) for row in csv.DictReader(table)}


def register_models() -> None:
    """Make the models of the table known to Hydra, as if each had a file in conf/model/."""
    for name, settings in models().items():
        ConfigStore.instance().store(name, settings, group="model", provider="conf/models.csv")


def _settings(row: dict[str, str]) -> dict[str, str]:
    """What a file of conf/model/ would say; what the row leaves empty is not certain."""
    settings = {key: row[key] for key in ("name", "hub", "licence") if row[key]}
    if row["layers"]:
        settings["size"] = (
            f"{row['layers']} layers x {row['heads']} heads, "
            f"{row['million_parameters']} M parameters"
        )
    return settings
