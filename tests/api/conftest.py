"""One recorded run for all tests of the api, and one desk for those of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.api.desk import Desk, Recorded, recorded, running


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A finished run of the simulated market."""
    return recorded(tmp_path_factory.mktemp("api") / "home")


@pytest.fixture(scope="module")
def desk(run: Recorded) -> Iterator[Desk]:
    """Behind its wall, with an engine that is none."""
    with running(run) as started:
        yield started


@pytest.fixture
def own(run: Recorded) -> Iterator[Desk]:
    """One for a test that breaks it."""
    with running(run) as started:
        yield started
