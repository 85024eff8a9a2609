"""How fast is the core? Every figure beside a baseline measured in the same run, interleaved, as a ratio of medians.

Workload: one million trades against one market with one account and no live order (what a market event costs when nothing happens), and
the same with 20 resting orders far from the price. The baseline is a plain compiled loop over the same records that only keeps the last
price. Then the same through Python, one call an event, without and with the log.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numba import int64

from paperdesk.app.journal import RunJournal
from paperdesk.domain import commands
from paperdesk.domain.assets import Asset
from paperdesk.domain.events import INPUT, InputKind, Side, inputs
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.kernel import entry, rows_of
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold
from paperdesk.engine.state import STATE
from paperdesk.engine.step import fold
from paperdesk.store.disk import RealDisk
from paperdesk.store.log import LogWriter

EVENTS = 200_000
ROUNDS = 21


@entry(rows_of(STATE), rows_of(INPUT), int64)
def fold_all(state: Any, block: Any, first_seq: int) -> int:
    """The fold over a whole block, inside compiled code."""
    s = state[0]
    count = 0
    for index in range(block.shape[0]):
        block[index].seq = first_seq + index
        count += fold(s, block[index])
    return count


@entry(rows_of(INPUT))
def plain_loop(block: Any) -> int:
    """The baseline: read each record, keep the last price."""
    last, total = 0, 0
    for index in range(block.shape[0]):
        row = block[index]
        total += row.trade_qty_lots
        last = row.trade_price_ticks
    return last + total


class Nowhere:
    """A journal that forgets."""

    def take_input(self, data: bytes) -> None:
        """Forget an input."""

    def take_outputs(self, rows: np.ndarray) -> None:
        """Forget outputs."""

    def take_note(self, note: dict[str, Any]) -> None:
        """Forget a note."""


def desk(resting: int, journal: Any) -> Drive:
    """A desk with one account and so many orders resting far below the price."""
    base, quote = Asset(0, "BTC", 8), Asset(1, "USDT", 8)
    market = Instrument(0, 1, "BTC/USDT", "bench", base, quote, Decimal("0.01"), Decimal("0.00001"))
    drive = Drive(Fold(), journal)
    rows = [
        commands.define_asset(base),
        commands.define_asset(quote),
        commands.define_instrument(market),
        commands.bind_source(1),
    ]
    rows += [
        commands.open_account(0, quote, 1, 0),
        commands.deposit(0, quote, 10**14),
        commands.declare_conversion(0, base, market),
    ]
    for row in rows:
        drive.command(row)
    book = inputs(1)
    book["kind"], book["n_bids"], book["n_asks"], book["ts_seq_ns"] = InputKind.BOOK, 1, 1, 1
    book["bids_ticks"][0, 0], book["bids_lots"][0, 0] = 6_000_000, 1000
    book["asks_ticks"][0, 0], book["asks_lots"][0, 0] = 6_000_010, 1000
    drive.feed(book)
    for place in range(resting):
        drive.command(commands.submit_order(0, 0, market, commands.Intent(Side.BUY, "0.001", price=30_000 + place)))
    return drive


def trades() -> np.ndarray:
    """One block of trades that touch nothing."""
    block = inputs(EVENTS)
    block["kind"], block["side"] = InputKind.TRADE, Side.BUY
    block["trade_price_ticks"], block["trade_qty_lots"] = 6_000_010, 5
    block["ts_seq_ns"] = 2
    return block


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure, interleaved, and print one table."""
    block = trades()
    idle, busy, called = desk(0, Nowhere()), desk(20, Nowhere()), desk(0, Nowhere())
    with tempfile.TemporaryDirectory() as folder:
        logged = desk(0, RunJournal(LogWriter(RealDisk(Path(folder)), "bench", "1"), lambda rows: None))

        def with_log() -> None:
            logged.feed(block)
            logged.journal.commit()  # type: ignore[attr-defined]

        works: dict[str, Callable[[], object]] = {
            "plain numba loop (baseline)": lambda: plain_loop(block),
            "fold, compiled loop": lambda: fold_all(idle.fold.state, block, idle.fold.seq + 1),
            "fold, compiled loop, 20 resting orders": lambda: fold_all(busy.fold.state, block, busy.fold.seq + 1),
            "drive, one call an event": lambda: called.feed(block),
            "drive with the log, fsync included": with_log,
        }
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(ROUNDS):
            for name, work in works.items():
                times[name].append(seconds(work))
    baseline = statistics.median(times["plain numba loop (baseline)"])
    print(f"{'workload':42} {'events/s':>14} {'of the baseline':>16}   (median of {ROUNDS}, {EVENTS:,} events each)")
    for name, measured in times.items():
        median = statistics.median(measured)
        print(f"{name:42} {EVENTS / median:14,.0f} {baseline / median:15.4f}×")


if __name__ == "__main__":
    main()
