#!/usr/bin/env python3
"""Real desks, killed with SIGKILL at random instants and started again: nothing acknowledged is lost, no fill is doubled.

    python scripts/kill_runs.py --kills 200

Starts `paperdesk up` as a process, reads its acknowledgements from a pipe, kills it, starts the same command again, and in
the end compares log, database and result with a run that was never killed. Every fifth run is long enough for
snapshots. Ends with exit code 1, and the run's seed, at the first broken promise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.simulation.kills import KillFailed, Kills, check_run, killed_run, run_to_end  # noqa: E402

LONG_EVERY = 5
LONG = 3
"""A long run has so many times the events."""


def main() -> int:
    """Kills desks until there were enough kills; 0 if every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="how many kills in all (default 20)")
    parser.add_argument("--per-run", type=int, default=20, help="kills of one run before it may finish (default 20)")
    parser.add_argument("--events", type=int, default=250_000, help="market events of a run (default 250000)")
    parser.add_argument("--start", type=int, default=1, help="seed of the first run (default 1)")
    options = parser.parse_args()
    console, seed, began = Console(), options.start, time.monotonic()
    done: list[Kills] = []
    while sum(told.kills for told in done) < options.kills:
        left = options.kills - sum(told.kills for told in done)
        events = options.events * (LONG if seed % LONG_EVERY == 0 else 1)
        with tempfile.TemporaryDirectory(prefix="paperdesk-kills-") as folder:
            try:
                reference, starting_s = run_to_end(Path(folder) / "never-killed", seed, events)
                most = min(left, options.per_run)
                told, result = killed_run(Path(folder) / "killed", seed, events, most, starting_s)
                check_run(Path(folder) / "killed", told, result, reference)
            except KillFailed as failure:
                print(
                    f"seed {seed}: {failure}\nagain: {sys.argv[0]} --start {seed} --kills {options.per_run} --events {options.events}"
                )
                return 1
        done.append(told)
        console.print(
            f"run of seed {seed}: {told.kills} kills, {len(told.acknowledgements)} acknowledgements, all kept, {told.seconds:.0f} s"
        )
        seed += 1
    show(console, done, time.monotonic() - began)
    return 0


def show(console: Console, done: list[Kills], seconds: float) -> None:
    """The table at the end."""
    table = Table(
        title=f"{sum(told.kills for told in done)} kills in {len(done)} runs, {seconds:.0f} s: every promise kept"
    )
    names = (
        "seed",
        "kills",
        "before the first ack",
        "acks",
        "recoveries",
        "torn tails",
        "from a snapshot",
        "inputs",
        "fills",
        "seconds",
    )
    for name in names:
        table.add_column(name, justify="right")
    for told in done:
        counts = (
            told.seed,
            told.kills,
            told.while_starting,
            len(told.acknowledgements),
            told.recoveries,
            told.torn_tails,
        )
        table.add_row(*map(str, (*counts, told.from_snapshot, told.inputs, told.fills, round(told.seconds))))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
