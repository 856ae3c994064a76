"""How fast it is, as ratios of two things that were measured in turn within one run.

    python scripts/bench.py [--corpus FILE[:DOCUMENTS] ...] [--only NAME,...] [--rounds 5]
                            [--small] [--json FILE] [--set KEY=VALUE ...]

A corpus is a CoNLL-U file, or a .tsv of GAP; without any it is the sample that comes with attnray.
It prints tables in Markdown, and ends with status 1 and one line where the results of two sides
differ (docs/performance.md). What is one process has one thread, and its CPU time is taken.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib import resources
from pathlib import Path

import torch
from measures.analyses import analysis_reference, divergence_log
from measures.jobs import start_up, workers
from measures.passes import forward_naive, fused_bare, planning, stored_bare
from measures.stores import stores
from measures.subject import Subject
from measures.timing import Differs, Row

from attnray.errors import InputError

#: The parts that every corpus has, and the one that is measured on the sample alone.
PARTS: dict[str, Callable[[Subject], Iterator[Row]]] = {
    "stored/bare": stored_bare,
    "fused/bare": fused_bare,
    "plan": planning,
    "forward/naive": forward_naive,
    "analysis/reference": analysis_reference,
    "divergence/log": divergence_log,
    "store": stores,
    "workers": workers,
    "start-up": start_up,
}
ONCE = "start-up"
PACKAGES = ("attnray", "torch", "transformers", "numpy", "numba", "zarr", "ray")
SAMPLE = resources.files("attnray.corpus").joinpath("sample.conllu")


def main() -> int:
    """Measure and print; gives the exit status."""
    options = _options()
    torch.set_num_threads(1)
    about = machine()
    print("\n".join(f"- {name}: {value}" for name, value in about.items()), flush=True)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="attnray-bench-") as scratch:
        try:
            for subject in _subjects(options, Path(scratch)):
                wanted = [n for n in options.only if (n == ONCE) == (subject.name == ONCE)]
                rows += _measured(subject, wanted)
        except Differs as difference:
            print(f"bench: {difference}", file=sys.stderr)
            return 1
        except InputError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 2
    if options.json:
        content = {"machine": about, "rounds": options.rounds, "rows": [asdict(r) for r in rows]}
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    return 0


def machine() -> dict[str, str]:
    """What it is measured on."""
    return {
        "CPU": f"{_cpu()}, {os.cpu_count()} cores",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "threads": f"{torch.get_num_threads()} in this process, 1 an extractor",
        "system": platform.platform(),
        "versions": ", ".join(
            [f"Python {platform.python_version()}"]
            + [f"{package} {importlib.metadata.version(package)}" for package in PACKAGES]
        ),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", nargs="+", default=[], metavar="FILE[:DOCUMENTS]")
    parser.add_argument("--only", type=_names, default=[*PARTS], metavar="NAME,...")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side is timed")
    parser.add_argument("--small", action="store_true", help="a few sentences, once")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows there")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="as for a job")
    options = parser.parse_args()
    options.rounds = 1 if options.small else options.rounds
    return options


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - PARTS.keys():
        raise argparse.ArgumentTypeError(f"{unknown.pop()} is none of {', '.join(PARTS)}")
    return names


def _subjects(options: argparse.Namespace, scratch: Path) -> Iterator[Subject]:
    """Each corpus with the model, and then what is measured once."""
    chosen = {Path(each.partition(":")[0]).name: _corpus(each) for each in options.corpus}
    if not chosen:
        chosen = {"sample": ("corpus=sample",)}
    if options.small:
        text = SAMPLE.read_text(encoding="utf-8")
        documents = re.split(r"(?m)^(?=# newdoc)", text)[1:]
        first = [document.partition("\n\n")[0] for document in documents]
        (scratch / "small.conllu").write_text("\n\n".join([*first, ""]), encoding="utf-8")
        chosen = {"small": _corpus(str(scratch / "small.conllu"))}
    last = next(iter(chosen.values())) if options.small else ()
    for number, (name, corpus) in enumerate([*chosen.items(), (ONCE, last)]):
        folder = scratch / str(number)
        folder.mkdir()
        yield Subject(
            name,
            (*corpus, *options.set),
            folder,
            options.rounds,
            cells=1000 if options.small else 50_000,
            warm=not options.small,
        )


def _corpus(given: str) -> tuple[str, ...]:
    path, _, documents = given.partition(":")
    form = "gap" if path.endswith(".tsv") else "conllu"
    limit = (f"corpus.limit={documents}",) if documents else ()
    return (f"corpus={form}", f"corpus.path={path}", *limit)


def _measured(subject: Subject, names: list[str]) -> Iterator[Row]:
    """The rows of some parts, each printed as it is measured."""
    if names:
        print(f"\n### {subject.name}\n\n| part | measured | median | least | most | unit | goal |")
        print("|---|---|---:|---:|---:|---|---:|")
    for name in names:
        for row in PARTS[name](subject):
            values = " | ".join(map(_figure, (row.median, row.least, row.most)))
            unit = " ".join(filter(None, (row.unit, row.clock)))
            print(f"| {row.part} | {row.measured} | {values} | {unit} | {row.goal} |", flush=True)
            yield row


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _cpu() -> str:
    """The name of the processor."""
    about = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", about.read_text()) if about.is_file() else []
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    sys.exit(main())
