"""What several test rooms share: the way to recorded data that is too large for the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
"""The checkout."""

SHARED_DATA = REPO.parent / "shared" / "data"
"""Recorded markets, beside the checkout where they are present; never copied into it."""


def shared_data(name: str) -> Path:
    """The recording `name`, such as `l2/binance_BTCUSDT.jsonl.zst`; skips the test, visibly, where it is not present.

    A recording that is missing while the folder is there is a misspelling, and fails.
    """
    if not SHARED_DATA.is_dir():
        pytest.skip(f"recorded data is not present beside the checkout: ../shared/data/{name}")
    path = SHARED_DATA / name
    assert path.exists(), f"no recording ../shared/data/{name}"
    return path
