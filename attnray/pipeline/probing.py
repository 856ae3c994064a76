"""Probe: one probe from one seed, trained and scored on the stored attention of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from attnray.store.folder import RunFolder


@dataclass(frozen=True)
class ProbeTask:
    """placeholder until the probes are merged."""

    stage: ClassVar[str] = "probe"
    folder: RunFolder
    name: str


def probe(task: ProbeTask) -> None:
    """placeholder."""
