"""The way to an object store, on which tests put obstacles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attnray.store.media import bucket
from tests.builders.faulty import Faulty, faulty
from tests.builders.object_store import gs_environment, s3_environment


@pytest.fixture(scope="module")
def way(object_store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """A way to the store, which clients of this process go."""
    with faulty(object_store) as way, pytest.MonkeyPatch.context() as patch:
        variables = s3_environment(way.address)
        variables |= gs_environment(way.address, tmp_path_factory.mktemp("gs"))
        for name, value in variables.items():
            patch.setenv(name, value)
        bucket._store.cache_clear()
        yield way
