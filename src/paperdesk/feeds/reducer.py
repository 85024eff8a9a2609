"""From a venue's messages to what the desk sees: one market's full book, reduced to its visible part, its trades and
its best prices.

The DEPTH best levels of the book go out as a BOOK input when they changed. Three things are never done: a price is
never rounded, an older picture never undoes a newer one, a crossed book is never shown.
"""

from typing import Final

from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.book import ASK, BID, CHANGED, REFUSED, TO, Book, Levels
from paperdesk.feeds.grid import Grid, Unusable
from paperdesk.feeds.writer import Writer

CROSSED_FOR_NS: Final = 5_000_000_000
"""How long a crossed book is waited for before the older of the two sides gives way."""
KEPT_IDS: Final = 65_536
"""Trade ids are remembered for at least this many trades."""
FAR: Final = 2**62


class Market:
    """One instrument of one recording: its book, what is known of its trades, and the writer that its inputs go to."""

    __slots__ = (
        "_crossed_since", "_ids", "_last_id", "_older_ids", "book", "evicted", "grid", "number", "symbol", "writer",
    )  # fmt: skip

    def __init__(self, instrument: Instrument, writer: Writer) -> None:
        self.number = instrument.number
        self.symbol = instrument.symbol
        self.grid = Grid(instrument)
        self.writer = writer
        self.book = Book(self.grid)
        self.evicted = 0
        self._ids: set[int] = set()
        self._older_ids: set[int] = set()
        self._last_id = -1
        self._crossed_since = 0

    def refuse(self, reason: Reason, count: int = 1) -> None:
        """Counts data that were not used."""
        self.writer.refusals[self.symbol, reason] += count

    def apply(self, bids: Levels, asks: Levels, now_ns: int = 0) -> bool:
        """Applies (price, size) texts; whether the visible part changed. Unusable levels are counted and not shown."""
        told = self.book.change(bids, asks, now_ns)
        if told & REFUSED:
            self._count_unusable()
        return bool(told & CHANGED)

    def load(self, bids: Levels, asks: Levels) -> None:
        """Replaces the whole book by a full picture."""
        if self.book.load(bids, asks) & REFUSED:
            self._count_unusable()

    def _count_unusable(self) -> None:
        for reason, count in self.book.unusable():
            if count:
                self.refuse(reason, count)

    def show(self, event_ns: int, seq_ns: int) -> bool:
        """Writes the visible part; False while the book is crossed (then nothing is written)."""
        return self.book.write(self.writer, event_ns, seq_ns)

    def uncross(self, now_ns: int) -> bool:
        """For streams without sequence numbers: whether the book is uncrossed, if need be by dropping levels that
        outlived their time.

        A crossed book is a moment between two messages; after CROSSED_FOR_NS the level that was touched longer ago
        is taken for gone.
        """
        if not self.book.crossed():
            self._crossed_since = 0
            return True
        if not self._crossed_since:
            self._crossed_since = now_ns
        if now_ns - self._crossed_since < CROSSED_FOR_NS:
            return False
        while self.book.crossed():
            (bid, bid_ns), (ask, ask_ns) = self.book.best(BID), self.book.best(ASK)
            self.evict(*((BID, bid) if bid_ns <= ask_ns else (ASK, ask)))
        self._crossed_since = 0
        return True

    def evict(self, side: int, ticks: int) -> None:
        """Takes the best level of a side, at `ticks`, for gone."""
        self.book.change_one(TO, side, ticks, 0, 0)
        self.evicted += 1

    def is_new_trade(self, trade_id: int) -> bool:
        """Whether this trade id was not seen before (as far back as ids are kept); duplicates are counted."""
        if trade_id <= self._last_id:
            if trade_id in self._ids or trade_id in self._older_ids:
                self.refuse(Reason.DUPLICATE)
                return False
        else:
            self._last_id = trade_id
        self._ids.add(trade_id)
        if len(self._ids) >= KEPT_IDS:
            self._older_ids, self._ids = self._ids, set()
        return True

    def trade(self, event_ns: int, seq_ns: int, price: str, size: str, trade_id: int, side: int) -> None:
        """One public print; unusable numbers and copies are counted."""
        if not self.is_new_trade(trade_id):
            return
        try:
            ticks, lots = self.grid.ticks[price], self.grid.lots[size]
            if not ticks or not lots or not 0 <= trade_id < FAR:
                raise Unusable(Reason.BAD_EVENT)
        except Unusable as bad:
            self.refuse(bad.reason)
            return
        self.writer.trade(self.number, self.symbol, event_ns, seq_ns, ticks, lots, trade_id, side)
