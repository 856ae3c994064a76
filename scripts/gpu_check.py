"""Does a GPU give what a CPU gives, and how fast? One command, without Ray and without models.

    python scripts/gpu_check.py [--device cuda] [--quick] [--json FILE]

It takes torch, transformers, numpy, numba, pyarrow, zarr, zarrs and hydra-core, and draws the
weights of a model of BERT-base's configuration. Examples are random: tokens, split words, trees
and mentions. First the tables of fused and stored passes on the GPU are held against each other and
against those of a CPU; then passes are timed, each beside the bare eager model over the same
batches. It ends with status 1 where something differs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import torch
import transformers
from transformers import AutoConfig, AutoModel

from attnray.config import BatchConfig, ModelConfig, StoreConfig
from attnray.corpus.example import Antecedent, Example
from attnray.corpus.shards import batched
from attnray.metrics.accumulators.words import from_words, to_words
from attnray.metrics.analysis import analyse
from attnray.metrics.base import Metric
from attnray.metrics.coreference import Coreference
from attnray.metrics.divergence import Divergence
from attnray.metrics.patterns import Patterns
from attnray.metrics.predictions import RIGHT
from attnray.metrics.syntax import Syntax
from attnray.model.encoder import Encoder
from attnray.model.source import Checkpoint, locate
from attnray.stages.extract import extract
from attnray.stages.tasks import ExtractTask
from attnray.store.folder import RunFolder
from attnray.store.maps import EncodedMaps, StoredMaps

METRICS: dict[str, Metric] = {
    "patterns": Patterns(),
    "syntax": Syntax("mean", "universal"),
    "coreference": Coreference(128, "mean", "mentions"),
    "divergence": Divergence(99, 0),
}
PREDICTORS = ("syntax", "coreference")
#: How many shards a timed pass takes.
SHARDS = 4
#: What it measures: what every example of a large corpus is measured by.
USUAL = ("patterns", "syntax", "coreference")
RELATIONS = ("nsubj", "obj", "det", "amod", "punct")
TYPES = ("pronoun", "proper", "nominal")
BERT_BASE = {
    "model_type": "bert",
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
}
#: Two weights nearer than this may stand in either order on two devices.
NEAR = 1e-5


def main() -> None:
    """Check, time, print, and end with status 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda", help="what is held against the CPU")
    parser.add_argument("--quick", action="store_true", help="a small model, and one timing")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    options = parser.parse_args()
    device = torch.device(options.device)
    about = machine(device)
    print("\n".join(f"{name}: {value}" for name, value in about.items()), flush=True)
    with tempfile.TemporaryDirectory(prefix="attnray-gpu-check-") as scratch:
        folder = Path(scratch)
        start = time.perf_counter()
        faults, found = checked(folder, device, options.quick)
        print(f"correctness: {'; '.join(faults) or 'equal'} ({time.perf_counter() - start:.0f} s)")
        timings = [timed(folder, device, *each) for each in shapes(options.quick, device)]
    if options.json:
        content = {"machine": about, "differences": found, "faults": faults, "timings": timings}
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    sys.exit(bool(faults))


def machine(device: torch.device) -> dict[str, str]:
    """What it ran on."""
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    return {
        "card": card,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "CPU threads": str(torch.get_num_threads()),
        "TF32 in matrix products": str(torch.backends.cuda.matmul.allow_tf32),
    }


def checkpoint(folder: Path, quick: bool, dtype: str = "float32") -> Checkpoint:
    """A checkpoint without weights, and a tokenizer that nobody asks."""
    size = {"num_hidden_layers": 2, "num_attention_heads": 3, "hidden_size": 24} if quick else {}
    content = BERT_BASE | size | ({"intermediate_size": 32} if quick else {})
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(content))
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    config = ModelConfig(name=None, path=str(folder), random_init=True, dtype=dtype)
    return locate(config, 0)


