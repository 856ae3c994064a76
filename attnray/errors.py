"""The errors that end a run, each with the exit status it stands for, and how any is told."""

from __future__ import annotations

import errno
import os
import re
import traceback
from pathlib import Path

from attnray.redacted import legible, redacted

#: The machine refuses these however often it is asked, and takes these up again with more space.
LASTING = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ELOOP,
}
FULL = {errno.ENOSPC, errno.EDQUOT}
#: How libraries in Rust end what they say of an error of the machine.
OS_ERROR = re.compile(r"\(os error (\d+)\)")


class _ToldError(Exception):
    """An error whose message is shown, and kept: one line, with no password of an address."""

    def __init__(self, message: str) -> None:
        super().__init__(legible(" ".join(redacted(message).splitlines())))


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


def described(error: Exception) -> InputError | IncompleteRun:
    """Any error as the one that ends a run, with what to do about it."""
    if isinstance(error, InputError | IncompleteRun):
        return error
    if isinstance(error, MemoryError):
        return IncompleteRun(
            "out of memory: with smaller batches (batch.tokens), fewer workers or more memory the "
            "same command goes on"
        )
    if found := of_machine(error):
        what = found.strerror or describe(found)
        if not found.filename and _homeless():
            return InputError("the folder that this was started in is gone: start it in another")
        where = f"{os.fsdecode(found.filename)}: {what}" if found.filename else what
        if found.errno in FULL:
            return IncompleteRun(f"{where}: free some space, and the same command goes on")
        if found.errno in LASTING:
            return InputError(f"{where}: allow it, or name another place")
        return IncompleteRun(f"{where}: the same command tries again")
    return IncompleteRun(
        f"{describe(error)} ({_place(error)}). This is a mistake in attnray, not in what it was "
        "given: the environment ATTNRAY_DEBUG=1 shows more of it, for a report"
    )


def _homeless() -> bool:
    """Whether the working folder has been removed."""
    try:
        return not os.getcwd()
    except OSError:
        return True


def ends_all(error: Exception) -> InputError | IncompleteRun | None:
    """What ends a run at once when it befalls a task, since no other would fare better; or None."""
    if isinstance(error, InputError | StoreUnreachable):
        return error
    found = of_machine(error)
    if found and found.errno in FULL | LASTING:
        return described(error)
    return None


def of_machine(error: Exception, path: str | None = None) -> OSError | None:
    """The error of the machine that this one is, or that a library in Rust tells of; or None.

    Args:
        error: any.
        path: what it is about, where it does not say.
    """
    if isinstance(error, _ToldError):
        return None
    found = error if isinstance(error, OSError) else None
    if told := OS_ERROR.search(str(error)):
        number = int(told[1])
        found = OSError(number, os.strerror(number))
    if found and found.errno and not found.filename and path:
        return OSError(found.errno, os.strerror(found.errno), path)
    return found


def _place(error: Exception) -> str:
    """Where in attnray an error comes from."""
    package = Path(__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if Path(each.filename).is_relative_to(package)]
    last = (ours or frames)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"
