"""What the rates of GPUs, and what was measured here, make of 10^9 tokens: see docs/scale.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

TOKENS = 10**9
#: Examples a second of BERT-base at length 128, without metrics.
RATES = {"A100, published": 3340, "H200, measured": 1926}
#: What patterns computed in the pass leave of that rate, measured on the H200.
FUSED = 0.93
LENGTH, HEADS = 128, 144
#: The most examples of a shard on a GPU (`attnray.config.SIZES`).
EXAMPLES = 4096
GPUS = (8, 64, 256)
#: Word pieces a word: the sample's.
PIECES = 4383 / 3445
#: Bytes a weight of log16.
BYTES = 1.76
#: Files of a fused shard with patterns and syntax: examples, partials, cases, markers.
FILES = 1 + 2 + 1 + 2


def table(found: Mapping[str, Any]) -> str:
    """The projection of what was measured, as a table."""
    names = [*next(iter(_rows(found)))]
    rows = [[row[name] for name in names] for row in _rows(found)]
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _rows(found: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    run = found["runs"][-1]
    driver = run["milliseconds"]["process"] + found["ray"]["milliseconds"]
    for card, rate in RATES.items():
        for gpus in GPUS:
            bare = gpus * rate * LENGTH
            shards = bare * FUSED / (EXAMPLES * LENGTH)
            words = bare * FUSED / PIECES
            yield {
                "GPUs": f"{gpus} x {card}",
                "tokens a second": f"{bare * FUSED / 1e6:.1f} M",
                "seconds for 10^9": f"{TOKENS / bare / FUSED:.0f}",
                "shards a second": f"{shards:.1f}",
                "driver, of a core": f"{driver / 1000 * shards:.0%}",
                "cores that plan": f"{words / found['planning']['words_a_second']:.0f}",
                "files a second": f"{FILES * shards:.0f}",
                "cores that add up": f"{run['adding'] / 1000 * shards:.1f}",
                "stored: cores that analyse": f"{bare * _weights() * found['analysis'] / 1e9:,.0f}",
                "stored: GB a second": f"{bare * _weights() * BYTES / 1e9:,.0f}",
            }


def _weights() -> int:
    """The weights of a token."""
    return HEADS * LENGTH
