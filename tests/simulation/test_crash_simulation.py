"""A few worlds of crashing desks on each run; `scripts/crash_simulation.py` plays as many as wanted."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from tests.simulation.world import play

pytestmark = pytest.mark.jit_only

SEEDS = int(os.environ.get("CRASH_SEEDS", "20"))
EVENTS = 700
MUST_MEET = (
    "came back by a snapshot",
    "came back by facts",
    "came back from a torn tail",
    "came back with unacknowledged inputs",
    "cut in the middle of a write",
    "the disk refused",
    "fills",
    "equal to one life",
)


def test_nothing_acknowledged_is_lost_and_every_return_agrees_with_the_log() -> None:
    seen: Counter[str] = Counter()
    for seed in range(1, SEEDS + 1):
        try:
            seen += play(seed, EVENTS)
        except BaseException:
            print(f"seed {seed}; again: scripts/crash_simulation.py --start {seed} --seeds 1 --events {EVENTS}")
            raise
    assert [what for what in MUST_MEET if seen[what] == 0] == [], "the seeds never met these"
