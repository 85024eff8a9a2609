"""A recording as the product's reader gives it, and beside it what truly became of every order.

The reader (`paperdesk.feeds`) is run as it is; what it knows of single orders is written down on the way, with the row of
the stream before which each change happened. So any one order can be taken out of the displayed book afterwards, and
asked of the venue at the very place in the stream where it arrived.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from paperdesk.domain.events import DEPTH, InputKind
from paperdesk.feeds import bitstamp
from paperdesk.feeds.book import ASK, BID
from paperdesk.feeds.orders import OrderMarket
from paperdesk.feeds.port import Refusals
from paperdesk.feeds.recording import lines
from paperdesk.feeds.replay import open_recordings
from paperdesk.feeds.writer import Writer

Rows = np.ndarray[Any, Any]
Ints = np.ndarray[Any, np.dtype[np.int64]]

TRADE, BOOK, QUOTE = int(InputKind.TRADE), int(InputKind.BOOK), int(InputKind.QUOTE)
ALIVE, FILLED, CANCELED, LOST = 0, 1, 2, 3
"""How an order ended: not within the recording, filled whole, with something left, or without a word (the reader found its
level impossible)."""


class Views(NamedTuple):
    """The stream as plain arrays of n rows, for compiled code; a level that is not there is zero."""

    kind: Ints
    ts_ns: Ints
    side: Ints
    trade_ticks: Ints
    trade_lots: Ints
    ticks: Ints
    """Shape (n, 2, DEPTH): bids, asks."""
    lots: Ints


@dataclass(slots=True)
class Real:
    """One order of the recording: what was asked for, and the truth about it."""

    order_id: int
    own: int
    """0 bid, 1 ask."""
    ticks: int
    size_lots: int
    born_ns: int
    born_row: int
    """The order arrived after the stream's row before this one, and before this one."""
    best_opposite: int
    """Best price of the other side at that moment, by the single orders; 0 where there was none."""
    end_ns: int = 0
    end: int = ALIVE
    left_lots: int = 0
    first_fill_ns: int = 0
    repriced: bool = False

    @property
    def filled_lots(self) -> int:
        """What was truly filled of it."""
        return self.size_lots - self.left_lots


@dataclass(slots=True)
class Tape:
    """A recording: `rows` as the reader gives them, and the orders behind them (none for level-2 recordings)."""

    rows: Rows
    views: Views
    instrument: Any
    assets: Any
    source: int
    orders: list[Real]
    shown: dict[int, list[tuple[int, int, int]]]
    """By order id: (row, lots, eaten): from this row on so many lots of the displayed level are the order's own, and so many
    of it were filled."""
    notes: list[str]

    @property
    def end_ns(self) -> int:
        """When the recording ends."""
        return int(self.views.ts_ns[-1])


class CountingWriter(Writer):
    """Knows how many rows it has written."""

    __slots__ = ("total",)

    def __init__(self, refusals: Refusals) -> None:
        super().__init__(refusals)
        self.total = 0

    def wrote(self, seq_ns: int, symbol: str) -> None:
        """See `Writer`."""
        self.total += 1
        super().wrote(seq_ns, symbol)


