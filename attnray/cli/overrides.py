"""Choices by what they are: models and corpora by path, random twins by their name."""

from __future__ import annotations

import os
import re
from dataclasses import fields
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from attnray.config import RolesConfig
from attnray.corpus.bounds import cut
from attnray.corpus.files import addresses
from attnray.corpus.readers import ENDINGS, guess_format
from attnray.errors import InputError
from attnray.store.files import fingerprint

ROLES = tuple(field.name for field in fields(RolesConfig))
_CHOICE = re.compile(rf"(?:(model|corpus)|(?:corpus@)?corpora\.({'|'.join(ROLES)}))=(.+)", re.S)
#: Values with commas between them: in quotes, or as they are.
_VALUES = re.compile(r"\"[^\"]*\"|'[^']*'|[^,]+")
_TWIN = re.compile(r"(?P<model>.+)-random-(?P<seed>\d{1,10})")


def known_to_hydra(arguments: list[str]) -> list[str]:
    """The overrides of a command line as Hydra takes them, choices of model and corpus too.

    `model=DIR` and `corpus=FILE` become configurations of that folder or file,
    `model=NAME-random-SEED` one of NAME with new weights, and `corpora.ROLE=NAME` is written as
    Hydra has it. Several choices, with commas between them, are each taken so. Values that Hydra
    cannot read, as those with letters other than ASCII's, get quotes.

    Raises:
        InputError: the format of a file cannot be told from its name.
    """
    matches = {each: match for each in arguments if (match := _CHOICE.fullmatch(each))}
    # A role's choice has to come before its settings.
    roles = {match[2]: match[3] for match in matches.values() if match[2]}
    chosen = [f"corpus@corpora.{role}={_known('corpus', value)}" for role, value in roles.items()]
    rest = [each for each in arguments if each not in matches or matches[each][1]]
    rest = [
        f"{matches[each][1]}={_known(matches[each][1], matches[each][3])}"
        if each in matches
        else each
        for each in rest
    ]
    return [*map(_quoted, chosen + rest)]


def _quoted(argument: str) -> str:
    """An override with quotes around its values, where Hydra can read it only so."""
    key, _, values = argument.partition("=")
    if not values or _readable(argument):
        return argument
    is_list = values[0] + values[-1] == "[]"
    if values[0] in "[{" and not is_list:
        return argument
    each = _VALUES.findall(values[1:-1] if is_list else values)
    written = ",".join(value if value[0] in "\"'" else f'"{value}"' for value in each)
    quoted = f"{key}=[{written}]" if is_list else f"{key}={written}"
    return quoted if _readable(quoted) else argument


def _readable(argument: str) -> bool:
    try:
        OverridesParser.create().parse_override(argument)
    except HydraException:
        return False
    except (ValueError, RecursionError) as error:
        problem = "a number has too many digits, or a list is in too many others"
        raise InputError(f"{cut(argument)}: {problem}") from error
    return True


def _known(group: str, values: str) -> str:
    """The names of choices, those that are none yet made known."""
    if values[0] in "[{(":
        return values
    make = _model if group == "model" else _corpus
    return ",".join(make(value.strip("\"'"), value) for value in _VALUES.findall(values))


def _model(choice: str, written: str) -> str:
    if "://" in choice:
        raise InputError(f"model={choice} is not possible: it must be a name or a folder")
    if "/" in choice or Path(choice, "config.json").is_file():
        folder = Path(os.path.expanduser(choice)).absolute()
        twin = _TWIN.fullmatch(folder.name)
        if twin is None or folder.is_dir():
            return _store("model", folder.name, {"name": None, "path": str(folder)})
        written = _model(str(folder.with_name(twin["model"])), "")
    elif twin := _TWIN.fullmatch(choice):
        written = twin["model"]
    else:
        return written
    drawn = {"random_init": True, "seed": int(twin["seed"])}
    return _store("model", twin[0], {"defaults": [written, "_self_"], **drawn})


def _corpus(choice: str, written: str) -> str:
    if "/" not in choice and not Path(choice).is_file() and guess_format(choice) is None:
        return written
    choice = os.path.expanduser(choice)
    form = guess_format(choice)
    if form is None:
        raise InputError(
            f"corpus={choice}: the name tells no format ({', '.join(ENDINGS)}); say "
            "which, as in corpus=conllu corpus.path=FILE"
        )
    name = addresses.name(choice).partition(".")[0]
    return _store("corpus", name, {"name": name, "format": form, "path": choice})


def _store(group: str, name: str, content: dict[str, object]) -> str:
    """Make a configuration known to Hydra, under a name that no file of conf/ has."""
    tag = fingerprint({group: content})[:6]
    safe = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
    known = f"{safe}.{tag}"
    ConfigStore.instance().store(group=group, name=known, node=content, provider="command line")
    return known
