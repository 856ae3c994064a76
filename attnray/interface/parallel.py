"""A function over many examples at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from attnray.reading import StoredExample

E = TypeVar("E", bound=StoredExample)
R = TypeVar("R")

#: Examples that are begun before their turn, for each worker.
AHEAD = 4


def in_order(function: Callable[[E], R], examples: Iterable[E], workers: int) -> Iterator[R]:
    """What a function makes of each example, in their order; a few are worked on ahead.

    Threads do it: attention is decoded and added up without Python's lock, what was decoded is
    there for all of them, and any function will do.
    """

    def called(example: E) -> R:
        try:
            return function(example)
        except Exception as error:
            error.add_note(f"{function!r} failed so on {example!r}")
            raise

    with ThreadPoolExecutor(workers) as pool:
        begun: deque[Future[R]] = deque()
        try:
            for example in examples:
                begun.append(pool.submit(called, example))
                if len(begun) >= AHEAD * workers:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()
