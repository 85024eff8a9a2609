"""How every test runs: the same on each machine, in each order, whatever the caller's environment holds."""

from __future__ import annotations

import os

import hypothesis
import numpy as np
import pytest

JIT_DISABLED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")

hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")

# Settings of a desk that happens to run on this machine are not the tests' business.
for _name in [
    name for name in os.environ if name.startswith("PAPERDESK_") or name in ("PAPER_TRADING_MODE", "ALLOW_REAL_TRADES")
]:
    del os.environ[_name]

if JIT_DISABLED:
    np.seterr(over="raise")  # kernels run as plain Python: an integer that would wrap raises instead


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips, visibly, what needs compiled kernels where the JIT is disabled."""
    if JIT_DISABLED:
        skip = pytest.mark.skip(reason="needs compiled kernels; the JIT is disabled in this run")
        for item in items:
            if item.get_closest_marker("jit_only"):
                item.add_marker(skip)
