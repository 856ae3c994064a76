"""The errors that end a run, each with the exit status it stands for, and how any is told."""

from __future__ import annotations

from attnray.redacted import redacted


class _ToldError(Exception):
    """An error whose message is shown, and kept: no password of an address is in it."""

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


class InputError(_ToldError):
    """The configuration or the input cannot be used: exit status 2.

    The message is one line that says what is wrong, where, and what to do.
    """


class IncompleteRun(_ToldError):  # noqa: N818 (it is an outcome)
    """The run ended with shards missing: exit status 1.

    The message names each missing shard and why it is missing.
    """


class StoreUnreachable(IncompleteRun):
    """An object store fails whatever is asked of it: nothing more is tried."""


class Damaged(IncompleteRun):
    """A file of a run is missing, or is not what was written.

    Args:
        run: the run folder.
        name: the file, by its path in it.
        reason: what is wrong with it.
    """

    def __init__(self, run: str, name: str, reason: str) -> None:
        super().__init__(f"{run}/{name}: {reason}; `attnray verify --repair {run}` makes it again")
        self.run, self.name, self.reason = run, name, reason

    def __reduce__(self) -> tuple[type[Damaged], tuple[str, str, str]]:
        return type(self), (self.run, self.name, self.reason)


def describe(error: BaseException) -> str:
    """An error in one line."""
    if isinstance(error, Damaged):
        return str(error)
    first = redacted(str(error)).strip().split("\n", 1)[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
