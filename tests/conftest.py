"""What the tests share: the corpora, a tiny model with a tokenizer of its own, a run of it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.builders.browser import opened, running
from tests.builders.jobs import SMALL, succeed
from tests.builders.once import Once
from tests.builders.tiny_model import make_tiny_model

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.builders.faulty import Faulty

# Tests side by side would wait for each other's threads; torch reads this as it is imported.
os.environ["OMP_NUM_THREADS"] = "1"
# Jobs leave alone what the shell that started the tests, or nohup, has them ignore, as they should.
# What this process handles itself is by default again in those that it starts.
for number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)
# On a busy machine anything may take long; CI, where CI is set, tries the same cases each time.
settings.register_profile(
    "attnray",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("attnray")

#: Whoever takes something of these runs jobs.
RUN_JOBS = (
    "tests.builders.executor_tests",
    "tests.builders.jobs",
    "tests.builders.shared_runs",
    "tests.builders.trial",
)
#: The files that take minutes each.
LONGEST = ("test_compact_store.py", "test_ray.py", "test_shown.py", "test_submit.py")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real corpora that ATTNRAY_SHARED names; skips where it is not set."""
    folder = os.environ.get("ATTNRAY_SHARED")
    if not folder:
        pytest.skip("run with ATTNRAY_SHARED=DIR, where DIR/corpora has ewt, gum and gap")
    return Path(folder) / "corpora"


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Makes folders once, where several workers run the tests as well."""
    own = tmp_path_factory.getbasetemp()
    return Once((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "once")


@pytest.fixture(scope="session")
def tiny_model(once: Once) -> Path:
    """A checkpoint folder: a random BERT of 2 layers x 3 heads that splits most words."""
    return once("model", lambda parent: make_tiny_model(parent / "tiny")) / "tiny"


@pytest.fixture(scope="session")
def tiny_roberta(once: Once) -> Path:
    """A checkpoint folder of another family."""
    from tests.builders.families import tiny_checkpoint

    made = once("roberta", lambda parent: tiny_checkpoint("roberta", parent / "tiny-roberta"))
    return made / "tiny-roberta"


@pytest.fixture(scope="session")
def tiny_settings(tiny_model: Path) -> tuple[str, ...]:
    """The settings of runs of the tiny model over the sample."""
    return (f"model.path={tiny_model}", *SMALL)


@pytest.fixture(scope="session")
def undisturbed(tiny_settings: tuple[str, ...], once: Once) -> Path:
    """A serial run of the tiny model that nothing happened to, by a process from scratch."""

    def make(folder: Path) -> None:
        run = ("executor=serial", f"run_dir={folder / 'run'}", *tiny_settings)
        succeed("run", *run, scratch=True)

    return once("undisturbed", make) / "run"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser without a window, for all tests of a file; skips on a machine without one."""
    with running() as started:
        yield started


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """An empty page in a browser, 1280 x 800; what the browser complains of fails the test."""
    with opened(chromium) as page:
        yield page


@pytest.fixture(scope="session")
def few_settings(tiny_settings: tuple[str, ...]) -> tuple[str, ...]:
    """The settings of runs over the first documents, for what takes many requests."""
    return (*tiny_settings, "corpus.limit=8")


@pytest.fixture(scope="session")
def few(few_settings: tuple[str, ...], once: Once) -> Path:
    """A serial run over the first documents that nothing happened to."""

    def make(folder: Path) -> None:
        succeed("run", "executor=serial", f"run_dir={folder / 'run'}", *few_settings)

    return once("few", make) / "run"


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of an object store on this machine, with a bucket that is called `bucket`."""
    from tests.builders.object_store import make_bucket, running_store

    with running_store() as address:
        make_bucket(address, "bucket")
        yield address


@pytest.fixture(scope="module")
def way(object_store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """A way to the object store, on which tests put obstacles: the one that this process goes."""
    from attnray.store.media import bucket
    from tests.builders.faulty import faulty
    from tests.builders.object_store import gs_environment, s3_environment

    with faulty(object_store) as way, pytest.MonkeyPatch.context() as patch:
        variables = s3_environment(way.address)
        variables |= gs_environment(way.address, tmp_path_factory.mktemp("gs"))
        for name, value in variables.items():
            patch.setenv(name, value)
        bucket._store.cache_clear()
        yield way


@pytest.fixture(scope="module")
def variables(way: Faulty) -> dict[str, str]:
    """What jobs need to go this way, with as much patience as a busy machine needs."""
    names = ("AWS_", "GOOGLE_")
    told = {name: value for name, value in os.environ.items() if name.startswith(names)}
    return {**told, "ATTNRAY_STORE_PATIENCE": "40"}


@pytest.fixture
def copied(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of the undisturbed run, times of files included."""
    return Path(shutil.copytree(undisturbed, tmp_path / "copied"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs jobs is slow; what takes longest comes first, so that no worker ends long after."""
    for item in items:
        used = vars(item.getparent(pytest.Module).obj).values()  # type: ignore[union-attr]
        if any(getattr(each, "__module__", None) in RUN_JOBS for each in used):
            item.add_marker("slow")
    items.sort(key=lambda item: (item.path.name not in LONGEST, "slow" not in item.keywords))