def example(index: int, length: int, chooser: np.random.Generator) -> Example:
    """A random example of so many tokens."""
    owner = [-1]
    word = 0
    while len(owner) < length - 1:
        size = min(int(chooser.choice([1, 1, 1, 2, 3])), length - 1 - len(owner))
        owner += [word] * size
        word += 1
    roles = np.where(chooser.random(length) < 0.1, 4, 0).astype(np.int8)
    roles[[0, -1]] = 1, 2
    heads = [int(chooser.integers(0, word + 1)) for _ in range(word)]
    spans = sorted(chooser.choice(word, min(word, 12), replace=False).tolist())
    return Example(
        index=index,
        document=f"document-{index}",
        sentence="",
        unit=index,
        fold=index % 5,
        batch=0,
        pieces=chooser.integers(1000, 30000, length).astype(np.int32),
        tokens=["x"] * length,
        types=np.zeros(length, np.int8),
        roles=roles,
        word_of_piece=np.array([*owner, -1], np.int32),
        words=[f"w{number % 7}" for number in range(word)],
        heads=[0 if head == number + 1 else head for number, head in enumerate(heads)],
        relations=[RELATIONS[int(chooser.integers(5))] for _ in range(word)],
        mentions=[
            Antecedent(at, at, at, str(n % 3), TYPES[n % 3], index, index % 5)
            for n, at in enumerate(spans)
        ],
    )


def planned(lengths: Sequence[int], tokens: int) -> list[Example]:
    """The examples of a shard, in batches."""
    chooser = np.random.default_rng(0)
    examples = [example(number, length, chooser) for number, length in enumerate(lengths)]
    return batched(examples, BatchConfig(tokens=tokens, cells=1 << 24))


def checked(
    folder: Path, device: torch.device, quick: bool
) -> tuple[list[str], dict[str, dict[str, float]]]:
    """What differs more than it may, and the largest differences of all tables."""
    chooser = np.random.default_rng(1)
    examples = planned(chooser.integers(8, 64 if quick else 120, 24).tolist(), 1024)
    cpu, gpu = torch.device("cpu"), device
    model = checkpoint(folder / "model", quick)
    runs = {
        (where, way): passed(folder / f"{where.type}-{way}", model, where, examples, way)
        for where in dict.fromkeys((cpu, gpu))
        for way in ("fused", "stored")
    }
    faults, found = [], {}
    for one, other, most in (
        ((cpu, "fused"), (cpu, "stored"), 0.0),
        ((gpu, "fused"), (gpu, "stored"), 1e-6),
        ((cpu, "stored"), (gpu, "stored"), 1e-5),
    ):
        label = f"{one[0].type} {one[1]}, {other[0].type} {other[1]}"
        exact = one[0] == other[0]
        found[label] = differences(runs[one].tables, runs[other].tables, exact)
        worst = max(found[label].values())
        faults += [f"{label}: tables differ by {worst:.1e}"] if worst > most else []
        print(f"{label}: largest difference of any table {worst:.1e}")
    for metric in PREDICTORS:
        unlike, far, count = decisions(runs[cpu, "stored"], runs[gpu, "stored"], metric, examples)
        print(
            f"{metric}: {unlike} of {count} decisions differ, {far} between weights not near ties"
        )
        faults += [f"{metric}: {far} decisions differ without a near tie"] if far else []
    return faults, found


@dataclass(frozen=True)
class Passed:
    """What a pass over the examples gave: tables, cases, and the folder of its attention."""

    tables: dict[str, pa.Table]
    cases: dict[str, pa.Table]
    folder: RunFolder


def passed(
    folder: Path, model: Checkpoint, device: torch.device, examples: list[Example], way: str
) -> Passed:
    """Fused: metrics from the model's attention; stored: from what was written of it."""
    run, encoder = RunFolder(folder), Encoder(model, str(device))
    shard = run.write_examples(0, examples)
    heads, metrics = (encoder.layers, encoder.heads), list(METRICS.values())
    if way == "fused":
        found = analyse(metrics, examples, EncodedMaps(encoder, examples))
    else:
        task = ExtractTask(run, *shard, heads, StoreConfig("float32"), "check")
        extract(lambda: nullcontext(encoder), task)
        found = analyse(metrics, examples, StoredMaps(run.attention(0), examples))
    tables: dict[str, pa.Table] = {}
    for metric, each in zip(metrics, found, strict=True):
        tables |= metric.tables(each.partial)
    cases = {m.name: f.cases for m, f in zip(metrics, found, strict=True) if f.cases is not None}
    return Passed(tables, cases, run)


