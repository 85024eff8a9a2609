"""Binance's answers: where they are asked for, and what they say.

/api/v3/depth    {"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"],…],"asks":[…]}
/api/v3/trades   [{"id":1111468873,"price":"60650.00","qty":"0.02","time":1634942949263,"isBuyerMaker":true,…},…]
/api/v3/klines   [[1634943780000,"60685.22","60729.84","60670.90","60719.27","21.63",1634943839999,…],…]
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from paperdesk.domain.reasons import Reason
from paperdesk.feeds.binance import CORRUPT, DECODE, Body
from paperdesk.safety.outside import NoAnswer

REST: Final = "https://data-api.binance.vision/api/v3"
STREAMS: Final = "wss://data-stream.binance.vision/stream"
KINDS: Final = ("trade", "bookTicker", "depth@100ms")
MOST_TRADES: Final = 1_000
DEEPEST: Final = 5_000
PROBE_LEVELS: Final = 5


class RestTrade(msgspec.Struct, gc=False):
    """One of /trades; times in milliseconds."""

    id: int
    price: str
    qty: str
    time: int
    isBuyerMaker: bool  # noqa: N815  the venue's name


class RestKline(msgspec.Struct, array_like=True, gc=False):
    """One of /klines; `close_time` is the next open less a millisecond."""

    open_time: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    close_time: int


_TRADES = msgspec.json.Decoder(list[RestTrade]).decode
_KLINES = msgspec.json.Decoder(list[RestKline]).decode


def stream_url(names: Sequence[str]) -> str:
    """One connection that carries trades, best prices and book changes of all these symbols ("BTCUSDT")."""
    return f"{STREAMS}?streams=" + "/".join(f"{name.lower()}@{kind}" for name in names for kind in KINDS)


def definitions_url(names: Sequence[str]) -> str:
    """exchangeInfo of these symbols alone."""
    return f"{REST}/exchangeInfo?symbols=%5B" + "%2C".join(f"%22{name}%22" for name in names) + "%5D"


def depth_url(name: str, levels: int = DEEPEST) -> str:
    """The book; its weight grows with the levels (250 for 5,000, of 6,000 a minute)."""
    return f"{REST}/depth?symbol={name}&limit={levels}"


def trades_url(name: str) -> str:
    """The latest trades."""
    return f"{REST}/trades?symbol={name}&limit={MOST_TRADES}"


def klines_url(name: str, interval: str, count: int) -> str:
    """The latest bars, the last one still open."""
    return f"{REST}/klines?symbol={name}&interval={interval}&limit={count}"


def depth_of(data: bytes) -> Body:
    """A book; NoAnswer for anything else."""
    try:
        body = DECODE(data)
    except CORRUPT as error:
        raise not_as_expected("depth", error) from None
    if body.lastUpdateId < 0 or body.bids is None or body.asks is None:
        raise not_as_expected("depth", "without a book")
    return body


def trades_of(data: bytes, name: str) -> list[Body]:
    """Trades as the stream would have told them, by rising id; NoAnswer for anything else."""
    try:
        rows = _TRADES(data)
    except CORRUPT as error:
        raise not_as_expected("trades", error) from None
    rows.sort(key=lambda row: row.id)
    return [
        Body(e="trade", E=row.time, s=name, t=row.id, p=row.price, q=row.qty, T=row.time, m=row.isBuyerMaker)
        for row in rows
    ]


def klines_of(data: bytes) -> list[RestKline]:
    """Bars, oldest first; NoAnswer for anything else."""
    try:
        return _KLINES(data)
    except CORRUPT as error:
        raise not_as_expected("klines", error) from None


def not_as_expected(what: str, why: Any) -> NoAnswer:
    """An answer in JSON that is not the one asked for."""
    return NoAnswer(Reason.NOT_JSON, f"binance's answer to {what} cannot be used ({str(why)[:80]})")
