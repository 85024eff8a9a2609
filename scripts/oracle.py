#!/usr/bin/env python3
"""Random streams through the core and the naive desk of `tests/oracle`: they must agree to the last unit.

    python scripts/oracle.py --streams 20000 --seed 1

Prints progress, then figures: streams, inputs, what was reached. At the first disagreement it prints the seed, the
shortest list of inputs found that still shows it, and ends with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.oracle.compare import replayed, run_stream, shrunk  # noqa: E402  (the checkout must be on the path first)


def main() -> int:
    """Runs the streams; 0 if both desks agreed on all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1000, help="how many streams (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first stream (default 1)")
    parser.add_argument("--inputs", type=int, default=150, help="inputs of a stream after its opening (default 150)")
    parser.add_argument("--quiet", action="store_true", help="no list of what was reached")
    options = parser.parse_args()
    seen: Counter[str] = Counter()
    inputs, began = 0, time.monotonic()
    for done in range(options.streams):
        run = run_stream(options.seed + done, options.inputs)
        inputs += len(run.inputs)
        seen.update(run.seen)
        if run.complaint:
            return report(run.seed, run.complaint, run.inputs)
        if (done + 1) % 500 == 0:
            rate = inputs / (time.monotonic() - began)
            print(f"{done + 1} streams, {inputs} inputs agree, {rate:,.0f} inputs/s", flush=True)
    if not options.quiet:
        for name, count in sorted(seen.items()):
            print(f"{count:>10}  {name}")
    seconds = time.monotonic() - began
    outputs = sum(count for name, count in seen.items() if name.startswith("output "))
    seeds = f"seeds {options.seed} to {options.seed + options.streams - 1}"
    print(f"{options.streams} streams ({seeds}), {inputs} inputs, {outputs} outputs: all agree, {seconds:.0f} s")
    return 0


def report(seed: int, complaint: str, inputs: list[dict[str, object]]) -> int:
    """Says what the desks disagree about, and shows the shortest way there."""
    print(f"seed {seed}, input {len(inputs)} {inputs[-1]}\n  {complaint}\nshrinking ...", flush=True)
    fewer = shrunk(inputs)
    print(f"{len(fewer)} inputs still disagree: {replayed(fewer)}")
    for given in fewer:
        print(f"    {given},")
    return 1


if __name__ == "__main__":
    sys.exit(main())
