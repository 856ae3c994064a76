"""`attnray explore RUN_DIR`: a page about the cases of a run, for a browser on this machine."""

from __future__ import annotations

import threading
import webbrowser
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import NoReturn

from attnray.errors import InputError

USAGE = "attnray explore RUN_DIR [OTHER_RUN_DIR] [--port N] [--no-browser]"
PORTS = range(2**16)
#: Browsers without windows.
OF_TERMINALS = {"www-browser", "links", "elinks", "lynx", "w3m"}


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}: {USAGE}")


def explore(arguments: Sequence[str]) -> None:
    """Serve the page until a signal comes.

    Raises:
        InputError: there is no run, the port is taken, or the server is not installed.
        IncompleteRun: the run is not planned to its end.
    """
    parser = _Parser(usage=USAGE, add_help=False, allow_abbrev=False)
    parser.add_argument("run_dir")
    parser.add_argument("other", nargs="?")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--no-browser", action="store_true")
    said = parser.parse_args(arguments)
    if said.port not in PORTS:
        raise InputError(
            f"--port {said.port} is not possible: it must be one from 0 to {PORTS[-1]}"
        )
    if find_spec("aiohttp") is None:
        raise InputError("attnray explore needs a server: pip install 'attnray[explore]'")
    from attnray.explore.opened import OpenedRun
    from attnray.explore.server import LOCALHOST, listening, serve

    with listening(said.port) as bound:
        named = [place.removeprefix("run_dir=") for place in (said.run_dir, said.other) if place]
        runs = [OpenedRun(place) for place in named]
        for run in runs:
            run.subjects.read_on()
        address = f"http://{LOCALHOST}:{bound.getsockname()[1]}/"

        def ready() -> None:
            print(f"{address} (Ctrl-C ends it)", flush=True)
            if not said.no_browser:
                threading.Thread(target=_open, args=(address,), daemon=True).start()

        serve(runs, bound, ready)


def _open(address: str) -> None:
    """Open a browser, where there is one that would not take the terminal."""
    with suppress(webbrowser.Error, OSError):
        found = webbrowser.get()
        if getattr(found, "name", "") not in OF_TERMINALS:
            found.open(address)