class WatchedMarket(OrderMarket):
    """The reader's market, with a record of every single order."""

    __slots__ = ("by_id", "clock_ns", "early", "shown")

    def __init__(self, instrument: Any, writer: CountingWriter, wait_for_picture: bool) -> None:
        super().__init__(instrument, writer, wait_for_picture)
        self.by_id: dict[int, Real] = {}
        self.shown: dict[int, list[tuple[int, int, int]]] = {}
        self.early: set[int] = set()
        self.clock_ns = 0

    def _row(self) -> int:
        assert isinstance(self.writer, CountingWriter)
        return self.writer.total

    def created(self, order_id: int, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """See `OrderMarket`."""
        opposite = ASK if bid else BID
        best = self.book.best(opposite)[0] if len(self.book.side(opposite)) else 0
        super().created(order_id, bid, ticks, lots, now_ns)
        if order_id in self.by_id or order_id in self.early or lots == 0:
            return
        row = self._row()
        own = 0 if bid else 1
        self.by_id[order_id] = Real(order_id, own, ticks, lots, now_ns, row, best, left_lots=lots)
        self.shown[order_id] = [(row, lots, 0)]

    def changed(self, order_id: int, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """See `OrderMarket`."""
        super().changed(order_id, bid, ticks, lots, now_ns)
        real = self.by_id.get(order_id)
        if real is None:
            return
        real.repriced = real.repriced or ticks != real.ticks
        self._shrank(real, lots, now_ns)
        self.shown[order_id].append((self._row(), lots if ticks == real.ticks else 0, real.filled_lots))

    def deleted(self, order_id: int, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """See `OrderMarket`; `changed` comes through here too, and mends what is said here."""
        super().deleted(order_id, bid, ticks, lots, now_ns)
        real = self.by_id.get(order_id)
        if real is not None:
            self.shown[order_id].append((self._row(), 0, real.size_lots - min(lots, real.left_lots)))
        else:
            self.early.add(order_id)

    def over(self, order_id: int, lots: int, now_ns: int) -> None:
        """The order is gone, with `lots` left."""
        real = self.by_id.get(order_id)
        if real is not None and real.end == ALIVE:
            self._shrank(real, lots, now_ns)
            real.end, real.end_ns = (CANCELED if lots else FILLED), now_ns

    def evict(self, side: int, ticks: int) -> None:
        """See `OrderMarket`: what rested there is lost."""
        before = set(self._orders)
        super().evict(side, ticks)
        for order_id in before - set(self._orders):
            real = self.by_id.get(order_id)
            if real is not None:
                real.end, real.end_ns = LOST, self.clock_ns
                self.shown[order_id].append((self._row(), 0, real.filled_lots))

    def _shrank(self, real: Real, lots: int, now_ns: int) -> None:
        if lots < real.left_lots:
            real.first_fill_ns = real.first_fill_ns or now_ns
        real.left_lots = min(lots, real.left_lots)


def read_orders(path: Path, tick: Callable[[int], None] = lambda rows: None) -> Tape:
    """An order-level log, read as the product reads it. `tick` is told how many lines were read, now and then."""
    feed = open_recordings([path], ["BTC/USD"])
    recording = feed.recordings[0]
    assert isinstance(recording, bitstamp.BitstampLog)
    refusals = Refusals()
    writer = CountingWriter(refusals)
    market = WatchedMarket(feed.instruments[0], writer, wait_for_picture=True)
    blocks: list[Rows] = []
    for batch in lines(path, refusals):
        for line in batch:
            now_ns, kind, content = bitstamp.split_line(line)
            market.clock_ns = now_ns
            recording._take(market, now_ns, kind, content)
            if kind == b"order_deleted":
                order = bitstamp.ORDER(content)
                market.over(order.id, market.grid.lots[bitstamp.text(order.amount)], now_ns)
        blocks.extend(writer.drain())
        tick(len(batch))
    blocks.extend(writer.finish())
    rows = joined(blocks)
    for real in market.by_id.values():
        real.end_ns = real.end_ns or int(rows["ts_seq_ns"][-1])
    orders = sorted(market.by_id.values(), key=lambda real: (real.born_row, real.order_id))
    shown = {order_id: settled(changes) for order_id, changes in market.shown.items()}
    return Tape(rows, views_of(rows), feed.instruments[0], feed.assets, feed.source, orders, shown, feed.notes)


def joined(blocks: list[Rows]) -> Rows:
    """Records end to end, byte by byte: numpy's own way would lay them out anew and lose what they share."""
    return np.concatenate([block.view(np.uint8).ravel() for block in blocks]).view(blocks[0].dtype)


def settled(changes: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The last word before each row."""
    return sorted({change[0]: change for change in changes}.values())


def views_of(rows: Rows) -> Views:
    """The rows as plain arrays."""
    n = len(rows)
    book, trade = rows["kind"] == BOOK, rows["kind"] == TRADE
    ticks, lots = np.zeros((n, 2, DEPTH), np.int64), np.zeros((n, 2, DEPTH), np.int64)
    for side, (count, name) in enumerate((("n_bids", "bids"), ("n_asks", "asks"))):
        there = book[:, None] & (np.arange(DEPTH) < rows[count][:, None])
        ticks[:, side] = np.where(there, rows[f"{name}_ticks"], 0)
        lots[:, side] = np.where(there, rows[f"{name}_lots"], 0)
    return Views(
        rows["kind"].astype(np.int64),
        rows["ts_seq_ns"].copy(),
        rows["side"].astype(np.int64),
        np.where(trade, rows["trade_price_ticks"], 0),
        np.where(trade, rows["trade_qty_lots"], 0),
        ticks,
        lots,
    )
