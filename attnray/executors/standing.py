"""Where a stage of a run stands: how much there is of it, and how much is done."""

from __future__ import annotations

from dataclasses import astuple, dataclass


@dataclass
class Standing:
    """Where a stage stands, in examples (of probes: in probes).

    Of `total`, `done` are done, `before` of them before the work began. The rest has the same in
    FLOP of forward passes, which tell better what time it takes.
    """

    total: int = 0
    done: int = 0
    before: int = 0
    flop: float = 0.0
    flop_done: float = 0.0
    flop_before: float = 0.0

    def __add__(self, other: Standing) -> Standing:
        return Standing(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def add(self, size: int, flop: float, before: bool = False) -> None:
        """So much more is done, or was before."""
        self.done += size
        self.flop_done += flop
        self.before += before * size
        self.flop_before += before * flop

    def rate(self, seconds: float) -> float:
        """How many a second, where the work took so many seconds so far."""
        return (self.done - self.before) / seconds

    def left(self, seconds: float) -> float | None:
        """About how many seconds the rest takes; None where nothing tells."""
        spent = self.flop_done - self.flop_before
        return seconds * (self.flop - self.flop_done) / spent if spent else None
