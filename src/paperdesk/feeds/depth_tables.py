"""Parquet recordings that build a book: level changes with or without a starting picture, mixed events, single orders.

    level changes   ts, side (buy = bid), price, size (0 removes)             with a picture: side, price, size
    mixed events    ts, type (book or trade), side (B/A: level; B/S: taker), price, qty
    orders          local_ts, order_ts, order_id, action (created, changed, deleted), side, price, remaining

Rows of one time belong together: the book is shown after the last of them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.grid import MAX_DECIMALS, SIZE_DECIMALS, column_decimals, column_steps
from paperdesk.feeds.levels import LevelMarket
from paperdesk.feeds.orders import OrderMarket
from paperdesk.feeds.port import Refusals
from paperdesk.feeds.recording import digest_of
from paperdesk.feeds.tables import SIDES, floats, largest, market_of, times_ns
from paperdesk.feeds.writer import Writer

CHANGES: Final = {"ts", "side", "price", "size"}
PICTURE: Final = {"side", "price", "size"}
EVENTS: Final = {"ts", "type", "side", "price", "qty"}
ORDERS: Final = {"order_id", "action", "side", "price", "remaining"}
BID_NAMES: Final = ("buy", "bid", "b")
ROWS_A_TURN: Final = 20_000


def kind_of_depth(columns: set[str]) -> str | None:
    """events, orders, changes or picture, told by the columns; None for anything else."""
    if columns >= ORDERS and ("local_ts" in columns or "order_ts" in columns):
        return "orders"
    if columns >= EVENTS:
        return "events"
    if columns >= CHANGES:
        return "changes"
    return "picture" if columns >= PICTURE and "ts" not in columns else None


class DepthTable:
    """One market's book in a Parquet file; level changes may have a starting picture in another."""

    def __init__(
        self,
        path: Path,
        table: pl.DataFrame,
        metadata: Mapping[str, str],
        picture: tuple[Path, pl.DataFrame] | None = None,
        hint: str = "",
    ) -> None:
        kind = kind_of_depth(set(table.columns))
        assert kind in ("events", "orders", "changes")
        self._what, self._table = kind, table
        self._picture = picture[1] if picture is not None else None
        self.path, self.kind = path, f"Parquet {kind}"
        self.digest = digest_of(path) + (digest_of(picture[0]) if picture is not None else b"")
        self._size = {"events": "qty", "orders": "remaining", "changes": "size"}[kind]
        found = self._found = market_of(path, metadata.get("venue", ""), metadata.get("symbol", ""), hint)
        self.found = {found.symbol: found}
        self.notes: list[str] = []
        for part, size in ((table, self._size), (self._picture, "size")):
            if part is not None:
                prices, sizes = floats(part, "price"), floats(part, size)
                found.price_decimals = max(found.price_decimals, column_decimals(prices, MAX_DECIMALS))
                found.size_decimals = max(found.size_decimals, column_decimals(sizes, SIZE_DECIMALS))
                found.largest_price = max(found.largest_price, largest(prices))
                found.largest_size = max(found.largest_size, largest(sizes))
        found.updates = len(table)
        if kind == "events":
            found.trades = int((table["type"] == "trade").sum())
            found.updates -= found.trades
        if self._picture is not None:
            found.snapshots = 1
        else:
            self.notes.append(
                f"{found.symbol}: {path.name} starts without a picture of the book; what was there is not known"
            )
        if kind == "orders":
            self.notes.append(
                f"{found.symbol}: {path.name} holds orders but no trades; "
                "give the trades too if resting orders are to fill from a queue"
            )

    def blocks(self, instruments: Mapping[str, Instrument], refusals: Refusals) -> Iterator[np.ndarray]:
        """See `Recording`."""
        instrument = instruments.get(self._found.symbol)
        if instrument is None:
            refusals[self._found.symbol, Reason.UNKNOWN_SYMBOL] += len(self._table)
            return
        writer = Writer(refusals)
        turns = self._orders(instrument, writer) if self._what == "orders" else self._levels(instrument, writer)
        for _ in turns:
            yield from writer.drain()
        yield from writer.finish()

    def _columns(
        self, instrument: Instrument, table: pl.DataFrame, size: str, refusals: Refusals
    ) -> tuple[list[int], list[int], list[bool]]:
        """Ticks, lots and whether each row is usable; the others are counted."""
        price, amount = floats(table, "price"), floats(table, size)
        ticks, price_good = column_steps(price, instrument.tick)
        lots, size_good = column_steps(amount, instrument.lot)
        with np.errstate(invalid="ignore"):
            sane = np.isfinite(price) & np.isfinite(amount) & (price > 0) & (amount >= 0)
        for reason, failed in ((Reason.BAD_EVENT, ~sane), (Reason.OFF_GRID, sane & ~(price_good & size_good))):
            if failed.any():
                refusals[instrument.symbol, reason] += int(failed.sum())
        return ticks.tolist(), lots.tolist(), (sane & price_good & size_good).tolist()

    def _levels(self, instrument: Instrument, writer: Writer) -> Iterator[None]:
        market = LevelMarket(instrument, writer)
        if self._picture is not None:
            ticks, lots, usable = self._columns(instrument, self._picture, "size", writer.refusals)
            for bid, price, size, good in zip(_is_bid(self._picture), ticks, lots, usable, strict=True):
                if good:
                    market.set(bid, price, size, 0)
        ticks, lots, usable = self._columns(instrument, self._table, self._size, writer.refusals)
        times, bids = times_ns(self._table["ts"]).tolist(), _is_bid(self._table)
        count = len(times)
        is_trade = (self._table["type"] == "trade").to_list() if self._what == "events" else [False] * count
        sides = self._table["side"].str.to_lowercase().replace_strict(SIDES, default=0, return_dtype=pl.Int64).to_list()
        for row in range(count):
            now = times[row]
            if usable[row]:
                if is_trade[row]:
                    market.show_if_due(now, now)
                    if lots[row]:
                        writer.trade(market.number, market.symbol, now, now, ticks[row], lots[row], 0, sides[row])
                    else:
                        market.refuse(Reason.BAD_EVENT)
                else:
                    market.set(bids[row], ticks[row], lots[row], now)
            if row + 1 == count or times[row + 1] != now:
                market.show_if_due(now, now)
            if row % ROWS_A_TURN == 0:
                yield

    def _orders(self, instrument: Instrument, writer: Writer) -> Iterator[None]:
        market = OrderMarket(instrument, writer, wait_for_picture=False)
        acts = {"created": market.created, "changed": market.changed, "deleted": market.deleted}
        table = self._table
        ticks, lots, usable = self._columns(instrument, table, self._size, writer.refusals)
        local = times_ns(table["local_ts" if "local_ts" in table.columns else "order_ts"]).tolist()
        bids, ids, actions = _is_bid(table), table["order_id"].to_list(), table["action"].to_list()
        count = len(local)
        for row in range(count):
            act = acts.get(actions[row])
            if act is None or ids[row] is None:
                market.refuse(Reason.BAD_EVENT)
            elif usable[row]:
                act(ids[row], bids[row], ticks[row], lots[row], local[row])
            if row + 1 == count or local[row + 1] != local[row]:
                market.show_if_due(local[row], local[row])
            if row % ROWS_A_TURN == 0:
                yield


def _is_bid(table: pl.DataFrame) -> list[bool]:
    return table["side"].str.to_lowercase().is_in(BID_NAMES).fill_null(False).to_list()
