#!/usr/bin/env python3
"""Desks that crash, by seed: nothing acknowledged is lost or changed, no fill is doubled, the books balance, a re-fold agrees.

    python scripts/crash_simulation.py --seeds 2000 --events 2000

Each seed is a world with a disk that drops unsynced bytes, tears writes, fails to sync and runs full, in which desks die
at random instants, in the middle of commits, snapshots and recoveries too. At the first broken law it prints the seed
and ends with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from rich.progress import track

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.simulation.world import play  # noqa: E402  (the checkout must be on the path first)


def main() -> int:
    """Plays the worlds; 0 if every law held in all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100, help="how many worlds (default 100)")
    parser.add_argument("--events", type=int, default=2000, help="market inputs and commands a world (default 2000)")
    parser.add_argument("--start", type=int, default=1, help="seed of the first world (default 1)")
    parser.add_argument("--keep-going", action="store_true", help="play on after a failure, and count them")
    options = parser.parse_args()
    seen: Counter[str] = Counter()
    failed: list[int] = []
    began = time.monotonic()
    for seed in track(range(options.start, options.start + options.seeds), "worlds", disable=not sys.stdout.isatty()):
        try:
            seen.update(play(seed, options.events))
        except Exception:
            traceback.print_exc()
            print(
                f"seed {seed} failed; again: {sys.argv[0]} --start {seed} --seeds 1 --events {options.events}",
                flush=True,
            )
            failed.append(seed)
            if not options.keep_going:
                return 1
    for name, count in sorted(seen.items()):
        print(f"{count:>12,}  {name}")
    seconds = time.monotonic() - began
    print(f"{options.seeds - len(failed)} of {options.seeds} worlds of {options.events} events held, {seconds:.0f} s")
    if failed:
        print(f"failed: {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
