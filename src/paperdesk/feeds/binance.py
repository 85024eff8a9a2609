"""Binance's messages, and the capture format of its recorders: local receive time, a space, the frame as it came.

    1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":5009,"s":"BTCUSDT","b":"61837.63","B":"3.78",…}}
    1723161254206652067 {"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"],…],"asks":[…]}

Frames may be bare or wrapped as above; the REST snapshot stands between them. Local times are nanoseconds
(microseconds in older files). Linear (USD-M) futures carry `pu` in their diffs; inverse (COIN-M) ones carry `ps`
and are not traded here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from paperdesk.domain.events import Side
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import Refusals
from paperdesk.feeds.recording import LATEST_NS, Found, Truncated, digest_of, followed, lines, split_symbol, to_ns
from paperdesk.feeds.sequenced import Diff, SequencedMarket
from paperdesk.feeds.writer import Writer

BUY, SELL = int(Side.BUY), int(Side.SELL)
Pairs = list[tuple[str, str]]
EARLY_NS: Final = 10**17
EARLY_MS: Final = EARLY_NS // 10**6
LATE_MS: Final = LATEST_NS // 10**6
SAME_MARKET: Final = 1.5
"""Prices within this factor may be of the same market."""
TEXTS_KEPT: Final = 200_000
JUMP_NS: Final = 60_000_000_000
"""A local time further ahead than this is looked at twice: one damaged digit must not carry all later lines along."""


class Kline(msgspec.Struct, gc=False):
    """The `k` of a kline frame: a bar, closed where `x`."""

    t: int
    T: int
    o: str
    h: str
    l: str  # noqa: E741  the venue's name
    c: str
    v: str
    x: bool


class Body(msgspec.Struct, gc=False):
    """Any message of the market streams and the REST depth answer; which it is shows in what is there. Fields stand
    in the order in which the commonest messages have them, in which they are found fastest.
    """

    u: int = -1
    s: str = ""
    b: str | Pairs | int = ""
    B: str | Pairs = ""
    a: str | Pairs | int = ""
    A: str | Pairs = ""
    e: str = ""
    E: int = 0
    U: int = -1
    t: int = -1
    p: str = ""
    q: str = ""
    T: int = 0
    m: bool | None = None
    pu: int = -1
    ps: str = ""
    k: Kline | None = None
    lastUpdateId: int = -1  # noqa: N815  the venue's name
    bids: Pairs | None = None
    asks: Pairs | None = None
    symbol: str = ""


class Frame(Body, gc=False):
    """A bare message, or a wrapped one in `data`."""

    stream: str = ""
    data: Body | None = None
    id: int | str | msgspec.UnsetType | None = msgspec.UNSET
    """Only answers to subscriptions have one."""


DECODE: Final = msgspec.json.Decoder(Frame).decode
CORRUPT: Final = (msgspec.DecodeError, ValueError, RecursionError)
"""What decoding raises for lines that cannot be read."""


class Scan:
    """The first pass: what markets there are and what their numbers look like."""

    def __init__(self, venue: str = "") -> None:
        self.venue = venue
        self.found: dict[str, Found] = {}
        self.unnamed_snapshots = 0
        self.used = 0
        self.corrupt = 0

    def see(self, body: Body, symbol: str = "") -> None:
        """Looks at one message (`symbol`: what is known from outside, such as the URL of a REST answer)."""
        name = body.s or body.symbol or symbol
        if not name:
            if body.lastUpdateId >= 0 and body.bids is not None:
                self.unnamed_snapshots += 1
            return
        found = self.found.get(name)
        if found is None:
            market = split_symbol(name.split("_")[0]) if "_" in name else split_symbol(name)
            if market is None:
                return
            found = self.found[name] = Found("", market[0], market[1], self.venue, names={name})
        self._count(found, body)
        if len(found.prices) > TEXTS_KEPT or len(found.sizes) > TEXTS_KEPT:
            found.settle_texts()

    def _count(self, found: Found, body: Body) -> None:
        kind = body.e
        self.used += 1
        if body.ps or "_" in next(iter(found.names)):
            found.inverse = found.inverse or bool(body.ps)
        if kind == "depthUpdate":
            if body.pu >= 0:
                found.perpetual = True
            found.updates += 1
            self._levels(found, body.b, body.a)
        elif kind == "trade" or kind == "aggTrade":
            if kind == "trade":
                found.trades += 1
            else:
                found.aggregates += 1
            found.prices.add(body.p)
            found.sizes.add(body.q)
        elif kind == "kline" and body.k is not None:
            if body.k.x:
                kline = body.k
                found.bars += 1
                found.interval_ns = to_ns(kline.T + 1) - to_ns(kline.t)
                found.prices.update((kline.o, kline.h, kline.l, kline.c))
                found.sizes.add(kline.v)
        elif body.lastUpdateId >= 0 and body.bids is not None and body.asks is not None:
            found.snapshots += 1
            self._levels(found, body.bids, body.asks)
        elif isinstance(body.b, str) and isinstance(body.a, str) and body.b and body.a:
            found.quotes += 1
            found.perpetual = found.perpetual or (kind == "bookTicker" and body.T > 0)
            found.prices.update((body.b, body.a))
            found.sizes.update((str(body.B), str(body.A)))
        if not found.first_price and found.prices:
            found.settle_texts()
            found.first_price = found.largest_price

    @staticmethod
    def _levels(found: Found, *sides: object) -> None:
        for side in sides:
            if isinstance(side, list):
                found.prices.update([level[0] for level in side])
                found.sizes.update([level[1] for level in side])

    def finish(self) -> dict[str, Found]:
        """What was found, by canonical symbol."""
        for name, found in self.found.items():
            found.settle_texts()
            found.inverse = found.inverse or name.endswith("_PERP") or self.venue == "binancecoinm"
            perpetual = found.perpetual or found.inverse or self.venue == "binanceusdm"
            found.venue = self.venue or ("binancecoinm" if found.inverse else "binanceusdm" if perpetual else "binance")
            pair = f"{found.base}/{found.quote}"
            found.symbol = f"{pair}:{found.base if found.inverse else found.quote}" if perpetual else pair
            delivery = name.partition("_")[2]
            if delivery and delivery != "PERP":
                found.symbol += f"-{delivery}"
            found.perpetual = perpetual and not found.inverse
        return {found.symbol: found for found in self.found.values() if found.events()}


class Reader:
    """The second pass: messages of the wanted markets become inputs."""

    def __init__(self, markets: Mapping[str, SequencedMarket], found: Mapping[str, Found], writer: Writer) -> None:
        """`markets` and `found` by the venue's own symbol."""
        self.markets = markets
        self.writer = writer
        self.plain_trades = {name for name, market in found.items() if market.trades}
        self.barred = {
            name
            for name, market in found.items()
            if not (market.trades or market.aggregates or market.quotes or market.updates)
        }
        self.first_prices = {name: market.first_price for name, market in found.items()}

    def take(self, body: Body, seq_ns: int, symbol: str = "") -> None:
        """One message, received at `seq_ns`."""
        market = self.markets.get(body.s or body.symbol or symbol)
        if market is None:
            self._take_unnamed(body, seq_ns, symbol)
            return
        kind = body.e
        event = body.E
        event_ns = seq_ns if not event else event * 1_000_000 if LATE_MS > event > EARLY_MS else to_ns(event)
        b, a = body.b, body.a
        if (kind == "" or kind == "bookTicker") and body.lastUpdateId < 0:
            bid_size, ask_size = body.B, body.A
            if not (
                isinstance(b, str) and isinstance(a, str) and isinstance(bid_size, str) and isinstance(ask_size, str)
            ):
                raise ValueError("best prices without prices or sizes")
            if b and a:
                market.quote(body.u, b, bid_size, a, ask_size, event_ns, seq_ns)
        elif kind == "trade" or kind == "aggTrade":
            if kind == "trade":
                trade_id = body.t
            elif body.s in self.plain_trades:
                return
            else:
                trade_id = a if isinstance(a, int) else -1
            if body.m is None or trade_id < 0:
                raise ValueError("a trade without side or id")
            traded = to_ns(body.T) if body.T else event_ns
            market.trade(traded, seq_ns, body.p, body.q, trade_id, SELL if body.m else BUY)
        elif kind == "depthUpdate":
            if not (isinstance(b, list) and isinstance(a, list)) or body.U < 0 or body.u < body.U:
                raise ValueError("a depth update without levels or ids")
            market.diff(Diff(body.U, body.u, body.pu, b, a), event_ns, seq_ns)
        elif body.lastUpdateId >= 0 and body.bids is not None and body.asks is not None:
            market.snapshot(body.lastUpdateId, body.bids, body.asks, event_ns, seq_ns)
        elif kind == "kline" and body.k is not None and body.k.x and body.s in self.barred:
            _bar(market, body.k)

    def _take_unnamed(self, body: Body, seq_ns: int, symbol: str) -> None:
        """A message of no wanted market: counted; but a snapshot without a symbol belongs to the market whose prices
        it shows.
        """
        name = body.s or body.symbol or symbol
        if name:
            self.writer.refusals[name, Reason.UNKNOWN_SYMBOL] += 1
            return
        if body.lastUpdateId < 0 or not body.bids or body.asks is None:
            answer = isinstance(body, Frame) and body.id is not msgspec.UNSET
            if not (answer or body.e) or body.lastUpdateId >= 0:
                raise ValueError("a message that says nothing known")
            return
        nearest = self._nearest(float(body.bids[0][0]))
        if nearest in self.markets:
            self.take(msgspec.structs.replace(body, symbol=nearest), seq_ns)
        else:
            self.writer.refusals["", Reason.UNKNOWN_SYMBOL] += 1

    def _nearest(self, price: float) -> str:
        """The market with prices like this one; the only one, where there is only one."""
        if len(self.first_prices) == 1:
            return next(iter(self.first_prices))
        ratios = {
            name: max(price, first) / max(min(price, first), 1e-12)
            for name, first in self.first_prices.items()
            if first
        }
        nearest = min(ratios, key=lambda name: ratios[name], default="")
        return nearest if nearest and ratios[nearest] < SAME_MARKET else ""


