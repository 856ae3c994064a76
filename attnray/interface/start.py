"""A run from Python, as `attnray run` does it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from attnray.cli.caches import caches
from attnray.cli.compose import configuration
from attnray.cli.doing import doing
from attnray.errors import described
from attnray.interface.opened import Run

#: Texts that stand in a setting as they are; others are quoted.
PLAIN = re.compile(r"(?!(?:null|true|false|nan|inf)$)[A-Za-z_/~][\w./:@~+*-]*", re.I | re.A)


def started(settings: Mapping[str, object], quiet: bool) -> Run:
    """See `attnray.run`."""
    try:
        with _output(quiet), caches():
            config = configuration([*_written(settings)])
            with doing("starting"):  # that takes seconds: what can be refused is refused before
                from attnray.cli.jobs import done, print_summary
            run = done(config)
            print_summary(run)
    except Exception as error:
        told = described(error)
        raise told from (None if told is error else error)
    return Run(str(run.folder.root))


def _written(settings: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    """Settings as a command line has them."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _written(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}={_value(value)}"


def _value(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_value, value))}]"
    text = str(value)
    if PLAIN.fullmatch(text) or not isinstance(value, str | Path):
        return text
    # Backslashes are escaped before a quotation mark, that of the end too, and only there.
    text = re.sub(r'\\+(?="|\Z)', lambda found: 2 * found[0], text)
    return '"{}"'.format(text.replace('"', r"\""))


@contextmanager
def _output(quiet: bool) -> Iterator[None]:
    """What is printed in here goes nowhere, if so."""
    with ExitStack() as stack:
        if quiet:
            nowhere = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(redirect_stdout(nowhere))
            stack.enter_context(redirect_stderr(nowhere))
        yield
