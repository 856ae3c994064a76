"""The errors that end a run, each with the exit status it stands for."""

from __future__ import annotations


class InputError(Exception):
    """The configuration or the input cannot be used: exit status 2.

    The message is one line that says what is wrong, where, and what to do.
    """


class IncompleteRun(Exception):  # noqa: N818 (it is an outcome)
    """The run ended with shards missing: exit status 1.

    The message names each missing shard and why it is missing.
    """
