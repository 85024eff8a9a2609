"""Runs to project and to audit: random streams of the oracle, and a two-sided quoter in a simulated market."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Literal

import numpy as np
from tests.oracle.records import to_record
from tests.oracle.streams import Stream

from paperdesk.domain import commands
from paperdesk.domain.events import OUTPUT, stored_bytes
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold
from paperdesk.feeds.simulated import simulated
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.registry import build, find

Record = (
    tuple[Literal["input"], bytes]
    | tuple[Literal["outputs"], np.ndarray[Any, Any]]
    | tuple[Literal["note"], dict[str, Any]]
)

NAMES = ("AAA", "BBB", "CCC")


class Kept:
    """A journal that keeps a run's record in memory."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def take_input(self, data: bytes) -> None:
        self.records.append(("input", data))

    def take_outputs(self, rows: np.ndarray[Any, Any]) -> None:
        self.records.append(("outputs", rows.copy()))

    def take_note(self, note: dict[str, Any]) -> None:
        self.records.append(("note", note))


@cache
def random_run(seed: int, count: int = 150) -> tuple[Record, ...]:
    """The record of one random stream: every kind of order, data, refusal and change of definition."""
    return tuple(_random(seed, count))


def _random(seed: int, count: int) -> Iterator[Record]:
    stream, fold = Stream(seed), Fold()
    for given in stream.inputs(count):
        stream.desk.take(given)
        row = to_record(given)
        if given["kind"] == "DEFINE_ASSET":
            yield (
                "note",
                {"type": "asset", "number": given["asset"], "name": NAMES[given["asset"]], "scale": given["scale"]},
            )
        elif given["kind"] == "DEFINE_INSTRUMENT":
            yield "note", instrument_note(given)
        outputs = fold.take(row)
        yield "input", row.tobytes()[: stored_bytes(int(row["kind"][0]))]
        if len(outputs):
            yield "outputs", outputs


def instrument_note(given: dict[str, Any]) -> dict[str, Any]:
    """The note that goes with a definition."""
    base, quote = NAMES[given["base_asset"]], NAMES[given["quote_asset"]]
    tick = Decimal(given["tick_mantissa"]).scaleb(given["tick_exponent"])
    lot = Decimal(given["lot_mantissa"]).scaleb(given["lot_exponent"])
    words = {
        "symbol": f"{base}/{quote}",
        "venue": "test",
        "base": base,
        "quote": quote,
        "tick": f"{tick:f}",
        "lot": f"{lot:f}",
    }
    return {
        "type": "instrument",
        "number": given["instrument"],
        "version": given["version"],
        **words,
        "origin": "declared",
    }


@cache
def quoted_run(events: int, seed: int = 5) -> tuple[Record, ...]:
    """The record of a quoter in a simulated market."""
    feed = simulated(["BTC/USDT"], seed)
    host = BotHost(build(find("quoter"), {"edge": 1, "requote": 1, "pause_s": 0.0}), 0, 1, feed.instruments)
    journal = Kept()
    drive = Drive(Fold(), journal)
    reporting = next(asset for asset in feed.assets if asset.name == "USDT")
    for asset in feed.assets:
        drive.note({"type": "asset", "number": asset.number, "name": asset.name, "scale": asset.scale})
        drive.command(commands.define_asset(asset))
    for row in feed.instruments:
        names = {"symbol": row.symbol, "venue": row.venue, "base": row.base.name, "quote": row.quote.name}
        grid = {"tick": f"{row.tick:f}", "lot": f"{row.lot:f}", "origin": row.origin}
        drive.note({"type": "instrument", "number": row.number, "version": row.version, **names, **grid})
        drive.command(commands.define_instrument(row))
    drive.add(host)
    drive.command(commands.bind_source(feed.source))
    drive.command(commands.open_account(0, reporting, feed.source, 1_000_000))
    for asset in feed.assets:
        drive.command(
            commands.deposit(0, asset, asset.to_units(Decimal(10) if asset.name == "BTC" else Decimal(1_000_000)))
        )
    drive.note({"type": "bot", "account": 0, "bot": 1, "name": "quoter-1"})
    drive.command(commands.register_bot(0, 1))
    total = 0
    for block in feed.blocks():
        drive.feed(block[: events - total])
        total += len(block)
        if total >= events:
            break
    return tuple(journal.records)


def outputs_of(records: tuple[Record, ...]) -> np.ndarray[Any, Any]:
    """All outputs of a record, shape (n,) of OUTPUT."""
    return np.frombuffer(b"".join(part.tobytes() for kind, part in records if kind == "outputs"), OUTPUT)
