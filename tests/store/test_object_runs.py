"""Runs at an address: made, read, verified and compared as those in a local folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import attnray
from attnray.errors import InputError
from attnray.explore.asked import Asked
from attnray.explore.page import page
from attnray.store.media import bucket
from attnray.store.media.objects import ObjectMedium
from attnray.store.places import matching, run_folder
from tests.builders.explored import opened
from tests.builders.faulty import Faulty
from tests.builders.jobs import SMALL, refusal, succeed, tables
from tests.builders.object_store import check_same


@pytest.fixture(scope="module")
def address(few_settings: tuple[str, ...], variables: dict[str, str]) -> str:
    """The address of a run."""
    address = "s3://bucket/runs/whole"
    succeed("run", "executor=serial", f"run_dir={address}", *few_settings, variables=variables)
    return address


def test_every_file_is_that_of_a_local_run(address: str, few: Path) -> None:
    check_same(address, few)


def test_it_is_explored_as_a_local_one_is(address: str, few: Path) -> None:
    run, local = attnray.open(f"{address}/"), attnray.open(str(few))
    assert len(run) == len(local)
    assert run[3].words == local[3].words
    assert np.array_equal(run[3].attention(), local[3].attention())
    assert run.table("syntax").equals(local.table("syntax"))
    cases, same = (each.cases("syntax", layer=1, head=2, right=False) for each in (run, local))
    assert cases.equals(same)
    asked, pages = Asked.of_query({"group": "obj", "case": "1.3"}), []
    for each in (address, few):
        found = opened(each)
        pages.append(page([found], asked, whole=False).replace(str(found.folder), ""))
    assert 'id="sentence-1"' in pages[0]
    assert pages[0] == pages[1]
    assert [*run.map(lambda each: each.attention(1, 1).sum(), 2)] == [
        each.attention(1, 1).sum() for each in local
    ]
    assert repr(run.errors("obj")) == repr(local.errors("obj"))
    assert [*run.tables] == [*local.tables]
    assert run.report == f"{address}/report.html"


def test_stages_work_on_it(address: str, variables: dict[str, str]) -> None:
    folder = ObjectMedium(address)
    page, done = folder.read("report.html"), folder.sizes("done").keys()
    told = succeed("report", f"run_dir={address}", "examples=[3]", variables=variables)
    assert f"report:  {address}/report.html" in told
    assert folder.read("report.html") != page
    assert folder.sizes("done").keys() == done


def test_it_is_verified_and_repaired(address: str, variables: dict[str, str]) -> None:
    folder = ObjectMedium(address)
    name, *_ = folder.sizes("partials/syntax")
    whole = folder.read(name)
    folder.write(name, whole[:-1])
    assert f"{address}/{name} (damaged" in refusal("verify", address, status=1, variables=variables)
    assert f"{address}: whole" in succeed("verify", "--repair", address, variables=variables)
    assert folder.read(name) == whole


def test_runs_are_compared_wherever_they_are(
    address: str, few: Path, variables: dict[str, str]
) -> None:
    target = f"{address}-compared"
    runs = f"runs=[{address[:-1]}*,{few}]"
    told = succeed("compare", runs, f"run_dir={target}", variables=variables)
    assert f"report:  {target}/report.html" in told
    found = ObjectMedium(target).sizes("")
    assert {"report.html", "comparison.json", "tables/syntax_best.parquet"} <= found.keys()


def test_a_sweep_with_controls_lies_below_an_address(
    tiny_model: Path, variables: dict[str, str]
) -> None:
    sweep = "s3://bucket/sweeps/one"
    small = (f"model.path={tiny_model}", "corpus.limit=3", "metrics=[patterns]", *SMALL)
    settings = ("executor=serial", f"run_dir={sweep}", "seed=1,2", "controls=random", *small)
    succeed("run", "-m", *settings, variables=variables)
    members = matching(f"{sweep}/runs/*")
    assert len(members) == 2
    for member in map(str, members):
        assert ObjectMedium(member).size("tables/patterns.parquet")
        assert ObjectMedium(f"{member}/controls/random").size("manifest.json")
    assert ObjectMedium(sweep).size("report.html")


def test_a_run_on_ray_is_that_of_one_process(
    few_settings: tuple[str, ...], few: Path, variables: dict[str, str]
) -> None:
    run = ObjectMedium("gs://bucket/runs/ray")
    succeed("run", "executor=ray", f"run_dir={run.root}", *few_settings, variables=variables)
    names = [name for name in run.sizes("tables") if name.endswith(".parquet")]
    assert {name.rpartition("/")[2]: run.read(name) for name in names} == tables(few)


def test_a_store_that_never_answers_ends_a_run(
    few_settings: tuple[str, ...], variables: dict[str, str], way: Faulty
) -> None:
    way.share, way.faults = 1.0, ("busy",)
    told = refusal(
        "run",
        "executor=serial",
        "run_dir=s3://bucket/runs/never",
        *few_settings,
        status=1,
        variables=variables | {bucket.PATIENCE: "1"},
    )
    way.share = 0.0
    assert "s3://bucket/runs/never" in told
    assert "the store cannot be reached" in told


@pytest.mark.parametrize(
    "run_dir",
    [
        "s3://bucket",
        "s3://user:password@bucket/run",
        "s3://bucket/run?X-Amz-Signature=secret",
        "ftp://bucket/run",
        "s3://bucket//run",
    ],
)
def test_what_is_no_address_of_a_run_folder_is_refused(run_dir: str) -> None:
    with pytest.raises(InputError, match="give a folder, or s3://BUCKET/FOLDER") as error:
        run_folder(run_dir)
    assert "secret" not in str(error.value)
    assert "password" not in str(error.value)
