"""Bitstamp's order-level log: local time in milliseconds, the kind of event, its JSON.

    1430438404518 order_created {"price": "236.47", "amount": "2.00000000", …, "id": 65595247, "order_type": 0}
    1430438404637 order_deleted {"price": "236.47", "amount": "0.00000000", …, "id": 65595187, "order_type": 1}
    1430438404645 trade {"price": 236.47, "amount": 0.21144331, "id": 8111041}
    1430438405885 order_book {"bids": [["236.47", "1.78855669"], …], "asks": […]}

`order_type` 0 is a bid; a delete with nothing left is a fill. Old trades do not say who was the aggressor. It is
worked out in the first pass, from the two orders that shrank by the traded amount: the one with the larger id came
later, so it took. The log does not name its market either; that comes from the symbol asked for, or from the file's
name.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np

from paperdesk.domain.events import Side
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.grid import Unusable
from paperdesk.feeds.messages import CORRUPT
from paperdesk.feeds.orders import OrderMarket
from paperdesk.feeds.port import Refusals
from paperdesk.feeds.recording import Found, Truncated, digest_of, lines, to_ns
from paperdesk.feeds.writer import Writer

ORDER_KINDS: Final = (b"order_created", b"order_changed", b"order_deleted")
KINDS: Final = (*ORDER_KINDS, b"order_book", b"trade")
NEAR_NS: Final = 3_000_000_000
"""An order shrinks within this time of the trade that shrank it."""
UNITS: Final = 100_000_000
LARGEST: Final = 1e15
BUY, SELL, UNKNOWN = int(Side.BUY), int(Side.SELL), int(Side.UNKNOWN)


class Order(msgspec.Struct, gc=False):
    """An order event."""

    price: str | float
    amount: str | float
    id: int
    order_type: Literal[0, 1]
    datetime: str = ""


class Trade(msgspec.Struct, gc=False):
    """A trade; newer logs name the taker's side in `type` (0 buy)."""

    price: str | float
    amount: str | float
    id: int
    type: int = -1


class Picture(msgspec.Struct, gc=False):
    """The best levels."""

    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


ORDER: Final = msgspec.json.Decoder(Order).decode
TRADE: Final = msgspec.json.Decoder(Trade).decode
PICTURE: Final = msgspec.json.Decoder(Picture).decode


class Shrink(NamedTuple):
    """One order that became smaller; `age_ns` since it was created, -1 if before the recording."""

    ts_ns: int
    order_id: int
    order_type: int
    age_ns: int


def text(value: str | float) -> str:
    """A number as it was written, or as the shortest text of the float."""
    return value if isinstance(value, str) else repr(value)


def units(value: str | float) -> int:
    """An amount in 10^-8, to find equal ones; ValueError for what is no amount."""
    number = float(value)
    if not abs(number) < LARGEST:
        raise ValueError(f"{value!r} is no amount")
    return round(number * UNITS)


def split_line(line: bytes) -> tuple[int, bytes, bytes]:
    """(local time in nanoseconds, kind, JSON) of a line; ValueError where it is none."""
    stamp, _, rest = line.partition(b" ")
    kind, _, content = rest.partition(b" ")
    if kind not in KINDS:
        raise ValueError(f"unknown kind of event {kind[:20]!r}")
    return to_ns(int(stamp)), kind, content


class Aggressors:
    """Collects orders and trades in the first pass; says afterwards who took."""

    def __init__(self) -> None:
        self._live: dict[int, tuple[int, int]] = {}
        self._shrinks: dict[int, list[Shrink]] = defaultdict(list)
        self._gone: list[Shrink] = []
        self._trades: list[tuple[int, int, int]] = []

    def order(self, kind: bytes, now_ns: int, order: Order) -> None:
        """One order event."""
        left = units(order.amount)
        before = self._live.pop(order.id, None)
        if kind == b"order_created":
            self._live[order.id] = (left, now_ns)
            return
        if before is None:
            self._gone.append(Shrink(now_ns, order.id, order.order_type, -1))
            born = now_ns
        else:
            by, born = before[0] - left, before[1]
            if by > 0:
                self._shrinks[by].append(Shrink(now_ns, order.id, order.order_type, now_ns - born))
        if kind == b"order_changed":
            self._live[order.id] = (left, born)

    def trade(self, now_ns: int, trade: Trade) -> None:
        """One trade."""
        self._trades.append((trade.id, now_ns, units(trade.amount)))

    def sides(self) -> dict[int, int]:
        """The aggressor's side by trade id, as far as it can be told."""
        times = [shrink.ts_ns for shrink in self._gone]
        out: dict[int, int] = {}
        for trade_id, now_ns, amount in self._trades:
            shrinks = [shrink for shrink in self._shrinks[amount] if abs(shrink.ts_ns - now_ns) <= NEAR_NS]
            bid, ask = (
                min((s for s in shrinks if s.order_type == kind), key=lambda s: abs(s.ts_ns - now_ns), default=None)
                for kind in (0, 1)
            )
            if bid is None and ask is None:
                continue
            if bid is None or ask is None:
                known = bid or ask
                assert known is not None
                start, end = bisect_left(times, now_ns - NEAR_NS), bisect_right(times, now_ns + NEAR_NS)
                others = [shrink.order_id for shrink in self._gone[start:end] if shrink.order_type != known.order_type]
                took = known.order_id > max(others) if others else 0 <= known.age_ns <= NEAR_NS
                out[trade_id] = BUY if took == (known.order_type == 0) else SELL
            else:
                out[trade_id] = BUY if bid.order_id > ask.order_id else SELL
        return out