def _bar(market: SequencedMarket, kline: Kline) -> None:
    """A closed kline as a bar (only for markets of which nothing finer was recorded)."""
    ticks, lots = market.grid.ticks, market.grid.lots
    try:
        prices = (ticks[kline.o], ticks[kline.h], ticks[kline.l], ticks[kline.c])
        volume = lots[kline.v]
    except ValueError as bad:
        market.refuse(getattr(bad, "reason", Reason.BAD_EVENT))
        return
    start, end = to_ns(kline.t), to_ns(kline.T + 1)
    market.writer.bar(market.number, market.symbol, start, end, prices, volume, end - start)


def is_stray(time_ns: int, following: bytes) -> bool:
    """Whether the line after this one lies far before it, so that this one's time must be damaged."""
    stamp = following.partition(b" ")[0]
    return stamp.isdigit() and to_ns(int(stamp)) < time_ns - JUMP_NS


class BinanceCapture:
    """A file of `<local time> <frame>` lines."""

    kind = "Binance raw capture"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.digest = digest_of(path)
        self.notes: list[str] = []
        self.markets: dict[str, SequencedMarket] = {}
        scan = Scan()
        self._look(scan)
        self._by_name = dict(scan.found)
        self.found = scan.finish()
        if scan.unnamed_snapshots and self.found:
            for found in self.found.values():
                found.snapshots += 1
        self.notes += [
            f"{found.symbol}: no depth snapshot in the recording; its book is not used, only best prices and trades"
            for found in self.found.values()
            if found.updates and not found.snapshots
        ]

    def _look(self, scan: Scan) -> None:
        try:
            for batch in lines(self.path):
                for line in batch:
                    try:
                        frame = DECODE(line[line.find(b" ") + 1 :])
                    except CORRUPT:
                        scan.corrupt += 1
                        continue
                    scan.see(frame.data if frame.data is not None else frame)
        except Truncated as error:
            self.notes.append(f"{self.path.name}: {error}; what came before is used")

    def blocks(self, instruments: Mapping[str, Instrument], refusals: Refusals) -> Iterator[np.ndarray]:
        """See `Recording`."""
        writer = Writer(refusals)
        self.markets = {
            name: SequencedMarket(instruments[found.symbol], writer)
            for name, found in self._by_name.items()
            if found.symbol in instruments
        }
        take = Reader(self.markets, self._by_name, writer).take
        last = 0
        for batch, after in followed(lines(self.path, refusals)):
            for index, line in enumerate(batch, 1):
                stamp, _, message = line.partition(b" ")
                try:
                    frame = DECODE(message)
                    time = int(stamp)
                    if not EARLY_NS < time < LATEST_NS:
                        time = to_ns(time)
                    if time - last > JUMP_NS and is_stray(time, batch[index] if index < len(batch) else after):
                        raise ValueError("a local time far ahead of the lines that follow")
                    last = time
                    take(frame.data or frame, time)
                except CORRUPT:
                    refusals["", Reason.CORRUPT_LINE] += 1
            yield from writer.drain()
        yield from writer.finish()
