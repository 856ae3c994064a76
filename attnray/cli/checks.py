"""Is a configuration possible? Its values, the names in it, and what there is on this machine."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from attnray import config as settings
from attnray.config import Config
from attnray.corpus import readers
from attnray.errors import InputError, described
from attnray.executors import work
from attnray.metrics import registry
from attnray.model import source
from attnray.store.folder import RunFolder
from attnray.store.places import run_folder


def check(config: Config) -> None:
    """Refuse what is not possible, before anything is done.

    Raises:
        InputError: names the setting, its value and what is possible.
    """
    for each in (settings, registry, readers, work):
        each.check(config)


def look(configs: Sequence[Config]) -> None:
    """Refuse runs of which none can begin, as far as this machine's files tell; nothing is read.

    Raises:
        InputError: names what is not there, once for each run.
    """
    refused = []
    for config in configs:
        try:
            _look(config)
        except InputError as error:
            refused.append(str(error))
    if len(refused) == len(configs):
        raise InputError("; ".join(dict.fromkeys(refused)))


def _look(config: Config) -> None:
    source.look(config.model)
    readers.look(config)
    vectors = config.probe.vectors
    if registry.PROBES in config.metrics and vectors and not Path(vectors).expanduser().is_file():
        raise InputError(f"probe.vectors={vectors}: no such file; give a GloVe text file")
    if config.run_dir is not None:
        _look_at_place(run_folder(config.run_dir))


def _look_at_place(root: Path | str) -> None:
    """Refuse a new run folder where none can be made; a finished run may lie where it likes."""
    if isinstance(root, Path) and not RunFolder(root).planned:
        there = next(each for each in (root, *root.absolute().parents) if each.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            why = errno.EACCES if there.is_dir() else errno.ENOTDIR
            raise described(OSError(why, os.strerror(why), str(there)))
