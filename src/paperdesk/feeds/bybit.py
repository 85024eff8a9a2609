"""Bybit's messages: `orderbook.<depth>.<symbol>` pictures and changes numbered by `u`, `publicTrade.<symbol>` with the
taker's side.

    {"topic":"orderbook.500.XRPUSDT","type":"snapshot","ts":1733011200691,"data":{"s":"XRPUSDT","b":[["1.9531","6203"],…],"a":[…],"u":77}}
    {"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":…,"data":[{"T":…,"s":"BTCUSDT","S":"Sell","v":"0.004","p":"65114.20","i":"…"}]}

Every snapshot replaces the book; a change fits if its `u` follows the last one. The messages do not say whether a
market is spot or perpetual: both spellings of the symbol are understood.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, Literal

import msgspec

from paperdesk.domain.events import Side
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.recording import Found, split_symbol, to_ns
from paperdesk.feeds.sequenced import Diff, SequencedMarket
from paperdesk.feeds.writer import Writer

TAKER: Final = {"Buy": int(Side.BUY), "Sell": int(Side.SELL)}


class Book(msgspec.Struct, gc=False):
    """The `data` of an order book message."""

    s: str
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    u: int


class Trade(msgspec.Struct, gc=False):
    """One row of a trade message's `data`."""

    T: int
    s: str
    S: Literal["Buy", "Sell"]
    v: str
    p: str
    i: str


class Envelope(msgspec.Struct, gc=False):
    """Any message."""

    topic: str = ""
    type: str = ""
    ts: int = 0
    cts: int = 0
    data: msgspec.Raw = msgspec.Raw()


ENVELOPE: Final = msgspec.json.Decoder(Envelope).decode
BOOK: Final = msgspec.json.Decoder(Book).decode
TRADES: Final = msgspec.json.Decoder(list[Trade]).decode


class Bybit:
    """See `messages.Dialect`."""

    venue = "bybit"

    def __init__(self, settled: bool = False) -> None:
        """`settled`: the recording is known to be of linear contracts."""
        self.found: dict[str, Found] = {}
        self._settled = settled
        self._markets: dict[str, SequencedMarket] = {}
        self._writer: Writer | None = None

    def see(self, data: bytes) -> None:
        """See `messages.Dialect.see`."""
        message = ENVELOPE(data)
        if message.topic.startswith("orderbook."):
            book = BOOK(message.data)
            found = self._find(book.s)
            if found is None:
                return
            if message.type == "snapshot":
                found.snapshots += 1
            else:
                found.updates += 1
            for side in (book.b, book.a):
                found.prices.update([level[0] for level in side])
                found.sizes.update([level[1] for level in side])
        elif message.topic.startswith("publicTrade."):
            for trade in TRADES(message.data):
                found = self._find(trade.s)
                if found is not None:
                    found.trades += 1
                    found.prices.add(trade.p)
                    found.sizes.add(trade.v)

    def _find(self, name: str) -> Found | None:
        found = self.found.get(name)
        pair = split_symbol(name) if found is None else None
        if pair is not None:
            base, quote = pair
            symbol = f"{base}/{quote}" + (f":{quote}" if self._settled else "")
            names = {f"{name}:{quote}"} if self._settled else {name, f"{name}:{quote}"}
            found = self.found[name] = Found(symbol, base, quote, self.venue, perpetual=self._settled, names=names)
        return found

    def begin(self, instruments: Mapping[str, Instrument], writer: Writer) -> None:
        """See `messages.Dialect.begin`."""
        self._writer = writer
        self._markets = {
            name: SequencedMarket(instruments[found.symbol], writer)
            for name, found in self.found.items()
            if found.symbol in instruments
        }

    def take(self, data: bytes, seq_ns: int) -> None:
        """See `messages.Dialect.take`."""
        message = ENVELOPE(data)
        if message.topic.startswith("orderbook."):
            book = BOOK(message.data)
            market = self._market(book.s)
            if market is None:
                return
            event_ns = to_ns(message.cts or message.ts)
            seq_ns = seq_ns or to_ns(message.ts)
            if message.type == "snapshot" or book.u == 1:
                market.forget()
                market.snapshot(book.u, book.b, book.a, event_ns, seq_ns)
            else:
                market.diff(Diff(book.u, book.u, -1, book.b, book.a), event_ns, seq_ns)
        elif message.topic.startswith("publicTrade."):
            for trade in TRADES(message.data):
                market = self._market(trade.s)
                if market is not None:
                    trade_id = int.from_bytes(blake2b(trade.i.encode(), digest_size=8).digest(), "little") % 2**62
                    market.trade(
                        to_ns(trade.T), seq_ns or to_ns(message.ts), trade.p, trade.v, trade_id, TAKER[trade.S]
                    )

    def _market(self, name: str) -> SequencedMarket | None:
        market = self._markets.get(name)
        if market is None and self._writer is not None:
            self._writer.refusals[name, Reason.UNKNOWN_SYMBOL] += 1
        return market
