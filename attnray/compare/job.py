"""The comparison of finished runs: its tables, figures and page."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Sequence
from urllib.parse import quote

import pyarrow as pa

from attnray.compare.depth import depth_table
from attnray.compare.differences import differences_table
from attnray.compare.probes import probe_differences_table
from attnray.compare.roles import matches_table
from attnray.compare.subjects import Subject, opened
from attnray.errors import InputError
from attnray.metrics.registry import METRICS
from attnray.report.comparison import Member, comparison
from attnray.report.findings import Tables
from attnray.stages.report import write_report
from attnray.store.folder import REPORT, RunFolder, page_of

#: Tables of the runs, set under each other.
JOINED = (*(table for metric in METRICS.values() for table in metric.compared), "probes")


def compare(folders: Sequence[RunFolder], target: RunFolder) -> Tables:
    """Write the comparison of finished runs: `tables/`, `figures/` and `report.html`.

    Args:
        folders: their folders.
        target: where the comparison lies; no run folder.

    Returns:
        Its tables.

    Raises:
        InputError: a folder is no finished run, or there are fewer than two subjects.
        IncompleteRun: what a run found is missing or damaged.
    """
    subjects = opened(folders)
    if len(subjects) < 2:
        raise InputError("a comparison needs two runs, or one with controls=random")
    if target.planned:
        raise InputError(f"{target} is a run folder: choose another run_dir to compare in")
    tables = _tables(subjects)
    for name, table in tables.items():
        target.write_table(name, table)
    runs = [{"model": s.name, "run": str(s.run.folder)} for s in subjects]
    target.write("comparison.json", json.dumps({"runs": runs}, indent=1).encode())
    members = [Member(s.name, s.corpora, _from(target, s.folder)) for s in subjects]
    write_report(target, comparison(tables, members), tables)
    return tables


def _from(target: RunFolder, folder: RunFolder) -> str | None:
    """The address of a run's page from that of the comparison, None where there is no way."""
    here, there = str(target.root), str(folder.root)
    if "://" in here or "://" in there:
        if here.split("/")[:3] != there.split("/")[:3]:
            return None
    else:
        here, there = os.path.abspath(here), os.path.abspath(there)
    return quote(f"{posixpath.relpath(there, here)}/{page_of(REPORT)}")


def _tables(subjects: Sequence[Subject]) -> Tables:
    """The tables that there is something in."""
    joined = {name: [t for s in subjects if (t := s.table(name)) is not None] for name in JOINED}
    tables = {name: pa.concat_tables(each) for name, each in joined.items() if each}
    tables |= {
        "differences": differences_table(subjects),
        "probe_differences": probe_differences_table(subjects),
        "head_matches": matches_table(subjects),
        "behaviours_by_depth": depth_table(subjects),
    }
    return {name: table for name, table in tables.items() if len(table)}
