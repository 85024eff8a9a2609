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
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("tests/venue", "tests/ledger", "tests/engine")
LAWS = ("tests/engine/test_laws.py", "tests/engine/test_recovery.py")
SLOW = "--ignore=tests/engine/test_oracle.py"
LIMIT_S = 400
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


class Plant(NamedTuple):
    """One error: where, what it means, the text it replaces (which must occur once) and what it puts there."""

    area: str
    meaning: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = TESTS
    streams: int = 40


PLANTS = (
    Plant(
        "matching",
        "a resting order is filled as soon as its queue is reached, not after it",
        "venue/matching.py",
        "left > front:",
        "left >= front:",
    ),
    Plant(
        "matching",
        "a trade through our price fills at the trade's price instead of ours",
        "venue/matching.py",
        "fill(s, slot, order.price_ticks, min(remaining, left), ",
        "fill(s, slot, ticks, min(remaining, left), ",
    ),
    Plant(
        "matching",
        "what an account took from a level is forgotten with each picture",
        "venue/book.py",
        "market.spare[i] = market.shown[side, old] if same else market.picture",
        "market.spare[i] = market.picture",
    ),
    Plant(
        "matching",
        "a bar fills a resting order at touch",
        "venue/tape.py",
        "return ticks < price_ticks if order_side == BUY else ticks > price_ticks",
        "return ticks <= price_ticks if order_side == BUY else ticks >= price_ticks",
    ),
    Plant(
        "matching",
        "a fill-or-kill order forgets what the account has used up",
        "venue/matching.py",
        "lots = min(book.available_lots(s, order.account, instrument, opposite, level), missing)",
        "lots = min(market.lots[opposite, level], missing)",
    ),
    Plant(
        "fee",
        "makers pay the taker's rate",
        "venue/fills.py",
        "rate = definition.maker_fee_e8 if liquidity == MAKER else definition.taker_fee_e8",
        "rate = definition.taker_fee_e8",
    ),
    Plant(
        "fee",
        "fees are rounded down",
        "domain/units.py",
        "(rest * rate_e8 + FEE_SCALE - 1) // FEE_SCALE",
        "rest * rate_e8 // FEE_SCALE",
    ),
    Plant(
        "fee",
        "the fee of a buy is taken in the quote asset",
        "venue/fills.py",
        "post(s, FEE, order.account, order.bot, receiving, fee_units, order)",
        "post(s, FEE, order.account, order.bot, definition.quote_asset, fee_units, order)",
    ),
    Plant(
        "posting",
        "what a finished order held is not given back",
        "venue/orders.py",
        "    state_order(s, kind, slot, reason)\n    release_rest(s, slot)\n",
        "    state_order(s, kind, slot, reason)\n    order.reserved_units = 0\n",
    ),
    Plant(
        "posting",
        "payments come out of what is free instead of what was reserved",
        "ledger/journal.py",
        "SOURCE_OF: Final = (0, CAPITAL, FREE, RESERVED, RESERVED, VENUE, FREE, FREE)",
        "SOURCE_OF: Final = (0, CAPITAL, FREE, RESERVED, FREE, VENUE, FREE, FREE)",
    ),
    Plant(
        "posting",
        "the surplus of a limit buy stays reserved after a better fill",
        "venue/fills.py",
        "    if surplus > 0:\n",
        "    if surplus > 1_000_000_000:\n",
    ),
    Plant(
        "rounding",
        "buys pay rounded down",
        "venue/fills.py",
        "        return mul_div_ceil(value, definition.num, definition.den)\n",
        "        return mul_div_floor(value, definition.num, definition.den)\n",
    ),
    Plant(
        "rounding",
        "each fill of a sale is rounded alone, not the order as a whole",
        "venue/fills.py",
        "        quote_units = after - before\n",
        "        quote_units = after - before if order.side == BUY else paid_units(definition, order, price_ticks * lots)\n",
    ),
    Plant(
        "rounding",
        "the cost of what is sold is rounded up",
        "ledger/journal.py",
        "back = position.cost_units if closed == held else mul_div_floor(position.cost_units, closed, held)",
        "back = position.cost_units if closed == held else -(-position.cost_units * closed // held)",
    ),
    Plant(
        "risk",
        "a limit bites only above its number, where it should bite at it",
        "engine/risk.py",
        "scope.day_start_units - equity >= limits.max_daily_loss_units",
        "scope.day_start_units - equity > limits.max_daily_loss_units",
    ),
    Plant(
        "latency",
        "an order meets the event that passes its arrival",
        "engine/step.py",
        "(s.orders[slot].cancel_at_ns if cancel else s.orders[slot].arrive_ns) > ts_ns",
        "(s.orders[slot].cancel_at_ns if cancel else s.orders[slot].arrive_ns) >= ts_ns",
    ),
    Plant(
        "recovery",
        "a cancel under way is forgotten by a restart from facts",
        "venue/orders.py",
        "        order.cancel_at_ns = row.cause\n",
        "        order.cancel_at_ns = order.cancel_at_ns\n",
        LAWS,
        0,
    ),
    Plant(
        "recovery",
        "a fill is counted twice when it is applied as a fact",
        "engine/recover.py",
        "        apply_fill(s, row, find_order(s, row.account, row.order_id))\n",
        "        apply_fill(s, row, find_order(s, row.account, row.order_id))\n"
        "        s.account_positions[row.account, row.instrument].realized_units += row.realized_units\n",
        LAWS,
        0,
    ),
    Plant(
        "recovery",
        "after a restart from facts every order stands at the head of its queue",
        "engine/recover.py",
        "            order.front_lots = displayed_ahead(market, order.side - 1, order.price_ticks)\n",
        "            order.front_lots = 0\n",
        LAWS,
        0,
    ),
    Plant(
        "recovery",
        "a snapshot forgets what accounts have used up of the book",
        "engine/serial.py",
        "    for place, (instrument, side, ticks, lots, picture) in enumerate(used):\n",
        "    for place, (instrument, side, ticks, lots, picture) in enumerate(used[:0]):\n",
        LAWS,
        0,
    ),
    Plant(
        "recovery",
        "the log is read without comparing its chain of hashes",
        "store/log_reader.py",
        "        if stored != computed:\n",
        "        if stored != computed and head.records < 0:\n",
        ("tests/store/test_log.py",),
        0,
    ),
    Plant(
        "determinism",
        "the rank of an order depends on what others did before",
        "venue/matching.py",
        "    order.rank = account.next_rank\n",
        "    order.rank = s.seq\n",
        LAWS,
        0,
    ),
    Plant(
        "determinism",
        "all accounts share one event's quantity",
        "venue/matching.py",
        "    if s.share_seq[account] != s.seq:\n        s.share_seq[account] = s.seq\n        s.share_lots[account] = total\n",
        "    if s.share_seq[0] != s.seq:\n        s.share_seq[0] = s.seq\n        s.share_lots[:] = total\n"
        "    s.share_lots[account] = min(s.share_lots)\n",
    ),
    Plant(
        "determinism",
        "the hash leaves the limits out",
        "engine/serial.py",
        '"accounts": ("first_order", "last_order", "touched")',
        '"accounts": ("first_order", "last_order", "touched", "limits")',
        LAWS,
        0,
    ),
    Plant(
        "determinism",
        "orders are serialised by their row, not by their number",
        "engine/serial.py",
        '        slot = int(s["orders"][slot]["next"]) - 1\n    return slots\n',
        '        slot = int(s["orders"][slot]["next"]) - 1\n    return sorted(slots)\n',
        LAWS,
        0,
    ),
)


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
    found = run(folder, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", SLOW, *tests)
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
