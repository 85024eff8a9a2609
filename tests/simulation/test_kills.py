"""Two kills of a real desk on each run; `scripts/kill_runs.py` kills as often as wanted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.simulation.kills import KillFailed, Kills, check_acknowledged, check_run, finished, killed_run, run_to_end

from paperdesk.store.disk import RealDisk

pytestmark = [pytest.mark.jit_only, pytest.mark.slow]

KILLS = int(os.environ.get("DESK_KILLS", "2"))
EVENTS = 60_000


def test_a_killed_desk_keeps_its_promises_and_ends_where_one_never_killed_does(tmp_path: Path) -> None:
    seed = 3
    reference, starting_s = run_to_end(tmp_path / "never-killed", seed, EVENTS)
    told, result = killed_run(tmp_path / "killed", seed, EVENTS, KILLS, starting_s)
    try:
        check_run(tmp_path / "killed", told, result, reference, apart=False)
        assert finished(tmp_path / "killed") == result, "a kill that came too late would be told the same"
        assert told.kills >= 1 and told.fills > 0 and told.acknowledgements
        disk = RealDisk(tmp_path / "killed" / "runs" / result["run"], create=False)
        seq, count, orders = told.acknowledgements[-1].split(" ")
        for wrong in (
            f"{int(seq) + 1} {count} {orders}",
            f"{seq} {int(count) + 1} {orders}",
            f"{seq} {count} {orders}999",
        ):
            with pytest.raises(KillFailed, match="acknowledged"):  # the check itself sees a broken promise
                check_acknowledged(disk, Kills(seed, acknowledgements=[wrong]))
    except BaseException:
        print(f"seed {seed}: {told}")
        raise
