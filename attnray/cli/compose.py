"""The settings of a command line, composed by Hydra, and the job done with them."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import asdict
from difflib import get_close_matches
from tempfile import TemporaryDirectory
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from attnray.cli.checks import check
from attnray.cli.choices import configuration_folder, register_models
from attnray.cli.doing import doing
from attnray.cli.help import choices_text, help_text
from attnray.cli.member import Member
from attnray.cli.overrides import known_to_hydra
from attnray.config import Config, register, typed
from attnray.errors import InputError

#: What makes a command line a sweep.
MULTIRUN = ("-m", "--multirun")
#: Names the folder for what Hydra writes of a sweep, which nobody needs.
HYDRA_FOLDER = "ATTNRAY_HYDRA_FOLDER"


def compose_and_run(job: str) -> None:
    """Do a job with the settings of the command line.

    Raises:
        InputError: they cannot be used, or an input cannot.
        IncompleteRun: not all was done.
    """
    try:
        _compose_and_run(job)
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(_one_line(error)) from error
    except ValueError as error:
        if "Only one of --run, --multirun" not in str(error):
            raise
        raise InputError(str(error)) from error
    except AssertionError as error:
        # So Hydra ends when a setting is given to a role that has no corpus of its own.
        if "Unexpected type for root: NoneType" not in str(error):
            raise
        raise InputError(_without_corpus(sys.argv[1:])) from error


def _compose_and_run(job: str) -> None:
    arguments = sys.argv[1:]
    if {"--help", "-h"} & set(arguments):
        print(help_text(job))
        return
    if job == "list":
        print(choices_text())
        return
    if job == "status":
        from attnray.cli.status import status

        status(arguments)
        return
    if job == "verify":
        from attnray.cli.verify import verify

        verify(arguments)
        return
    # Hydra's parser refuses -m between settings.
    sys.argv[1:] = sorted(known_to_hydra(arguments), key=lambda each: each not in MULTIRUN)
    members = _composed()
    for member in members:
        check(member.config)
    if not members:
        return  # Hydra was asked to show something
    # These take seconds to import: what can be refused is refused before.
    if members[0].swept:
        with doing("starting"):
            from attnray.cli.sweep import sweep
        sweep(job, members)
    else:
        with doing("starting"):
            from attnray.cli.jobs import JOBS
        JOBS[job](members[0].config, members[0].overrides)


def _composed() -> list[Member]:
    """The configuration of the command line; with `-m`, one for each member of the sweep.

    Hydra only composes them here: all of them are there, and are known to be possible, before
    the work begins, which goes into one queue.
    """
    # Without this Hydra prints several lines and ends the process itself.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    register()
    register_models()
    members: list[Member] = []
    failures: list[Exception] = []

    def collect(composed: DictConfig) -> None:
        hydra_config = HydraConfig.get()
        said = list(hydra_config.overrides.task)
        try:
            config = typed(composed)
            members.append(Member(config, said, hydra_config.mode == RunMode.MULTIRUN))
        except (InputError, OmegaConfBaseException) as error:
            # Hydra would print its own lines on its way out.
            failures.append(error)

    folder = str(configuration_folder())
    with TemporaryDirectory() as scratch:
        os.environ[HYDRA_FOLDER] = scratch
        hydra.main(version_base=None, config_path=folder, config_name="config")(collect)()
    if failures:
        raise failures[0]
    return members


def _without_corpus(arguments: list[str]) -> str:
    """What to do about a setting of a role without a corpus."""
    chosen = {each.partition("=")[0].removeprefix("corpus@corpora.") for each in arguments}
    found = (re.match(r"corpora\.(\w+)\.", argument) for argument in arguments)
    role = next(match[1] for match in found if match and match[1] not in chosen)
    return f"corpora.{role} has no corpus yet: choose it first, as in corpora.{role}=conllu"


def _one_line(error: Exception) -> str:
    """Hydra's message without its advice on tracebacks and search paths."""
    text = str(error)
    if text.startswith("Error merging override ") and error.__cause__:
        reason = str(error.__cause__).split("\n", 1)[0]
        return f"{text.removeprefix('Error merging override ')} is not possible: {reason}"
    unknown = re.search(r"Could not override '([^']+)'|Key '(\w+)' (?:is )?not in", text)
    if unknown:
        return _unknown(unknown[1] or unknown[2])
    if re.search("token recognition|(mismatched|extraneous) input|no ?viable ?alt", text, re.I):
        first = text.strip().split("\n", 1)[0]
        return f"{first} (put values with =, spaces, commas or braces in quotes: 'key=\"value\"')"
    lines = [line.strip() for line in text.split("Config search path")[0].splitlines()]
    kept = [
        line for line in lines if line and not line.startswith(("reference_type", "object_type"))
    ]
    return ", ".join(kept).replace(":,", ":")


def _unknown(key: str) -> str:
    known = _keys(asdict(Config()))
    near = get_close_matches(key, known, n=3, cutoff=0.6)
    hint = f": did you mean {' or '.join(near)}?" if near else ": see conf/config.yaml"
    return f"there is no setting {key}{hint}"


def _keys(config: dict[str, Any], prefix: str = "") -> list[str]:
    keys = []
    for key, value in config.items():
        keys.append(f"{prefix}{key}")
        if isinstance(value, dict):
            keys += _keys(value, f"{prefix}{key}.")
    return keys
