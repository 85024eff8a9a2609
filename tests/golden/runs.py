"""Runs whose every order and fill is pinned: the three rules on a simulated market, and random streams of all inputs.

What is pinned lies in `pins.json`, beside the engine version it was made with. Inputs are pinned too, so that a change of
the material (a simulated market, a stream's dice, a rule) can be told from a change of what the fold does with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from tests.engine.material import stream

from paperdesk.domain import commands
from paperdesk.domain.assets import Asset
from paperdesk.domain.events import InputKind, OutputKind
from paperdesk.domain.instruments import Instrument
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold
from paperdesk.engine.state import ENGINE_VERSION
from paperdesk.feeds.simulated import START_NS, simulated
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.registry import BUILT_IN, build

PINS = Path(__file__).with_name("pins.json")
BLOCKS = 20
BARS = 3_000
STREAMS = range(9001, 9021)
STREAM_INPUTS = 120
LATENCY_NS = 20_000_000
MINUTE_NS = 60_000_000_000
MONEY = {"BTC": Decimal(1), "USDT": Decimal(100_000)}
RULES: Mapping[str, Mapping[str, object]] = {
    "quoter": {"size": "0.01", "edge": 30, "skew": 10, "requote": 60, "max_inventory": "0.05"},
    "ema_cross": {"fast": 5, "slow": 20, "fraction": "0.2"},
    "dip_buyer": {"window": 5, "dip": "0.0005", "profit": "0.001", "fraction": "0.1"},
}
ORDERS_AND_FILLS = [
    int(kind) for kind in OutputKind if kind.name.startswith(("ORDER_", "CANCEL_")) or kind.name == "FILL"
]
Pin = dict[str, Any]


class Digest:
    """A journal that keeps nothing but hashes and counts."""

    def __init__(self) -> None:
        self.inputs, self.outputs = blake2b(digest_size=16), blake2b(digest_size=16)
        self.counts: dict[str, int] = {}

    def take_input(self, data: bytes) -> None:
        """One input record."""
        self.inputs.update(data)

    def take_outputs(self, rows: np.ndarray[Any, Any]) -> None:
        """Outputs of one input: orders and fills are hashed, all are counted."""
        for row in rows:
            name = OutputKind(int(row["kind"])).name
            self.counts[name] = self.counts.get(name, 0) + 1
            if name == "FILL":
                mine = f"FILL of bot {int(row['bot'])}"
                self.counts[mine] = self.counts.get(mine, 0) + 1
            if int(row["kind"]) in ORDERS_AND_FILLS:
                self.outputs.update(row.tobytes())

    def take_note(self, note: dict[str, Any]) -> None:
        """A run that is pinned has nothing to say to people."""
        raise AssertionError(f"a pinned run goes without incident, not with {note}")

    def pin(self, fold: Fold) -> Pin:
        """What is kept of the run."""
        return {
            "inputs": self.inputs.hexdigest(),
            "orders_and_fills": self.outputs.hexdigest(),
            "state": fold.hash(),
            "counts": dict(sorted(self.counts.items())),
        }


def opened(journal: Digest, instruments: Sequence[Instrument], assets: Sequence[Asset], ts_ns: int) -> Drive:
    """The loop over a desk with one account in which each of the rules is a bot."""
    drive = Drive(Fold(), journal)
    timer = commands.command(InputKind.TIMER)
    timer["ts_seq_ns"] = ts_ns
    usdt = next(asset for asset in assets if asset.name == "USDT")
    opening = [commands.define_asset(asset) for asset in assets]
    opening += [commands.define_instrument(instrument) for instrument in instruments]
    opening += [commands.bind_source(1), commands.open_account(0, usdt, 1, LATENCY_NS)]
    opening += [commands.deposit(0, asset, asset.to_units(MONEY[asset.name])) for asset in assets]
    opening += [commands.declare_conversion(0, row.base, row) for row in instruments]
    opening += [commands.register_bot(0, bot) for bot in range(1, len(RULES) + 1)]
    for bot, name in enumerate(RULES, 1):
        drive.add(BotHost(build(BUILT_IN[name], RULES[name]), 0, bot, instruments))
    drive.feed(timer)
    for row in opening:
        drive.command(row)
    return drive


def run_market() -> Pin:
    """The rules on a simulated market of books and trades."""
    feed, journal = simulated(["BTC/USDT"], 11), Digest()
    drive = opened(journal, feed.instruments, feed.assets, START_NS)
    for block in islice(feed.blocks(), BLOCKS):
        drive.feed(block)
    assert drive.failures == []
    return journal.pin(drive.fold)


def run_bars() -> Pin:
    """The rules on one-minute bars that walk at random (the quoter sees no quotes, and does nothing)."""
    feed, journal, dice = simulated(["BTC/USDT"], 12), Digest(), Random(12)
    drive = opened(journal, feed.instruments, feed.assets, START_NS)
    last = 600_000
    for minute in range(1, BARS + 1):
        first, close = last + dice.randrange(-50, 51), last + dice.randrange(-900, 901)
        row = commands.command(InputKind.BAR, open_ticks=first, close_ticks=close, volume_lots=dice.randrange(10**6))
        row["high_ticks"] = max(first, close) + dice.randrange(300)
        row["low_ticks"] = min(first, close) - dice.randrange(300)
        row["interval_ns"], row["ts_seq_ns"] = MINUTE_NS, START_NS + minute * MINUTE_NS
        last = close
        drive.feed(row)
    assert drive.failures == []
    return journal.pin(drive.fold)


def run_stream(seed: int) -> Pin:
    """One random stream."""
    fold, journal = Fold(), Digest()
    for row in stream(seed, STREAM_INPUTS):
        journal.take_input(row.tobytes())
        journal.take_outputs(fold.take(row))
    return journal.pin(fold)


def pinned() -> Pin:
    """What is pinned: {"engine_version": …, "runs": {name: pin}}."""
    found: Pin = json.loads(PINS.read_text(encoding="utf-8"))
    return found


def names() -> list[str]:
    """All runs, by name."""
    return ["market", "bars"] + [f"stream {seed}" for seed in STREAMS]


def run(name: str) -> Pin:
    """One run by its name."""
    if name.startswith("stream"):
        return run_stream(int(name.split()[1]))
    return run_market() if name == "market" else run_bars()


def all_runs() -> Pin:
    """Everything, as it is now."""
    return {"engine_version": ENGINE_VERSION, "runs": {name: run(name) for name in names()}}
