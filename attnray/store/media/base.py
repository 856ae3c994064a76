"""What a run folder lies on: files by name, each written whole or not at all."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol


class Medium(Protocol):
    """Holds the files of one run folder.

    Files are named by their path in the run folder, with `/` between folders. Where the medium
    fails any method raises OSError, or StoreUnreachable or InputError, which say so in one line. A
    medium is small when pickled: workers get it with every task.
    """

    def snapshot(self) -> Medium:
        """The same files as they are when they are first asked for: for questions about many."""

    def where(self, name: str = "") -> str:
        """What messages call a file, or the run folder itself; no credentials are in it."""

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            FileNotFoundError: there is none of this name.
        """

    def write(self, name: str, content: bytes) -> None:
        """Write a file, in the place of one that is there."""

    def size(self, name: str) -> int | None:
        """The size of a file in bytes, None where there is none."""

    def sizes(self, under: str) -> dict[str, int]:
        """The sizes of all files below a folder, by name; none where there is no such folder."""

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all below it; it need not be there."""

    def making(self, name: str) -> AbstractContextManager[Path]:
        """A local path to write a file or a folder to, which takes the place of `name` at the end.

        Nothing of it is seen under `name` before, and where an error ends it, it is dropped.
        """

    def local(self, name: str) -> Path:
        """A local path at which a file or a folder can be read: itself, or a copy.

        A copy is there as long as the path that is given.

        Raises:
            FileNotFoundError: there is nothing of this name.
        """

    def hold(self) -> AbstractContextManager[None]:
        """Keeps other drivers from the run folder, until its end or that of this process.

        This process may hold it more than once. Where nothing can be written, and where no lock
        can be had, it does nothing.

        Raises:
            IncompleteRun: another driver has it; says which, and since when.
        """

    def disk(self) -> tuple[int, int] | None:
        """What tells its disk from others, and how many bytes are free; None without a bound."""

    def holder(self) -> str | None:
        """The driver that holds the run folder, as far as can be told; None where there is none."""
