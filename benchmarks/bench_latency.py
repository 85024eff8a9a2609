"""How long from a decoded event to an order that the desk accepted? A built-in rule beside a user's file, back to back and paced.

Workload: a simulated market, one event at a time. Measured is every event in answer to which a bot sent an order, until the (first) order has
passed risk, its funds are reserved and its output is handed to the journal. Back to back, the next event is there when the one before is done:
what the desk itself takes. Paced, each event has its moment, and time counts from that moment, so an event that had to wait for the one
before, or for the disk, counts its waiting; between events the processor's caches go cold, which costs about as much again. The log is a real
one on disk, committed as it is live. The baseline is the built-in rule, back to back.

    python benchmarks/bench_latency.py [--seconds 10] [--rate 5000]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path

import numpy as np

from paperdesk.app.bootstrap import Plan
from paperdesk.app.journal import RunJournal
from paperdesk.app.options import RunOptions
from paperdesk.domain.events import OutputKind
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold
from paperdesk.store.disk import RealDisk
from paperdesk.store.log import LogWriter

OWN = """
from paperdesk.strategies.api import Strategy

class Own(Strategy):
    def on_trade(self, ctx, trade):
        seen = ctx.memory["seen"] = ctx.memory.get("seen", 0) + 1
        if seen % 4 == 0:
            (ctx.buy_lots if seen % 8 else ctx.sell_lots)(trade.symbol, 10)
"""
SUBMITTED = int(OutputKind.ORDER_SUBMITTED)


class Watching(RunJournal):
    """Notes when the last order was accepted."""

    accepted_ns = 0

    def take_outputs(self, rows: np.ndarray) -> None:
        """As always; SUBMITTED is what was waited for. The time is taken before anybody looks."""
        now_ns = time.perf_counter_ns()
        super().take_outputs(rows)
        if not self.accepted_ns and SUBMITTED in rows["kind"].tolist():
            self.accepted_ns = now_ns


def rows_of(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """One event at a time."""
    for block in blocks:
        for index in range(len(block)):
            yield block[index : index + 1]


def measured(strategy: str, folder: Path, events: int, rate: int) -> list[float]:
    """Microseconds, one for each order. `rate` in events a second; 0: back to back."""
    plan = Plan(
        RunOptions(feed="sim", symbols=("BTC/USDT",), strategies=(strategy,), balances={"USDT": Decimal(10**7)})
    )
    try:
        disk = RealDisk(folder)
        journal = Watching(LogWriter(disk, "bench", "1"), lambda rows: None)
        drive = Drive(Fold(), journal, plan.hosts())
        for row in plan.setup:
            drive.command(row)
        blocks = plan.feed.blocks()
        for _ in range(3):
            drive.feed(next(blocks))
        gap_ns, took = 10**9 // rate if rate else 0, []
        due_ns = time.perf_counter_ns() + gap_ns
        for row in list(islice(rows_of(blocks), events)):
            while rate and time.perf_counter_ns() < due_ns:
                pass
            due_ns = due_ns if rate else time.perf_counter_ns()
            journal.accepted_ns = 0
            drive.feed(row)
            if journal.accepted_ns:
                took.append((journal.accepted_ns - due_ns) / 1000)
            journal.commit_if_due()
            due_ns += gap_ns
        assert not drive.failures, drive.failures
        journal.commit()
        return took
    finally:
        plan.close()


def main() -> None:
    """Measure twice each, interleaved, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=int, default=5000)
    given = parser.parse_args()
    events = int(given.seconds * given.rate / 2)
    took: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        own = Path(name) / "own.py"
        own.write_text(OWN, encoding="utf-8")
        for turn in range(2):
            for pace, rate in (("back to back", 0), (f"{given.rate:,} events/s", given.rate)):
                for title, strategy in (("built-in rule (quoter)", "quoter"), ("isolated user file", str(own))):
                    folder = Path(name) / f"{turn}-{rate}-{len(title)}"
                    took.setdefault((pace, title), []).extend(measured(strategy, folder, events, rate))
    base = statistics.median(took["back to back", "built-in rule (quoter)"])
    print("µs from event to accepted order")
    for (pace, title), times in took.items():
        median, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
        print(
            f"{pace:16} {title:24} {len(times):6} orders  median {median:7.1f}  p99 {p99:8.1f}  ratio {median / base:5.1f}"
        )


if __name__ == "__main__":
    main()
