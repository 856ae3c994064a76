"""Where a stage of a run stands: how much there is of it, and how much is done."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import timedelta


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

    def pace(self, seconds: float) -> str:
        """How many a second are done, if it took so many, and what time is left; "" if none is."""
        spent = self.flop_done - self.flop_before
        if not seconds or self.done == self.before:
            return ""
        rate = f"{(self.done - self.before) / seconds:,.3g} a second"
        if self.done == self.total or not spent:
            return rate
        left = timedelta(seconds=round(seconds * (self.flop - self.flop_done) / spent))
        return f"{rate}, about {left} left"
