"""From a venue's messages to what the desk sees: one market's full book, reduced to its visible part, its trades and
its best prices.

The whole book is kept as two sorted lists of prices; the DEPTH best levels go out as a BOOK input when they
changed. Three things are never done: a price is never rounded, an older picture never undoes a newer one, a crossed
book is never shown.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from typing import Final

from paperdesk.domain.events import DEPTH
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.grid import Grid, Unusable
from paperdesk.feeds.writer import Writer

CROSSED_FOR_NS: Final = 5_000_000_000
"""How long a crossed book is waited for before the older of the two sides gives way."""
KEPT_IDS: Final = 65_536
"""Trade ids are remembered for at least this many trades."""
FAR: Final = 2**62
ORDERED: Final = 200
"""About how many levels a side are kept in order."""


class Half:
    """One side of a book: `sizes` by key (the price; negated for bids), and `keys`, those up to `edge`, best first.

    Most changes are far from the touch, where nobody looks: those levels are kept, but not in order, until they come
    near.
    """

    __slots__ = ("edge", "keys", "sign", "sizes", "touched")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.sizes: dict[int, int] = {}
        self.edge = FAR
        self.touched: dict[int, int] = {}

    def put(self, key: int, size: int) -> bool:
        """Sets one level (0 removes it); whether that is within the visible part."""
        keys, sizes = self.keys, self.sizes
        visible = len(keys) < DEPTH or key <= keys[DEPTH - 1]
        if size:
            old = sizes.get(key)
            if old is None and key <= self.edge:
                insort(keys, key)
            elif old == size:
                return False
            sizes[key] = size
        else:
            if sizes.pop(key, 0) == 0:
                return False
            if key <= self.edge:
                del keys[bisect_left(keys, key)]
        self.order(DEPTH)
        return visible

    def load(self, levels: dict[int, int]) -> None:
        """Replaces all levels (by key)."""
        self.sizes = levels
        self.keys = []
        self.edge = -FAR
        self.order(DEPTH)

    def order(self, needed: int) -> None:
        """Sees to it that at least the `needed` best levels (or all there are) are in order, and not too many more."""
        keys = self.keys
        if len(keys) < needed and self.edge < FAR:
            keys = sorted(self.sizes)
        elif len(keys) <= 2 * ORDERED:
            return
        kept = max(needed, ORDERED)
        self.edge = keys[kept - 1] if len(self.sizes) > kept else FAR
        self.keys = keys[:kept]


class Market:
    """One instrument of one recording: its book, what is known of its trades, and the writer that its inputs go to."""

    __slots__ = (
        "_crossed_since", "_ids", "_last_id", "_older_ids", "asks", "bids", "evicted", "grid", "number",
        "symbol", "writer",
    )  # fmt: skip

    def __init__(self, instrument: Instrument, writer: Writer) -> None:
        self.number = instrument.number
        self.symbol = instrument.symbol
        self.grid = Grid(instrument)
        self.writer = writer
        self.bids, self.asks = Half(-1), Half(1)
        self.evicted = 0
        self._ids: set[int] = set()
        self._older_ids: set[int] = set()
        self._last_id = -1
        self._crossed_since = 0

    def refuse(self, reason: Reason) -> None:
        """Counts one datum that was not used."""
        self.writer.refusals[self.symbol, reason] += 1

    def apply(self, half: Half, levels: Iterable[tuple[str, str]]) -> bool:
        """Applies (price, size) texts to one side; whether the visible part changed. Unusable levels are counted and
        not shown.
        """
        keys, sizes, sign, edge = half.keys, half.sizes, half.sign, half.edge
        ticks, lots = self.grid.ticks, self.grid.lots
        visible = keys[DEPTH - 1] if len(keys) >= DEPTH else FAR
        changed = False
        for price_text, size_text in levels:
            try:
                key = ticks[price_text] * sign
                if not key:
                    raise Unusable(Reason.BAD_EVENT)
                try:
                    size = lots[size_text]
                except Unusable as bad:
                    self.refuse(bad.reason)
                    size = 0
            except Unusable as bad:
                self.refuse(bad.reason)
                continue
            if size:
                old = sizes.get(key)
                if old is None:
                    if key <= edge:
                        insort(keys, key)
                elif old == size:
                    continue
                sizes[key] = size
            else:
                if sizes.pop(key, 0) == 0:
                    continue
                if key <= edge:
                    del keys[bisect_left(keys, key)]
            if key <= visible:
                changed = True
        half.order(DEPTH)
        return changed

    def load(self, bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> None:
        """Replaces the whole book by a full picture."""
        for half, levels in ((self.bids, bids), (self.asks, asks)):
            half.load({})
            self.apply(half, levels)

    def crossed(self) -> bool:
        """Whether best bid and best ask exclude each other."""
        return bool(self.bids.keys and self.asks.keys and -self.bids.keys[0] >= self.asks.keys[0])

    def show(self, event_ns: int, seq_ns: int) -> bool:
        """Writes the visible part; False while the book is crossed (then nothing is written)."""
        bid_keys, ask_keys = self.bids.keys[:DEPTH], self.asks.keys[:DEPTH]
        if bid_keys and ask_keys and -bid_keys[0] >= ask_keys[0]:
            return False
        bid_sizes, ask_sizes = self.bids.sizes, self.asks.sizes
        self.writer.book(
            self.number,
            self.symbol,
            event_ns,
            seq_ns,
            [-key for key in bid_keys],
            [bid_sizes[key] for key in bid_keys],
            ask_keys,
            [ask_sizes[key] for key in ask_keys],
        )
        return True

    def uncross(self, now_ns: int) -> bool:
        """For streams without sequence numbers: whether the book is uncrossed, if need be by dropping levels that
        outlived their time.

        A crossed book is a moment between two messages; after CROSSED_FOR_NS the level that was touched longer ago
        is taken for gone.
        """
        if not self.crossed():
            self._crossed_since = 0
            return True
        if not self._crossed_since:
            self._crossed_since = now_ns
        if now_ns - self._crossed_since < CROSSED_FOR_NS:
            return False
        while self.crossed():
            bid, ask = self.bids.keys[0], self.asks.keys[0]
            old = self.bids if self.bids.touched.get(bid, 0) <= self.asks.touched.get(ask, 0) else self.asks
            self.evict(old)
        self._crossed_since = 0
        return True

    def evict(self, half: Half) -> None:
        """Takes the best level of a side for gone."""
        key = half.keys[0]
        half.put(key, 0)
        half.touched.pop(key, None)
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