class BitstampLog:
    """A file of order-level events."""

    kind = "Bitstamp order log"

    def __init__(self, path: Path, pair: tuple[str, str]) -> None:
        """`pair`: base and quote, which the log does not name."""
        self.path = path
        self.digest = digest_of(path)
        self.notes: list[str] = []
        self._found = Found("/".join(pair), *pair, "bitstamp", names={"".join(pair)})
        self.found = {self._found.symbol: self._found}
        aggressors = Aggressors()
        try:
            for batch in lines(path):
                for line in batch:
                    try:
                        self._look(*split_line(line), aggressors)
                    except CORRUPT:
                        continue
        except Truncated as error:
            self.notes.append(f"{path.name}: {error}; what came before is used")
        self._found.settle_texts()
        self.sides = aggressors.sides()
        self.notes.append(
            f"{self._found.symbol}: the log names neither its market nor the takers of {self._found.trades} trades; "
            f"{len(self.sides)} takers are told from the orders"
        )

    def _look(self, now_ns: int, kind: bytes, content: bytes, aggressors: Aggressors) -> None:
        found = self._found
        if kind == b"order_book":
            PICTURE(content)
            found.snapshots += 1
            return
        if kind == b"trade":
            trade = TRADE(content)
            found.trades += 1
            aggressors.trade(now_ns, trade)
            price, amount = trade.price, trade.amount
        else:
            order = ORDER(content)
            found.updates += 1
            aggressors.order(kind, now_ns, order)
            price, amount = order.price, order.amount
        found.prices.add(text(price))
        found.sizes.add(text(amount))

    def blocks(self, instruments: Mapping[str, Instrument], refusals: Refusals) -> Iterator[np.ndarray]:
        """See `Recording`."""
        if self._found.symbol not in instruments:
            return
        writer = Writer(refusals)
        market = OrderMarket(instruments[self._found.symbol], writer, wait_for_picture=self._found.snapshots > 0)
        for batch in lines(self.path, refusals):
            for line in batch:
                try:
                    self._take(market, *split_line(line))
                except Unusable as bad:
                    market.refuse(bad.reason)
                except CORRUPT:
                    refusals["", Reason.CORRUPT_LINE] += 1
            yield from writer.drain()
        yield from writer.finish()

    def _take(self, market: OrderMarket, now_ns: int, kind: bytes, content: bytes) -> None:
        ticks, lots = market.grid.ticks, market.grid.lots
        if kind == b"trade":
            trade = TRADE(content)
            side = (BUY, SELL)[trade.type] if trade.type in (0, 1) else self.sides.get(trade.id, UNKNOWN)
            market.trade(now_ns, now_ns, text(trade.price), text(trade.amount), trade.id, side)
        elif kind == b"order_book":
            picture = PICTURE(content)
            market.compare(picture.bids, picture.asks, now_ns)
            market.show_if_due(now_ns, now_ns)
        else:
            order = ORDER(content)
            price, left = ticks[text(order.price)], lots[text(order.amount)]
            if not price:
                raise Unusable(Reason.BAD_EVENT)
            act = {
                b"order_created": market.created,
                b"order_changed": market.changed,
                b"order_deleted": market.deleted,
            }[kind]
            act(order.id, order.order_type == 0, price, left, now_ns)
            market.show_if_due(now_ns, now_ns)
