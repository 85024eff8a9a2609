"""One browser for the journeys of a file; they are skipped, visibly, where there is none, or no built page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.e2e import browser as tool


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Until the file's last journey: while it is open, this thread can run no event loop of its own."""
    if lacking := tool.missing():
        pytest.skip(lacking)
    with tool.chromium() as opened:
        yield opened


@pytest.fixture(params=list(tool.SIZES))
def size(request: pytest.FixtureRequest) -> str:
    """On a desk, and on a phone."""
    return str(request.param)