def differences(
    ours: dict[str, pa.Table], theirs: dict[str, pa.Table], exact: bool
) -> dict[str, float]:
    """The largest difference of the numbers of each table.

    Between devices only of what is no count of decisions: those are looked at one by one.
    """
    found = {}
    for name, table in ours.items():
        if exact or not name.startswith(PREDICTORS):
            columns = [c for c in table.column_names if pa.types.is_floating(table[c].type)]
            columns += [c for c in ("correct", "total") if c in table.column_names]
            pairs = [(_numbers(table[c]), _numbers(theirs[name][c])) for c in columns]
            found[name] = max(_difference(a, b) for a, b in pairs)
    return found


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference of two columns, infinite where only one has a number."""
    if (np.isnan(ours) != np.isnan(theirs)).any():
        return float("inf")
    return float(np.nanmax(np.abs(ours - theirs), initial=0))


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    return np.array([np.nan if v is None else float(v) for v in column.to_pylist()])


def decisions(
    ours: Passed, theirs: Passed, metric: str, examples: list[Example]
) -> tuple[int, int, int]:
    """How many decisions differ, how many of them between weights that are no near ties, of all."""
    one, other = ours.cases[metric], theirs.cases[metric]
    bits = [np.array([list(each) for each in t[RIGHT].to_pylist()], np.uint8) for t in (one, other)]
    unlike = np.unpackbits(bits[0] ^ bits[1], axis=1, bitorder="little").astype(bool)
    place = {example.index: position for position, example in enumerate(examples)}
    reader, far = ours.folder.attention(0), 0
    layers, heads = reader.heads
    directions = 2 if metric == "syntax" else 1
    for case, candidate in np.argwhere(unlike):
        row = one.slice(int(case), 1).to_pylist()[0]
        position = place[row["example"]]
        layer, rest = divmod(int(candidate), heads * directions)
        head, direction = divmod(rest, directions)
        weights = reader.read(position, layer, head).astype(np.float64)
        far += _gap(examples[position], weights, row, direction, metric) > NEAR
    return int(unlike.sum()), far, len(one) * layers * heads * directions


def _gap(
    example: Example, weights: np.ndarray, row: dict[str, Any], direction: int, metric: str
) -> float:
    """How far the most attended word is above what is right, or above the next one."""
    owner, count = [example.word_of_piece], len(example.words)
    maps = torch.from_numpy(weights)[None]
    between = from_words(to_words(maps, owner, count), owner, count, "mean")[0].numpy()
    word = row["word"]
    values = between[:, word] if direction else between[word]
    if metric == "syntax":
        among, right = [x for x in range(count) if x != word], [row["head_word"]]
    else:
        span = (row["start"], row["end"])
        earlier = {m.head for m in example.mentions if (m.start, m.end) < span}
        among, right = sorted(earlier - {word}), row["antecedents"]
    wrong = [values[x] for x in among if x not in right]
    return float(abs(max(values[x] for x in right) - max(wrong))) if wrong else 0.0


def shapes(quick: bool, device: torch.device) -> list[tuple[int, int, int, str, bool]]:
    """Length, examples of a shard, tokens of a batch, number type, whether the model is small."""
    if quick:
        return [(32, 32, 512, "float32", True)]
    types = ("float32", "bfloat16") if device.type == "cuda" else ("float32",)
    tokens = 32768 if device.type == "cuda" else 1024
    return [(n, 2 * tokens // n, tokens, dtype, False) for dtype in types for n in (128, 512)]


def timed(
    folder: Path,
    device: torch.device,
    length: int,
    size: int,
    tokens: int,
    dtype: str,
    quick: bool,
) -> dict[str, Any]:
    """Examples a second of the bare model and of every pass, over the same shards.

    As in an actor, two shards are under way at a time: while one has the model, the other is read,
    or what was found in it is counted and written.
    """
    model = checkpoint(folder / "model", quick, dtype)
    encoder = Encoder(model, str(device))
    run = RunFolder(folder / f"timed-{length}-{dtype}")
    examples = planned([length] * size, tokens)
    written = [run.write_examples(shard, examples) for shard in range(SHARDS)]
    eager = AutoModel.from_config(
        AutoConfig.from_pretrained(folder / "model"), attn_implementation="eager"
    )
    eager = eager.to(device).eval()

    def bare() -> None:
        autocast = torch.autocast(device.type, torch.bfloat16, enabled=dtype == "bfloat16")
        with torch.inference_mode(), autocast:
            for first in [*range(0, size, tokens // length)] * SHARDS:
                rows = [e.pieces for e in examples[first : first + tokens // length]]
                ids = torch.from_numpy(np.stack(rows).astype(np.int64)).to(device)
                eager(input_ids=ids, attention_mask=torch.ones_like(ids))

    turn = Lock()

    @contextmanager
    def having_the_model() -> Iterator[Encoder]:
        with turn:
            yield encoder

    def passing(store: StoreConfig | None, *names: str, shards: int = SHARDS) -> None:
        metrics, heads = tuple(METRICS[name] for name in names), (encoder.layers, encoder.heads)
        marks = ("check",) * len(metrics)
        tasks = [
            ExtractTask(run, *shard, heads, store, "check", metrics, marks)
            for shard in written[:shards]
        ]
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(partial(extract, having_the_model), tasks))

    passes: dict[str, Callable[[], None]] = {
        "bare": bare,
        "tap alone": partial(passing, None),
        "fused, usual metrics": partial(passing, None, *USUAL),
        **{f"fused, {name} alone": partial(passing, None, name) for name in USUAL},
    }
    count = size * SHARDS
    rates = {name: count / each for name, each in alternated(passes, device, 3).items()}
    stored = partial(passing, StoreConfig("log16"), shards=1)
    rates["stored, log16"] = size / alternated({"": stored}, device, 1)[""]
    few = examples[: 8192 // length]

    def diverging() -> None:
        analyse([METRICS["divergence"]], few, EncodedMaps(encoder, few))

    rates["divergence"] = len(few) / alternated({"": diverging}, device, 1)[""]
    print(f"\nlength {length}, {SHARDS} shards of {size}, {tokens} tokens a batch, {dtype}")
    for name, rate in rates.items():
        print(f"  {name:24} {rate:9.1f} examples/s  {rate / rates['bare']:5.2f} of bare")
    sys.stdout.flush()
    if device.type == "cuda":
        profiled(passes["fused, usual metrics"])
    return {"length": length, "dtype": dtype, "tokens": tokens, "examples_a_second": rates}


def alternated(
    passes: dict[str, Callable[[], None]], device: torch.device, rounds: int
) -> dict[str, float]:
    """The median seconds of each pass, all of them in turn, after a first round."""
    seconds: dict[str, list[float]] = {name: [] for name in passes}
    for number in range(rounds + 1):
        for name, each in passes.items():
            start = time.perf_counter()
            each()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in seconds.items()}


def profiled(run: Callable[[], None]) -> None:
    """Print where the time of a pass goes on the GPU."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as profiler:
        run()
        torch.cuda.synchronize()
    table = profiler.key_averages()
    kernels = sorted(table, key=lambda each: -each.self_device_time_total)[:14]
    whole = sum(each.self_device_time_total for each in table)
    for each in kernels:
        share = each.self_device_time_total / whole
        print(f"    {share:6.1%} {each.self_device_time_total / 1e3:9.2f} ms  {each.key[:88]}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
