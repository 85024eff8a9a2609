"""Books from messages and tables: Coinbase, Bybit, Bitstamp's orders, level changes and mixed events in Parquet."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.feeds.build import MS, SECOND, assert_keeps_the_rules, book_of, kinds, opened, refused, rows_of, write

from paperdesk.domain.events import MarketStatus, Side
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.messages import iso_ns
from paperdesk.feeds.port import RecordingRefused

START = datetime(2018, 4, 17, tzinfo=UTC)
START_NS = int(START.timestamp()) * SECOND
NAMES = {"symbol": "BTC/USD", "venue": "coinbase"}


def dumped(messages: list[dict[str, Any] | bytes]) -> list[bytes]:
    """Messages as lines."""
    return [message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages]


# ---------------------------------------------------------------------------------------------------- Coinbase


def coinbase() -> list[dict[str, Any]]:
    """A picture, changes, a trade whose maker bought."""
    head = {"product_id": "BTC-USD"}
    return [
        {**head, "type": "snapshot", "bids": [["99.0", "1.0"], ["98.5", "2.0"]], "asks": [["100.0", "3.0"]]},
        {
            **head,
            "type": "last_match",
            "trade_id": 1,
            "side": "buy",
            "price": "99.0",
            "size": "1.0",
            "time": "2018-04-17T00:00:00.000Z",
        },
        {"type": "subscriptions", "channels": []},
        {
            **head,
            "type": "l2update",
            "time": "2018-04-17T00:00:01.5Z",
            "changes": [["sell", "99.5", "0.5"], ["buy", "98.5", "0"]],
        },
        {
            **head,
            "type": "match",
            "trade_id": 2,
            "side": "buy",
            "price": "99.0",
            "size": "0.5",
            "time": "2018-04-17T00:00:02.000001Z",
        },
        {**head, "type": "l2update", "time": "2018-04-17T00:00:02.1Z", "changes": [["buy", "99.0", "0.5"]]},
    ]


def test_coinbase_messages(tmp_path: Path) -> None:
    feed = opened(write(tmp_path / "x.zst", dumped(coinbase())))
    rows = rows_of(feed)
    assert kinds(rows) == ["BOOK", "TRADE", "BOOK"]
    assert book_of(rows[0]) == ([(990, 10)], [(995, 5), (1000, 30)])
    assert rows[1]["side"] == Side.SELL, "the maker bought, so the aggressor sold"
    assert [int(time) - START_NS for time in rows["ts_seq_ns"]] == [1500 * MS, 2 * SECOND + 1000, 2100 * MS]
    assert (feed.instruments[0].symbol, feed.instruments[0].venue, refused(feed)) == ("BTC/USD", "coinbase", {})


def test_coinbase_faults_are_counted(tmp_path: Path) -> None:
    head = {"product_id": "BTC-USD"}
    extra = [
        b"{broken",
        {**head, "type": "l2update", "time": "yesterday", "changes": [["buy", "97.0", "1.0"]]},
        {
            **head,
            "type": "match",
            "trade_id": 2,
            "side": "buy",
            "price": "99.0",
            "size": "0.5",
            "time": "2018-04-17T00:00:03.0Z",
        },
        {
            **head,
            "type": "l2update",
            "time": "2018-04-17T00:00:03.0Z",
            "changes": [["buy", "-97.0", "1.0"], ["buy", "97.0", "NaN"]],
        },
        {
            **head,
            "type": "match",
            "trade_id": 3,
            "side": "none",
            "price": "99.0",
            "size": "0.5",
            "time": "2018-04-17T00:00:03.0Z",
        },
        {
            **head,
            "type": "match",
            "trade_id": 2**80,
            "side": "buy",
            "price": "99.0",
            "size": "0.5",
            "time": "2018-04-17T00:00:03.0Z",
        },
        {
            "product_id": "ETH-USD",
            "type": "match",
            "trade_id": 3,
            "side": "buy",
            "price": "9",
            "size": "1",
            "time": "2018-04-17T00:00:03.0Z",
        },
    ]
    feed = opened(write(tmp_path / "x", dumped([*coinbase(), *extra])), symbols=["BTC-USD"])
    assert len(rows_of(feed)) == 3
    assert refused(feed) == {
        ("", Reason.CORRUPT_LINE): 3,
        ("BTC/USD", Reason.DUPLICATE): 1,
        ("BTC/USD", Reason.BAD_EVENT): 3,
        ("ETH-USD", Reason.UNKNOWN_SYMBOL): 1,
    }


def test_a_book_that_stays_crossed_gives_up_the_older_side(tmp_path: Path) -> None:
    def update(seconds: float, side: str, price: str, size: str) -> dict[str, Any]:
        time = (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {"product_id": "BTC-USD", "type": "l2update", "time": time, "changes": [[side, price, size]]}

    messages = [
        coinbase()[0],
        update(1, "sell", "98.7", "1.0"),
        update(3, "sell", "101.0", "1.0"),
        update(7, "sell", "101.5", "1.0"),
    ]
    rows = next(assert_keeps_the_rules(opened(write(tmp_path / "x", dumped(messages))).blocks(), 1))
    assert kinds(rows) == ["BOOK"], "nothing is shown while it is crossed"
    assert book_of(rows[0]) == ([(985, 2)], [(987, 1), (1000, 3), (1010, 1), (1015, 1)])


@pytest.mark.parametrize(
    ("text", "ns"),
    [("2018-04-17T00:00:01Z", SECOND), ("2018-04-17T00:00:01.25Z", 1250 * MS), ("2018-04-17T00:00:00.000000001Z", 1)],
)
def test_utc_times(text: str, ns: int) -> None:
    assert iso_ns(text) == START_NS + ns


@pytest.mark.parametrize("text", ["", "2018", "2018-13-17T00:00:00Z", "2018-04-17T00:00:0Z", "2018-04-17T00:00:00.1xZ"])
def test_what_is_no_utc_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        iso_ns(text)


# ---------------------------------------------------------------------------------------------------- Bybit


def bybit(kind: str, number: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    """An order book message."""
    data = {"s": "XRPUSDT", "b": bids, "a": asks, "u": number, "seq": number * 10}
    return {"topic": "orderbook.500.XRPUSDT", "ts": START_NS // MS, "type": kind, "data": data, "cts": START_NS // MS}


def test_bybit_pictures_and_changes(tmp_path: Path) -> None:
    messages = [
        bybit("snapshot", 10, [["1.95", "6"]], [["1.96", "7"]]),
        bybit("delta", 11, [["1.94", "5"]], []),
        bybit("delta", 13, [["1.93", "5"]], []),
        bybit("snapshot", 5, [["1.90", "1"]], [["1.91", "2"]]),
        bybit("delta", 6, [["1.90", "0"], ["1.89", "3"]], []),
    ]
    trade = {"T": START_NS // MS, "s": "XRPUSDT", "S": "Sell", "v": "4", "p": "1.90", "i": "a-b-c"}
    messages.append({"topic": "publicTrade.XRPUSDT", "type": "snapshot", "ts": START_NS // MS + 20, "data": [trade]})
    feed = opened(write(tmp_path / "x.zst", dumped(messages)), symbols=["XRP/USDT:USDT"])
    rows = rows_of(feed)
    assert kinds(rows) == ["BOOK", "BOOK", "MARKET_STATUS", "MARKET_STATUS", "BOOK", "BOOK", "TRADE"]
    assert [int(row["status"]) for row in rows[2:4]] == [MarketStatus.GAP, MarketStatus.LIVE]
    assert book_of(rows[5]) == ([(189, 3)], [(191, 2)])
    assert rows[6]["side"] == Side.SELL
    assert refused(feed) == {("XRP/USDT", Reason.SEQUENCE_GAP): 1}


# ---------------------------------------------------------------------------------------------------- Bitstamp


def order(milliseconds: int, kind: str, number: int, price: str, amount: str, ask: bool) -> bytes:
    """An order event."""
    content = {"price": price, "amount": amount, "datetime": "1", "id": number, "order_type": int(ask)}
    return f"{START_NS // MS + milliseconds} order_{kind} {json.dumps(content)}".encode()


def test_orders_build_the_book_and_tell_who_took(tmp_path: Path) -> None:
    log = [
        order(0, "created", 50, "100.0", "2.0", ask=False),
        order(1, "created", 51, "101.0", "1.0", ask=True),
        order(2, "created", 52, "101.0", "0.5", ask=True),
        order(10_000, "created", 60, "101.0", "0.7", ask=False),
        order(10_001, "changed", 60, "101.0", "0.0", ask=False),
        order(10_002, "changed", 51, "101.0", "0.3", ask=True),
        f'{START_NS // MS + 10_003} trade {{"price": 101.0, "amount": 0.7, "id": 9}}'.encode(),
        order(10_004, "deleted", 60, "101.0", "0.0", ask=False),
        order(20_000, "deleted", 51, "101.0", "0.3", ask=True),
    ]
    feed = opened(write(tmp_path / "some_BTCUSD.log.zst", log))
    rows = rows_of(feed)
    assert feed.instruments[0].symbol == "BTC/USD"
    trade = rows[rows["kind"] == 2]
    assert (trade["side"].tolist(), trade["trade_price_ticks"].tolist()) == ([Side.BUY], [101])
    assert book_of(rows[-1]) == ([(100, 20)], [(101, 5)])
    assert kinds(rows) == ["BOOK"] * 4 + ["BOOK", "TRADE", "BOOK"]


def test_a_maker_from_before_the_recording_is_known_by_its_smaller_id(tmp_path: Path) -> None:
    log = [
        order(0, "created", 100, "236.47", "2.0", ask=False),
        order(117, "changed", 100, "236.47", "1.8", ask=False),
        order(119, "deleted", 40, "236.47", "0.0", ask=True),
        f'{START_NS // MS + 127} trade {{"price": 236.47, "amount": 0.2, "id": 1}}'.encode(),
        order(9_000, "changed", 100, "236.47", "1.5", ask=False),
        f'{START_NS // MS + 9_001} trade {{"price": 236.47, "amount": 0.3, "id": 2}}'.encode(),
        f'{START_NS // MS + 9_002} trade {{"price": 236.47, "amount": 0.77, "id": 3}}'.encode(),
    ]
    rows = rows_of(opened(write(tmp_path / "a_BTCUSD", log)))
    assert rows[rows["kind"] == 2]["side"].tolist() == [Side.BUY, Side.SELL, Side.UNKNOWN]


def test_pictures_stand_in_for_orders_from_before_the_recording(tmp_path: Path) -> None:
    def picture(milliseconds: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
        return f"{START_NS // MS + milliseconds} order_book {json.dumps({'bids': bids, 'asks': asks})}".encode()

    log = [
        order(0, "created", 100, "99.0", "1.0", ask=False),
        picture(1, [["100.0", "3.0"], ["99.0", "4.0"]], [["101.0", "5.0"], ["102.0", "1.0"]]),
        order(2, "deleted", 7, "100.0", "1.0", ask=False),
        picture(3, [["100.0", "2.0"], ["99.0", "9.0"]], [["102.0", "1.0"], ["103.0", "6.0"]]),
        order(4, "deleted", 100, "99.0", "1.0", ask=False),
    ]
    rows = rows_of(opened(write(tmp_path / "a_BTCUSD", log)))
    assert [book_of(row) for row in rows] == [
        ([(100, 3), (99, 4)], [(101, 5), (102, 1)]),
        ([(100, 2), (99, 4)], [(101, 5), (102, 1)]),
        ([(100, 2), (99, 4)], [(102, 1), (103, 6)]),
        ([(100, 2), (99, 3)], [(102, 1), (103, 6)]),
    ], "remainders are set when a level is first seen, later only lowered"


def test_faults_of_an_order_log_are_counted(tmp_path: Path) -> None:
    log = [
        order(0, "created", 1, "100.0", "2.0", ask=False),
        order(1, "created", 1, "100.0", "2.0", ask=False),
        order(2, "created", 2, "-5", "2.0", ask=False),
        order(3, "created", 3, "NaN", "2.0", ask=False),
        b"1 order_moved {}",
        f'{START_NS // MS} trade {{"price": 100.0, "amount": "Infinity", "id": 9}}'.encode(),
        b"1523923200004 order_created {",
        order(5, "created", 4, "99.0", "1.0", ask=False),
    ]
    feed = opened(write(tmp_path / "a_BTCUSD", log))
    assert kinds(rows_of(feed)) == ["BOOK", "BOOK"]
    assert refused(feed) == {
        ("", Reason.CORRUPT_LINE): 2,
        ("BTC/USD", Reason.DUPLICATE): 1,
        ("BTC/USD", Reason.BAD_EVENT): 3,
    }


def test_an_order_log_needs_its_market_named(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [order(0, "created", 1, "100.0", "2.0", ask=False)])
    with pytest.raises(RecordingRefused, match="does not name its market; ask for it with --symbols"):
        opened(path)
    assert opened(path, symbols=["BTC/USD"]).instruments[0].symbol == "BTC/USD"


# ---------------------------------------------------------------------------------------------------- Parquet


def times(*milliseconds: int) -> list[datetime]:
    """Times after the start."""
    return [START + timedelta(milliseconds=each) for each in milliseconds]


def test_level_changes_start_from_their_picture(tmp_path: Path) -> None:
    picture = pl.DataFrame({"side": ["buy", "buy", "sell"], "price": [99.0, 98.5, 100.0], "size": [1.0, 2.0, 3.0]})
    picture.write_parquet(tmp_path / "m_snapshot.parquet", metadata=NAMES)
    changes = pl.DataFrame(
        {
            "ts": times(1, 1, 5, 5, 5),
            "side": ["buy", "sell", "buy", "buy", "sell"],
            "price": [99.5, 99.5, 99.0, 97.0, float("nan")],
            "size": [1.0, 4.0, 0.0, -1.0, 1.0],
        }
    )
    changes.write_parquet(tmp_path / "m_l2update.parquet", metadata=NAMES)
    for paths in (["m_l2update.parquet"], ["m_snapshot.parquet", "m_l2update.parquet"]):
        feed = opened(*(tmp_path / path for path in paths))
        assert kinds(rows_of(feed)) == [], (
            "crossed from the first change on, and not for long enough to say which side is old"
        )
        assert refused(feed) == {("BTC/USD", Reason.BAD_EVENT): 2}
    good = changes.filter(pl.col("price") != 99.5)
    good.write_parquet(tmp_path / "m_l2update.parquet", metadata=NAMES)
    rows = rows_of(opened(tmp_path / "m_l2update.parquet"))
    assert [book_of(row) for row in rows] == [([(985, 2)], [(1000, 3)])]
    with pytest.raises(RecordingRefused, match="one picture of a book; give the level changes"):
        opened(tmp_path / "m_snapshot.parquet")


def test_level_changes_without_a_picture_say_so(tmp_path: Path) -> None:
    changes = pl.DataFrame({"ts": times(1, 2), "side": ["buy", "sell"], "price": [99.0, 100.0], "size": [1.0, 4.0]})
    changes.write_parquet(tmp_path / "changes.parquet", metadata=NAMES)
    feed = opened(tmp_path / "changes.parquet")
    assert [book_of(row) for row in rows_of(feed)] == [([(99, 1)], []), ([(99, 1)], [(100, 4)])]
    assert any("starts without a picture" in note for note in feed.notes)


def test_mixed_events(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "ts": times(1, 1, 2, 2, 3),
            "type": ["book", "book", "trade", "book", "trade"],
            "side": ["B", "A", "A", "B", "B"],
            "price": [99.0, 100.0, 99.0, 99.0, 100.0],
            "qty": [5.0, 4.0, 2.0, 3.0, 0.0],
        }
    )
    table.write_parquet(tmp_path / "events.parquet", metadata=NAMES)
    feed = opened(tmp_path / "events.parquet")
    rows = rows_of(feed)
    assert kinds(rows) == ["BOOK", "TRADE", "BOOK"]
    assert rows[1]["side"] == Side.SELL
    assert book_of(rows[2]) == ([(99, 3)], [(100, 4)])
    assert refused(feed) == {("BTC/USD", Reason.BAD_EVENT): 1}


def test_orders_in_parquet(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "local_ts": times(1, 2, 3, 4, 5),
            "order_ts": times(0, 0, 0, 0, 0),
            "order_id": [1, 2, 1, 1, 3],
            "action": ["created", "created", "changed", "deleted", "moved"],
            "side": ["bid", "ask", "bid", "bid", "ask"],
            "price": [99.0, 100.0, 99.0, 99.0, 100.0],
            "remaining": [2.0, 1.0, 1.0, 1.0, 1.0],
        }
    )
    table.write_parquet(tmp_path / "orders.parquet", metadata={**NAMES, "venue": "bitstamp"})
    feed = opened(tmp_path / "orders.parquet")
    books = [book_of(row) for row in rows_of(feed)]
    assert books == [([(99, 2)], []), ([(99, 2)], [(100, 1)]), ([(99, 1)], [(100, 1)]), ([], [(100, 1)])]
    assert refused(feed) == {("BTC/USD", Reason.BAD_EVENT): 1}
    assert any("holds orders but no trades" in note for note in feed.notes)
