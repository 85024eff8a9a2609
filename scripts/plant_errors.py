#!/usr/bin/env python3
"""Plants one error at a time in a copy of the core and shows which test catches it.

    python scripts/plant_errors.py                 # all of them
    python scripts/plant_errors.py fee rounding    # some areas

Each error is a small change of text that a tired person could make. It is written into a temporary copy of the
checkout, never into the checkout itself; the tests of the core then run there with the JIT disabled, and stop at the
first that fails. The oracle's random streams are tried too, where they can see the error at all.

Exit code: 0 if every error was caught by a test, 1 if one was not, 2 if an error no longer fits the text it is planted
in, or the tests fail without one.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from planted import PLANTS, Plant

ROOT = Path(__file__).resolve().parent.parent
SLOW = "--ignore=tests/engine/test_oracle.py"
LIMIT_S = 900
ORACLE = """
import sys
sys.path[:0] = ["src", "."]
from tests.oracle.compare import run_stream
for seed in range(1, int(sys.argv[1]) + 1):
    run = run_stream(seed, 100)
    if run.complaint:
        print(f"seed {seed}, input {len(run.inputs)}")
        break
"""


def copy_of_checkout(folder: Path) -> None:
    """What the tests need, in a folder of its own."""
    for name in ("src", "tests", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in the copy, interpreted kernels, bounded in time."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PYTHONPATH"] = os.pathsep.join((str(folder / "src"), str(folder)))
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def first_failure(folder: Path, tests: tuple[str, ...]) -> str:
    """The first test that fails in the copy, or nothing."""
    try:
        found = run(folder, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", SLOW, *tests)
    except subprocess.TimeoutExpired:
        return f"(they do not end within {LIMIT_S} s)"
    if found.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", found.stdout, re.MULTILINE)
    if failed is None:
        raise RuntimeError(f"pytest did not run: {found.stdout[-2000:]}{found.stderr[-2000:]}")
    return failed[1].removeprefix("tests/")


def seen_by_oracle(folder: Path, streams: int) -> str:
    """Where the oracle's streams first disagree with the copy: "seed N, input M", "no", or "stops" where the core raises."""
    if streams == 0:
        return "-"
    found = run(folder, "-c", ORACLE, str(streams))
    return found.stdout.strip() or ("no" if found.returncode == 0 else "stops")


def planted(plant: Plant) -> tuple[str, str]:
    """(first test that catches it, where the oracle sees it) of one error."""
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        folder = Path(name)
        copy_of_checkout(folder)
        path = folder / "src" / "paperdesk" / plant.file
        text = path.read_text(encoding="utf-8")
        if text.count(plant.old) != 1:
            raise LookupError(f"{plant.file} holds {text.count(plant.old)} times, not once: {plant.old!r}")
        path.write_text(text.replace(plant.old, plant.new), encoding="utf-8")
        return first_failure(folder, plant.tests), seen_by_oracle(folder, plant.streams)


def untouched() -> str:
    """What fails without any error planted, if anything: then nothing below would mean anything."""
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        copy_of_checkout(Path(name))
        every = dict.fromkeys(test for plant in PLANTS for test in plant.tests)
        failure = first_failure(Path(name), tuple(every))
        oracle = seen_by_oracle(Path(name), max(plant.streams for plant in PLANTS))
        return failure or ("" if oracle == "no" else f"the oracle: {oracle}")


def main() -> int:
    """Plants the errors one by one and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    areas = sorted({plant.area for plant in PLANTS})
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(areas)}; all, if none is named")
    options = parser.parse_args()
    if unknown := set(options.areas) - set(areas):
        parser.error(f"no such area: {', '.join(sorted(unknown))}; there are {', '.join(areas)}")
    began, missed, misfits = time.monotonic(), 0, 0
    if broken := untouched():
        print(f"the tests fail without any planted error, first {broken}; mend that first", file=sys.stderr)
        return 2
    chosen = [plant for plant in PLANTS if not options.areas or plant.area in options.areas]
    print(f"{'area':<12} {'error':<72} {'oracle':<20} caught by")
    for plant in chosen:
        try:
            caught, oracle = planted(plant)
        except LookupError as misfit:
            misfits += 1
            print(f"{plant.area:<12} {plant.meaning:<72} the error no longer fits: {misfit}", flush=True)
            continue
        missed += caught == ""
        print(f"{plant.area:<12} {plant.meaning:<72} {oracle:<20} {caught or 'NOBODY'}", flush=True)
    seconds = time.monotonic() - began
    print(
        f"{len(chosen)} errors, {len(chosen) - missed - misfits} caught, {missed} missed, {misfits} no longer fit, {seconds:.0f} s"
    )
    return 2 if misfits else int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
