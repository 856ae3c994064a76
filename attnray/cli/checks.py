"""Is a configuration possible? Its values, and the metrics and formats that it names."""

from __future__ import annotations

from attnray import config as settings
from attnray.config import Config
from attnray.corpus import readers
from attnray.metrics import registry


def check(config: Config) -> None:
    """Refuse what is not possible, before anything is done.

    Raises:
        InputError: names the setting, its value and what is possible.
    """
    for each in (settings, registry, readers):
        each.check(config)
