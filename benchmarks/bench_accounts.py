"""How many market events a second with 10,000 accounts that each have 20 orders resting on one instrument? One core, beside one account.

Workload: the simulated market with book, quotes and trades, through the whole loop (`Drive`) into a journal that counts. Ten bids and ten asks an
account, from one tick to 2,000 ticks from the middle, evenly in the logarithm of the distance; the fill models take turns. Orders that the market
crosses are filled, and counted. The baseline is one account with the same 20 orders; both take turns.

    python benchmarks/bench_accounts.py [--accounts 10000] [--orders 20] [--events 200000]
"""

import argparse
import statistics
import time
from typing import Any

import numpy as np

from paperdesk.domain import commands
from paperdesk.domain.commands import command
from paperdesk.domain.events import FillModel, InputKind, OutputKind, Side
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold
from paperdesk.feeds.merging import joined
from paperdesk.feeds.simulated import simulated

ROUNDS = 3
FURTHEST_TICKS = 200000


class Counting:
    """A journal that keeps nothing."""

    def take_input(self, data: bytes) -> None:
        """Thrown away."""

    def take_outputs(self, rows: np.ndarray) -> None:
        """Counted by the drive."""

    def take_note(self, note: dict[str, Any]) -> None:
        """Thrown away."""


def desk(accounts: int, orders: int, first: np.ndarray) -> tuple[Drive, float]:
    """A desk with its orders resting, and how long it took to send them."""
    feed = simulated(("BTC/USDT",), 7)
    instrument = feed.instruments[0]
    drive = Drive(Fold(), Counting())
    for asset in feed.assets:
        drive.command(commands.define_asset(asset))
    drive.command(commands.define_instrument(instrument))
    drive.command(commands.bind_source(1))
    drive.feed(first)
    middle = int(drive.fold.state["markets"][0, 0]["mark_ticks"])
    dice = np.random.default_rng(11)
    started = time.perf_counter()
    for account in range(accounts):
        model = FillModel(account % len(FillModel) + 1)
        drive.command(commands.open_account(account, instrument.quote, 1, 0, 3_600_000_000_000, fill_model=model))
        for asset in feed.assets:
            drive.command(commands.deposit(account, asset, 10**15))
        far = np.exp(dice.uniform(0, np.log(FURTHEST_TICKS), orders)).astype(np.int64)
        for place, ticks in enumerate(far.tolist()):
            side = Side.BUY if place % 2 else Side.SELL
            price = middle - ticks if side == Side.BUY else middle + ticks
            row = command(InputKind.SUBMIT_ORDER, account=account, instrument=0, version=1, side=side, order_type=2)
            row["time_in_force"], row["price_ticks"], row["qty_lots"] = 1, price, 10
            drive.command(row)
    return drive, time.perf_counter() - started


def main() -> None:
    """Measure in turns, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--events", type=int, default=200_000)
    given = parser.parse_args()
    blocks, have = [], 0
    for block in simulated(("BTC/USDT",), 7).blocks():
        blocks.append(block)
        have += len(block)
        if have >= given.events + 1_000:
            break
    rows = joined(blocks)
    first, rest = rows[:1_000], rows[1_000 : given.events + 1_000]
    desks = {"1 account": desk(1, given.orders, first.copy()), "many": desk(given.accounts, given.orders, first.copy())}
    speeds: dict[str, list[float]] = {name: [] for name in desks}
    part = len(rest) // ROUNDS
    for turn in range(ROUNDS):
        for name, (drive, _) in desks.items():
            block = rest[turn * part : (turn + 1) * part].copy()
            started = time.perf_counter()
            drive.feed(block)
            speeds[name].append(part / (time.perf_counter() - started))
    base = statistics.median(speeds["1 account"])
    for name, (drive, seconds) in desks.items():
        fills, speed = drive.outputs[int(OutputKind.FILL)], statistics.median(speeds[name])
        resting = int((drive.fold.state["orders"][0]["place"] == 3).sum())
        print(
            f"{name:10} {speed:10,.0f} events/s  ratio {speed / base:5.2f}  {fills:7,} fills, {resting:7,} orders still rest; sent in {seconds:5.1f} s"
        )


if __name__ == "__main__":
    main()
