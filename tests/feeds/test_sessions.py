"""Recorded sessions, in both forms: connections put in order, definitions found inside, Binance's venues told apart."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.feeds.build import (
    T0,
    assert_keeps_the_rules,
    depth,
    kinds,
    opened,
    picture,
    print_of,
    refused,
    rows_of,
    ticker,
    wrap,
    write,
)

from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import RecordingRefused

SECONDS = T0 // 10**9
HOST = "https://api.binance.com/api/v3"
STREAM = "wss://stream.binance.com:9443/stream?streams=btcusdt@depth"
FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
    {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"},
    {"filterType": "NOTIONAL", "minNotional": "5", "applyMinToMarket": True},
]
INFO = {
    "symbols": [
        {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": FILTERS}
    ]
}
FRAMES: list[tuple[float, str, dict[str, Any]]] = [
    (1.0, f"{HOST}/exchangeInfo", INFO),
    (3.0, f"{HOST}/depth?symbol=BTCUSDT&limit=1000", picture(102, [["100.0", "1.0"]], [["100.1", "1.5"]])),
    (2.0, "", wrap(depth(101, 103, [["99.9", "2.0"]]))),
    (4.0, "", wrap(ticker(104, "100.0", "0.7", "100.1", "1.5"))),
    (5.0, "", wrap(print_of(7, "100.0", "0.3"))),
]


def as_json(
    frames: list[tuple[float, str, dict[str, Any]]], exchange: str = "BINANCE", address: str = STREAM
) -> list[bytes]:
    """The newer form."""
    out: list[dict[str, Any]] = [
        {"t": "header", "format": 2, "exchange": exchange},
        {"t": "connect", "conn": "ws.1", "ts": SECONDS, "addr": address},
    ]
    for seconds, url, data in frames:
        kind = {"t": "http", "conn": "http.0", "url": url} if url else {"t": "recv", "conn": "ws.1"}
        out.append({**kind, "ts": SECONDS + seconds, "data": json.dumps(data)})
    return [json.dumps(line).encode() for line in out]


def as_text(frames: list[tuple[float, str, dict[str, Any]]]) -> list[bytes]:
    """The older form."""
    out = ["configuration: {}", f"{STREAM} <-> {SECONDS}.5", f'{STREAM} <- {SECONDS}.6: {{"method": "SUBSCRIBE"}}']
    for seconds, url, data in frames:
        out.append(
            f"{url} -> {SECONDS + seconds}: {json.dumps(data)}" if url else f"{SECONDS + seconds}: {json.dumps(data)}"
        )
    return [line.encode() for line in out]


@pytest.mark.parametrize("form", [as_json, as_text])
def test_a_session_defines_its_instruments_and_is_put_in_order(tmp_path: Path, form: Any) -> None:
    feed = opened(write(tmp_path / "s.zst", form(FRAMES)))
    (instrument,) = feed.instruments
    assert (instrument.tick, instrument.lot, instrument.min_notional) == (Decimal("0.01"), Decimal("0.001"), Decimal(5))
    assert (instrument.origin, instrument.venue, instrument.symbol) == ("exchange", "binance", "BTC/USDT")
    assert "BTC/USDT: tick 0.01, lot 0.001 from the recording" in feed.notes
    rows = rows_of(feed)
    assert kinds(rows) == ["BOOK", "QUOTE", "TRADE"]
    assert rows["ts_seq_ns"].tolist() == [T0 + seconds * 10**9 for seconds in (3, 4, 5)]
    assert refused(feed) == {}


@pytest.mark.parametrize(
    ("exchange", "address", "symbol", "venue"),
    [
        ("BINANCE_US", "wss://stream.binance.us:9443", "BTC/USDT", "binanceus"),
        ("BINANCE_FUTURES", "wss://fstream.binance.com/stream", "BTC/USDT:USDT", "binanceusdm"),
    ],
)
def test_venues_are_told_apart_by_where_the_frames_came_from(
    tmp_path: Path, exchange: str, address: str, symbol: str, venue: str
) -> None:
    feed = opened(write(tmp_path / "s", as_json(FRAMES[2:], exchange, address)))
    assert [(instrument.symbol, instrument.venue) for instrument in feed.instruments] == [(symbol, venue)]


def test_sessions_of_coin_margined_contracts_and_of_unknown_venues_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingRefused, match="inverse contract"):
        opened(write(tmp_path / "d", as_json(FRAMES[2:], "BINANCE_DELIVERY", "wss://dstream.binance.com/stream")))
    with pytest.raises(RecordingRefused, match="a session recorded at UPBIT; only those of Binance's venues"):
        opened(write(tmp_path / "u", as_json(FRAMES[2:], "UPBIT", "wss://api.upbit.com")))
    with pytest.raises(RecordingRefused, match="in which no market data came"):
        opened(write(tmp_path / "e", as_json([])))


def test_damaged_lines_of_a_session_are_counted(tmp_path: Path) -> None:
    lines = as_json(FRAMES)
    feed = opened(
        write(tmp_path / "s", [*lines, b"{", b'{"t":"recv","conn":"ws.1","ts":1700000006.0,"data":"{"}', b"\xff"])
    )
    assert kinds(rows_of(feed)) == ["BOOK", "QUOTE", "TRADE"]
    assert refused(feed) == {("", Reason.CORRUPT_LINE): 3}
    assert refused(feed) == {("", Reason.CORRUPT_LINE): 3}, "the count does not grow with each pass"


def test_bybit_sessions_keep_spot_and_linear_apart(tmp_path: Path) -> None:
    def book(connection: str, seconds: float, price: str) -> dict[str, Any]:
        data = {"s": "BTCUSDT", "b": [[price, "1"]], "a": [], "u": 5}
        message = {"topic": "orderbook.200.BTCUSDT", "type": "snapshot", "ts": T0 // 10**6, "data": data}
        return {"t": "recv", "conn": connection, "ts": SECONDS + seconds, "data": json.dumps(message)}

    lines: list[dict[str, Any]] = [
        {"t": "header", "exchange": "BYBIT"},
        {"t": "connect", "conn": "a", "ts": SECONDS, "addr": "wss://stream.bybit.com/v5/public/linear"},
        {"t": "connect", "conn": "b", "ts": SECONDS, "addr": "wss://stream.bybit.com/v5/public/spot"},
        book("a", 2, "100.5"),
        book("b", 1, "100.4"),
    ]
    feed = opened(write(tmp_path / "s", [json.dumps(line).encode() for line in lines]))
    assert [instrument.symbol for instrument in feed.instruments] == ["BTC/USDT", "BTC/USDT:USDT"]
    rows = next(assert_keeps_the_rules(feed.blocks(), 2))
    assert rows["instrument"].tolist() == [0, 1]
