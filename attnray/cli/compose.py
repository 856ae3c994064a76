"""The settings of a command line, composed by Hydra, and the job done with them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from attnray import __version__
from attnray.called import called
from attnray.cli.checks import check, look
from attnray.cli.choices import choices, configuration_folder, register_models
from attnray.cli.doing import doing
from attnray.cli.help import choices_text, help_text
from attnray.cli.member import Member
from attnray.cli.overrides import known_to_hydra
from attnray.cli.settings import nearest_setting
from attnray.config import Config, planned, register, typed
from attnray.errors import InputError
from attnray.metrics.loading import loaded
from attnray.nearest import meant

#: The jobs that make nothing of a run that is not there, and those whose first argument may be its
#: folder.
OF_A_RUN = ("reduce", "report")
ON_A_RUN = ("extract", "analyse", "probe", *OF_A_RUN)
#: The groups whose choices are too many for a line.
LISTED = ("model", "corpus")
#: Names the folder for what Hydra writes of a sweep, which nobody needs.
HYDRA_FOLDER = "ATTNRAY_HYDRA_FOLDER"


def compose_and_run(job: str, arguments: list[str]) -> None:
    """Do a job with the arguments of its command line.

    Raises:
        InputError: they cannot be used, or an input cannot.
        IncompleteRun: not all was done.
    """
    with _one_line_of(arguments):
        _compose_and_run(job, arguments)


def configuration(settings: list[str]) -> Config:
    """The configuration of settings that are given by no command line.

    Raises:
        InputError: they cannot be used.
    """
    register()
    register_models()
    folder = str(configuration_folder())
    with _one_line_of(settings), hydra.initialize_config_dir(folder, version_base=None):
        config = _config(hydra.compose("config", known_to_hydra(settings)))
    check(config)
    return config


@contextmanager
def _one_line_of(settings: list[str]) -> Iterator[None]:
    """What Hydra says of settings that it refuses is said in one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(_one_line(error)) from error
    except AssertionError as error:
        # So Hydra ends when a setting is given to a role that has no corpus of its own.
        if "Unexpected type for root: NoneType" not in str(error):
            raise
        raise InputError(_without_corpus(settings)) from error


def _compose_and_run(job: str, arguments: list[str]) -> None:
    if {"--help", "-h"} & set(arguments):
        print(help_text(job))
        return
    if "--version" in arguments:
        print(f"attnray {__version__}")
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
    if job == "explore":
        from attnray.cli.explore import explore

        explore(arguments)
        return
    options, settings = _parted(arguments)
    if job in ON_A_RUN and settings and "=" not in settings[0]:
        settings[0] = f"run_dir={settings[0]}"
    members = _composed([*known_to_hydra(settings), *options])
    for member in members:
        check(member.config)
    if not members:
        return  # Hydra was asked to show something
    _look(job, [member.config for member in members])
    # These take seconds to import: what can be refused is refused before.
    if members[0].swept:
        with doing("starting"):
            from attnray.cli.sweep import sweep
        sweep(job, members)
    else:
        with doing("starting"):
            from attnray.cli.jobs import JOBS
        JOBS[job](members[0].config, members[0].overrides)


def _look(job: str, configs: list[Config]) -> None:
    """Refuse at once what this machine's files tell to be refused.

    Raises:
        InputError: see `checks.look`; or a job on a run is not told on which.
    """
    if job == "run" or (job != "compare" and configs[0].run_dir is None):
        look(configs)
    if job in OF_A_RUN and configs[0].run_dir is None:
        raise InputError(f"say which run is meant: {called(job)} RUN_DIR")


def _composed(arguments: list[str]) -> list[Member]:
    """The configuration of a command line; with `-m`, one for each member of the sweep.

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
            config = _config(composed)
            members.append(Member(config, said, hydra_config.mode == RunMode.MULTIRUN))
        except (InputError, OmegaConfBaseException) as error:
            # Hydra would print its own lines on its way out.
            failures.append(error)

    folder = str(configuration_folder())
    with TemporaryDirectory() as scratch, _as_command_line(arguments):
        os.environ[HYDRA_FOLDER] = scratch
        hydra.main(version_base=None, config_path=folder, config_name="config")(collect)()
    if failures:
        raise failures[0]
    return members


@contextmanager
def _as_command_line(arguments: list[str]) -> Iterator[None]:
    """Hydra reads arguments from nowhere else; the run keeps those that were given."""
    given, sys.argv[1:] = sys.argv[1:], arguments
    try:
        yield
    finally:
        sys.argv[1:] = given


def _config(composed: DictConfig) -> Config:
    """What was composed, with the metrics of one's own that it names, which are known from then on.

    (The schema knows what there is not, even where `+` was written before it.)
    """
    content: Any = OmegaConf.to_container(composed)
    config = typed(planned(content))
    return replace(config, metrics=loaded(config.metrics))


def _parted(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The options of a command line, which Hydra takes behind all settings, and these.

    Raises:
        InputError: there is no such option, or some do not go together; Hydra would say much.
    """
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise InputError(f"{message} (--help says what there is)")

    parser.error = refuse  # type: ignore[method-assign]
    parsed = parser.parse_intermixed_args(arguments)
    if parsed.shell_completion:
        refuse('eval "$(attnray completion bash)" completes command lines')
    if (parsed.cfg, parsed.info, parsed.run or None, parsed.multirun or None).count(None) < 3:
        refuse("of --cfg, --info, --run and --multirun a command line takes one")
    return [each for each in arguments if each not in parsed.overrides], parsed.overrides


def _without_corpus(arguments: list[str]) -> str:
    """What to do about a setting of a role without a corpus."""
    chosen = {each.partition("=")[0].removeprefix("corpus@corpora.") for each in arguments}
    found = (re.match(r"corpora\.(\w+)\.", argument) for argument in arguments)
    role = next(match[1] for match in found if match and match[1] not in chosen)
    return f"corpora.{role} has no corpus yet: choose it first, as in corpora.{role}=conllu"


def _one_line(error: Exception) -> str:
    """Hydra's message without its advice on tracebacks and search paths."""
    text = str(error)
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _no_choice(*error.missing_cfg_file.split("/", 1))
    if text.startswith("Error merging override ") and error.__cause__:
        reason = str(error.__cause__).split("\n", 1)[0]
        return f"{text.removeprefix('Error merging override ')} is not possible: {reason}"
    unknown = re.search(r"Could not override '([^']+)'|Key '(\w+)' (?:is )?not in", text)
    if unknown:
        return nearest_setting(unknown[1] or unknown[2])
    if re.search(
        "missing EQUAL|token recognition|(mismatched|extraneous) input|no ?viable ?alt", text, re.I
    ):
        first = text.strip().split("\n", 1)[0]
        if "missing EQUAL" in text:
            return f"{first}: settings are given as KEY=VALUE"
        return f"{first} (put values with =, spaces, commas or braces in quotes: 'key=\"value\"')"
    lines = [line.strip() for line in text.split("Config search path")[0].splitlines()]
    kept = [
        line for line in lines if line and not line.startswith(("reference_type", "object_type"))
    ]
    return ", ".join(kept).replace(":,", ":")


def _no_choice(group: str, name: str) -> str:
    """What there is instead of a choice that there is not."""
    names = choices(group)
    every = f"`{called('list')}` names all" if group in LISTED else f"it is {' or '.join(names)}"
    if group == "model" and Path(name).is_dir():
        every += f"; the folder {name} has no config.json"
    return f"there is no {group} {name}{meant(name, names) or ':'} {every}"
