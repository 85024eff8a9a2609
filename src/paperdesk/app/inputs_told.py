"""What an input of a run's log was, in one sentence: the event that an order answered."""

from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, select

from paperdesk.app.home import Home
from paperdesk.domain.events import InputKind, MarketStatus, Side
from paperdesk.store import tables
from paperdesk.store.disk import RealDisk
from paperdesk.store.log import read_log
from paperdesk.store.reading import Grid

TAKERS: Final = {int(Side.BUY): "a buyer took", int(Side.SELL): "a seller took"}
MINUTE_NS: Final = 60_000_000_000
NEWS: Final = ((InputKind.QUOTE, InputKind.BOOK, InputKind.MARKET_STATUS), (InputKind.TRADE, InputKind.BAR))
"""What tells the best prices, and what tells the last price."""


def find_input(home: Home, run: str, seq: int) -> Any:
    """The record of an input, or None where the log does not reach there. StoreError where it cannot be read."""
    for frame in read_log(RealDisk(home.folder(run), create=False)):
        if frame.first_seq <= seq <= frame.last_seq:
            return frame.inputs()[seq - frame.first_seq]
    return None


class Teller:
    """What the log of a run says of its inputs, in sentences: see `api.arrival.Told`."""

    def __init__(self, home: Home, connection: Connection, run: str) -> None:
        """Of a run in a home; the grids of its instruments are in the database."""
        table = tables.instruments
        query = select(table.c.number, table.c.symbol, table.c.tick, table.c.lot).where(table.c.run == run)
        rows = connection.execute(query.order_by(table.c.version)).all()
        self._home, self._run = home, run
        self._grids = {number: Grid(symbol, tick, lot) for number, symbol, tick, lot in rows}

    def __call__(self, seq: int) -> str:
        """What an input was."""
        row = find_input(self._home, self._run, seq)
        if row is None:
            return f"What input {seq} was is not in the log any more."
        return f"Input {seq} was {describe(row, self._grids.get(int(row['instrument'])))}."

    def first_at(self, ts_ns: int, after: int) -> int:
        """The first input after another that is not earlier than a time; 0 where the log does not reach there."""
        for frame in read_log(RealDisk(self._home.folder(self._run), create=False)):
            if frame.last_seq <= after:
                continue
            inputs = frame.inputs()
            late = np.flatnonzero((inputs["seq"] > after) & (inputs["ts_seq_ns"] >= ts_ns))
            if len(late):
                return int(inputs["seq"][late[0]])
        return 0

    def known_before(self, seq: int, instrument: int) -> str:
        """The newest best prices and last price of an instrument before an input; empty where there was neither."""
        found: dict[tuple[InputKind, ...], Any] = {}
        for frame in read_log(RealDisk(self._home.folder(self._run), create=False)):
            if frame.first_seq >= seq:
                break
            inputs = frame.inputs()
            own = (inputs["seq"] < seq) & (inputs["instrument"] == instrument)
            for kinds in NEWS:
                rows = inputs[own & np.isin(inputs["kind"], [int(kind) for kind in kinds])]
                if len(rows):
                    found[kinds] = rows[-1]
        grid = self._grids.get(instrument)
        told = [
            f"{describe(found[kinds], grid)} (input {int(found[kinds]['seq'])})" for kinds in NEWS if kinds in found
        ]
        return f"The newest before input {seq}: {', and '.join(told)}." if told else ""


def describe(row: Any, grid: Grid | None) -> str:
    """An input in words; `grid` is that of its instrument."""
    kind = int(row["kind"])
    if grid is None or kind in (InputKind.TIMER, InputKind.DEFINE_ASSET, InputKind.BIND_SOURCE):
        return "a tick of the clock" if kind == InputKind.TIMER else _name(kind)
    if kind == InputKind.TRADE:
        size, price = grid.quantity(int(row["trade_qty_lots"])), grid.price(int(row["trade_price_ticks"]))
        side = int(row["side"])
        return f"a trade in {grid.symbol}: {size} at {price}" + (f", where {TAKERS[side]}" if side else "")
    if kind == InputKind.QUOTE:
        bid, ask = _level(grid, row["bid_ticks"], row["bid_lots"]), _level(grid, row["ask_ticks"], row["ask_lots"])
        return f"a quote of {grid.symbol}: {bid} bid, {ask} asked"
    if kind == InputKind.BOOK:
        bid = _level(grid, row["bids_ticks"][0], row["bids_lots"][0] if row["n_bids"] else 0)
        ask = _level(grid, row["asks_ticks"][0], row["asks_lots"][0] if row["n_asks"] else 0)
        return f"a picture of the book of {grid.symbol}: {bid} bid, {ask} asked at its best"
    if kind == InputKind.BAR:
        open_, high, low, close = (grid.price(int(row[f"{name}_ticks"])) for name in ("open", "high", "low", "close"))
        minutes = f"{int(row['interval_ns']) / MINUTE_NS:g} min"
        return f"a bar of {grid.symbol} over {minutes}: open {open_}, high {high}, low {low}, close {close}"
    if kind == InputKind.MARKET_STATUS:
        return f"news of {grid.symbol}: its data are {MarketStatus(int(row['status'])).name.lower()}"
    return _name(kind)


def _level(grid: Grid, ticks: Any, lots: Any) -> str:
    return f"{grid.price(int(ticks))} ({grid.quantity(int(lots))})" if lots else "nothing"


def _name(kind: int) -> str:
    try:
        return f"the command {InputKind(kind).name.lower()}"
    except ValueError:
        return f"of kind {kind}, which this version does not know"
