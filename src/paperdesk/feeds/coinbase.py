"""Coinbase Exchange's messages: a full picture, then changes; trades name the *maker's* side, so the aggressor is the
other one.

    {"type":"snapshot","product_id":"BTC-USD","bids":[["8042.90","1.5"],…],"asks":[…]}
    {"type":"l2update","product_id":"BTC-USD","time":"2018-04-17T00:55:04.358Z","changes":[["buy","8041.33","0"]]}
    {"type":"match","product_id":"BTC-USD","trade_id":41766821,"side":"buy","price":"8042.90","size":"0.1552","time":"…"}

There are no sequence numbers in these channels, so a hole cannot be seen. `last_match` repeats a trade from before
the subscription.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from paperdesk.domain.events import Side
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.levels import LevelMarket
from paperdesk.feeds.messages import iso_ns
from paperdesk.feeds.recording import Found, split_symbol
from paperdesk.feeds.writer import Writer

AGGRESSOR: Final = {"buy": int(Side.SELL), "sell": int(Side.BUY), "": int(Side.UNKNOWN)}


class Message(msgspec.Struct, gc=False):
    """Any message of the feed; which it is, `type` says."""

    type: str
    product_id: str = ""
    time: str = ""
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []
    changes: list[tuple[Literal["buy", "sell"], str, str]] = []
    trade_id: int = -1
    side: Literal["buy", "sell", ""] = ""
    price: str = ""
    size: str = ""


DECODE: Final = msgspec.json.Decoder(Message).decode


class Coinbase:
    """See `messages.Dialect`."""

    venue = "coinbase"

    def __init__(self) -> None:
        self.found: dict[str, Found] = {}
        self._markets: dict[str, LevelMarket] = {}
        self._writer: Writer | None = None

    def see(self, data: bytes) -> None:
        """See `messages.Dialect.see`."""
        message = DECODE(data)
        if not message.product_id:
            return
        found = self.found.get(message.product_id)
        if found is None:
            pair = split_symbol(message.product_id)
            if pair is None:
                return
            found = Found("/".join(pair), *pair, self.venue, names={message.product_id})
            self.found[message.product_id] = found
        if message.type == "snapshot":
            found.snapshots += 1
            for side in (message.bids, message.asks):
                found.prices.update([level[0] for level in side])
                found.sizes.update([level[1] for level in side])
        elif message.type == "l2update":
            found.updates += 1
            found.prices.update([change[1] for change in message.changes])
            found.sizes.update([change[2] for change in message.changes])
        elif message.type == "match":
            found.trades += 1
            found.prices.add(message.price)
            found.sizes.add(message.size)

    def begin(self, instruments: Mapping[str, Instrument], writer: Writer) -> None:
        """See `messages.Dialect.begin`."""
        self._writer = writer
        self._markets = {
            name: LevelMarket(instruments[found.symbol], writer)
            for name, found in self.found.items()
            if found.symbol in instruments
        }

    def take(self, data: bytes, seq_ns: int) -> None:
        """See `messages.Dialect.take`."""
        message = DECODE(data)
        market = self._markets.get(message.product_id)
        if market is None:
            if message.product_id and self._writer is not None:
                self._writer.refusals[message.product_id, Reason.UNKNOWN_SYMBOL] += 1
            return
        if message.type == "snapshot":
            market.picture(message.bids, message.asks)
            if seq_ns:
                market.show_if_due(seq_ns, seq_ns)
            return
        if message.type not in ("l2update", "match"):
            return
        event_ns = iso_ns(message.time)
        seq_ns = seq_ns or event_ns
        if message.type == "match":
            market.trade(event_ns, seq_ns, message.price, message.size, message.trade_id, AGGRESSOR[message.side])
            return
        bids, asks = (
            [(price, size) for name, price, size in message.changes if name == side] for side in ("buy", "sell")
        )
        market.change(bids, asks, event_ns)
        market.show_if_due(event_ns, seq_ns)
