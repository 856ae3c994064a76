"""What holds of every executor: the same bits, and where one thing fails the rest goes on."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file, save_file

from attnray.config import ExecutorConfig
from attnray.corpus.files.checksums import contents_sha256
from attnray.errors import InputError
from attnray.executors.work import make_executor
from tests.builders.jobs import SMALL, findings, markers, refusal, succeed, tables


class ExecutorTests:
    """The tests of an executor, which a class of its own test file inherits."""

    executor: str

    def test_the_tables_and_the_page_are_the_same_bits(
        self, undisturbed: Path, tiny_settings: tuple[str, ...], tmp_path: Path
    ) -> None:
        check_same_bits(undisturbed, tmp_path / "run", self.executor, *tiny_settings)

    def test_a_shard_that_cannot_be_read_is_named_and_the_rest_goes_on(
        self, undisturbed: Path, tiny_settings: tuple[str, ...], tmp_path: Path
    ) -> None:
        run_dir = f"run_dir={tmp_path / 'run'}"
        succeed("plan", run_dir, self.executor, *tiny_settings)
        broken = tmp_path / "run" / "shards" / "00003.parquet"
        whole = broken.read_bytes()
        broken.write_bytes(whole[:100])
        for stage in ("extract", "analyse"):
            assert "00003" in refusal(stage, run_dir, status=1)
        assert not broken.exists(), "of a file that is not there a start finds out at once"
        assert len(markers(tmp_path / "run", "extract")) == len(markers(undisturbed, "extract")) - 1
        succeed("run", run_dir, self.executor, *tiny_settings)
        assert broken.read_bytes() == whole
        assert tables(tmp_path / "run") == tables(undisturbed)

    def test_an_example_that_fails_in_the_model_sets_its_shard_aside_and_the_rest_is_whole(
        self, undisturbed: Path, tiny_model: Path, tmp_path: Path
    ) -> None:
        shard, piece = of_one_shard(undisturbed)
        sick = Path(shutil.copytree(tiny_model, tmp_path / "sick"))
        weights = load_file(sick / "model.safetensors")
        (name,) = [name for name in weights if name.endswith("word_embeddings.weight")]
        weights[name][piece] = 3e38  # its scores overflow
        save_file(weights, sick / "model.safetensors", metadata={"format": "pt"})
        settings = (f"model.path={sick}", f"run_dir={tmp_path / 'run'}", *SMALL)
        line = refusal("run", self.executor, *settings, status=1)
        assert f"shard {shard:05} (extract)" in line
        assert " 1 tasks failed" in line
        whole = attention(undisturbed)
        del whole[f"{shard:05}.zarr"]
        assert attention(tmp_path / "run") == whole
        for stage in ("syntax", "coreference", "extract"):
            lacking = markers(undisturbed, stage).keys() - markers(tmp_path / "run", stage).keys()
            assert lacking <= {f"{shard:05}.json"}
        assert not (tmp_path / "run" / "tables").exists()

    def test_attention_found_damaged_is_extracted_again(
        self, copied: Path, undisturbed: Path, tiny_settings: tuple[str, ...]
    ) -> None:
        for name in ("00002.zarr/offsets/c/0", "00004.zarr/weights/zarr.json"):
            path = copied / "attention" / name
            path.write_bytes(path.read_bytes()[:-1] + b" ")
        shutil.rmtree(copied / "partials" / "syntax")
        before = markers(copied, "extract")
        succeed("run", f"run_dir={copied}", self.executor, *tiny_settings)
        assert tables(copied) == tables(undisturbed)
        after = markers(copied, "extract")
        again = {"00002.json", "00004.json"}
        assert {name for name, time in after.items() if before[name] != time} == again

    def test_results_come_in_the_order_of_items_and_the_first_error_ends_them(
        self, tmp_path: Path
    ) -> None:
        paths = [str(tmp_path / str(number)) for number in range(12)]
        for path in paths:
            Path(path).write_text(path)
        name = self.executor.partition("=")[2]
        executor = make_executor(ExecutorConfig(name))
        assert list(executor.spread(contents_sha256, paths)) == list(map(contents_sha256, paths))
        for missing in paths[3:8]:
            Path(missing).unlink()
        found = iter(executor.spread(contents_sha256, paths))
        assert next(found) == contents_sha256(paths[0])
        with pytest.raises(InputError) as caught:
            list(found)
        assert str(caught.value).startswith(f"{paths[3]}: No such file")


def of_one_shard(run_dir: Path) -> tuple[int, int]:
    """A shard, and a word piece that no other shard has."""
    shards = defaultdict(set)
    for path in (run_dir / "shards").iterdir():
        pieces = pq.read_table(path, columns=["pieces"])["pieces"].combine_chunks().flatten()
        for piece in pieces.to_pylist():
            shards[piece].add(int(path.stem))
    piece = min(piece for piece, among in shards.items() if len(among) == 1)
    return shards[piece].pop(), piece


def attention(run_dir: Path) -> dict[str, dict[str, bytes]]:
    """The files of the attention of each shard."""
    return {
        each.name: {
            str(path.relative_to(each)): path.read_bytes()
            for path in each.rglob("*")
            if path.is_file()
        }
        for each in (run_dir / "attention").iterdir()
        if not each.name.startswith(".")
    }


def check_same_bits(undisturbed: Path, run_dir: Path, *overrides: str) -> None:
    """Do the run of these settings, and compare its tables and its page."""
    printed = succeed("run", f"run_dir={run_dir}", *overrides)
    assert tables(run_dir) == tables(undisturbed)
    assert findings(run_dir) == findings(undisturbed)
    assert "report.html" in printed
    assert "best head of each type of mention" in printed
