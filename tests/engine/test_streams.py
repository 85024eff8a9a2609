"""Some random streams through the core and the naive desk, small enough to run with the compiler switched off.

The many streams are those of `scripts/oracle.py`; these few make every branch of the core run, with overflow raising.
"""

from __future__ import annotations

import pytest
from tests.engine.material import seeds
from tests.oracle.compare import run_stream


@pytest.mark.parametrize("seed", seeds(1, 80, 16))
def test_core_and_naive_desk_agree(seed: int) -> None:
    run = run_stream(seed, 100)
    assert not run.complaint, f"seed {seed}, input {len(run.inputs)} {run.inputs[-1]}: {run.complaint}"
