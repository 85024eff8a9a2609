"""Binance captures: the forms that lines come in, and what becomes of them."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import zstandard
from tests.feeds.build import (
    ASKS,
    BIDS,
    MS,
    SECOND,
    T0,
    book_of,
    capture,
    depth,
    kinds,
    lines_of,
    opened,
    picture,
    print_of,
    quote_of,
    refused,
    rows_of,
    session,
    ticker,
    wrap,
    write,
)  # fmt: skip

from paperdesk.domain.events import Side
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import RecordingRefused


def test_a_capture_becomes_books_quotes_and_trades(tmp_path: Path) -> None:
    feed = opened(capture(tmp_path / "any_name.zst", session()))
    rows = rows_of(feed)
    assert kinds(rows) == ["BOOK", "QUOTE", "TRADE", "BOOK", "TRADE", "BOOK"]
    assert refused(feed) == {}
    assert book_of(rows[0]) == ([(1000, 10), (999, 20)], [(1001, 15), (1003, 30)])
    assert quote_of(rows[1]) == (1000, 7, 1001, 15)
    assert book_of(rows[3]) == ([(1000, 7), (999, 20)], [(1001, 15), (1003, 30)])
    assert book_of(rows[5]) == ([(1000, 7), (999, 20)], [(1001, 10)])
    sell, buy = rows[2], rows[4]
    assert (sell["trade_price_ticks"], sell["trade_qty_lots"], sell["trade_id"], sell["side"]) == (
        1000,
        3,
        7,
        Side.SELL,
    )
    assert buy["side"] == Side.BUY
    assert rows["ts_seq_ns"].tolist() == [T0 + index * MS for index in (2, 3, 4, 5, 6, 7)]
    assert (feed.label, feed.expected) == ("REPLAY", 8)


def test_instruments_are_inferred_and_said_to_be(tmp_path: Path) -> None:
    feed = opened(capture(tmp_path / "c.zst", session()))
    (instrument,) = feed.instruments
    assert (instrument.symbol, instrument.venue, instrument.origin) == ("BTC/USDT", "binance", "inferred")
    assert (instrument.tick, instrument.lot) == (Decimal("0.1"), Decimal("0.1"))
    assert [asset.name for asset in feed.assets] == ["BTC", "USDT"]
    assert "BTC/USDT: tick 0.1, lot 0.1 inferred from the data; no filters are known" in feed.notes
    assert any("fees assumed: maker 0.100 %, taker 0.100 %" in note for note in feed.notes)


@pytest.mark.parametrize("form", ["wrapped", "plain", "gzip", "micro", "milli"])
def test_the_same_session_in_other_forms_gives_the_same_inputs(tmp_path: Path, form: str) -> None:
    plain = rows_of(opened(capture(tmp_path / "a.zst", session())))
    frames: list[dict[str, Any]] = [frame if "lastUpdateId" in frame else wrap(frame) for frame in session()]
    lines = lines_of(frames if form == "wrapped" else session())
    path = tmp_path / "b.dat"
    if form in ("micro", "milli"):
        digits = 3 if form == "micro" else 6
        lines = [line[: 19 - digits] + line[19:] for line in lines]
    if form == "gzip":
        path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    else:
        write(path, lines)
    assert rows_of(opened(path)).tobytes() == plain.tobytes()


def test_several_compressed_frames_and_a_missing_last_line_end_are_one_file(tmp_path: Path) -> None:
    lines = lines_of(session())
    compress = zstandard.ZstdCompressor().compress
    (tmp_path / "a.zst").write_bytes(compress(b"\n".join(lines[:3]) + b"\n") + compress(b"\n".join(lines[3:])))
    assert len(rows_of(opened(tmp_path / "a.zst"))) == 6


def test_a_symbol_in_the_venues_own_spelling_is_understood(tmp_path: Path) -> None:
    path = capture(tmp_path / "c.zst", session())
    for name in ("BTC/USDT", "BTCUSDT", "btc-usdt"):
        assert [instrument.symbol for instrument in opened(path, symbols=[name]).instruments] == ["BTC/USDT"]


def test_an_unknown_symbol_is_answered_with_what_there_is(tmp_path: Path) -> None:
    path = capture(tmp_path / "c.zst", [*session(), ticker(1, "5.0", "1", "5.1", "1", symbol="ETHUSDT")])
    with pytest.raises(
        RecordingRefused, match=r"hold no DOGE/USDT\. They hold: BTC/USDT, ETH/USDT\. Name one of these with --symbols"
    ):
        opened(path, symbols=["DOGE/USDT"])


def test_other_symbols_of_a_capture_are_counted(tmp_path: Path) -> None:
    frames = [
        *session(),
        ticker(1, "5.0", "1", "5.1", "1", symbol="ETHUSDT"),
        print_of(1, "5.0", "1", symbol="ETHUSDT"),
    ]
    feed = opened(capture(tmp_path / "c.zst", frames), symbols=["BTC/USDT"])
    assert len(rows_of(feed)) == 6
    assert refused(feed) == {("ETHUSDT", Reason.UNKNOWN_SYMBOL): 2}


def test_a_snapshot_that_names_no_symbol_goes_to_the_market_whose_prices_it_shows(tmp_path: Path) -> None:
    frames = [ticker(1, "5.0", "1", "5.1", "1", symbol="ETHUSDT"), *session()]
    feed = opened(capture(tmp_path / "c.zst", frames))
    rows = rows_of(feed)
    assert [instrument.symbol for instrument in feed.instruments] == ["BTC/USDT", "ETH/USDT"]
    assert set(rows[rows["kind"] == 4]["instrument"].tolist()) == {0}


def test_without_a_snapshot_only_quotes_and_trades_are_used_and_that_is_said(tmp_path: Path) -> None:
    feed = opened(capture(tmp_path / "c.zst", [frame for frame in session() if "lastUpdateId" not in frame]))
    assert kinds(rows_of(feed)) == ["QUOTE", "TRADE", "TRADE"]
    assert any("no depth snapshot in the recording" in note for note in feed.notes)


def test_inverse_contracts_are_refused_and_left_out_of_a_choice(tmp_path: Path) -> None:
    inverse = {**depth(1, 2, [["100.0", "5"]]), "s": "BTCUSD_PERP", "ps": "BTCUSD", "pu": 0}
    path = capture(tmp_path / "coin.zst", [inverse])
    with pytest.raises(RecordingRefused, match="BTC/USD:BTC is an inverse contract"):
        opened(path)
    feed = opened(path, capture(tmp_path / "spot.zst", session()))
    assert [instrument.symbol for instrument in feed.instruments] == ["BTC/USDT"]
    assert any("inverse contracts are not traded here: BTC/USD:BTC" in note for note in feed.notes)


def test_linear_futures_are_replayed_as_prices_and_labelled(tmp_path: Path) -> None:
    frames = [
        depth(95, 100, [["99.9", "9.0"]], pu=90),
        {**picture(102, BIDS, ASKS), "E": 1, "T": 1},
        depth(101, 104, [["99.9", "3.0"]], pu=100),
        depth(108, 109, [["99.9", "4.0"]], pu=104),
        depth(115, 119, [["99.9", "5.0"]], pu=112),
    ]
    feed = opened(capture(tmp_path / "c.zst", frames))
    rows = rows_of(feed)
    assert feed.instruments[0].symbol == "BTC/USDT:USDT" and feed.instruments[0].venue == "binanceusdm"
    assert "BTC/USDT:USDT: perpetual prices, traded here as if spot: no leverage, no funding" in feed.notes
    assert kinds(rows) == ["BOOK", "BOOK", "BOOK", "MARKET_STATUS"]
    assert book_of(rows[2])[0] == [(1000, 1), (999, 4)]


def test_aggregated_trades_stand_in_only_where_there_are_no_single_ones(tmp_path: Path) -> None:
    aggregate = {
        "e": "aggTrade",
        "E": T0 // MS,
        "s": "BTCUSDT",
        "a": 5,
        "p": "100.0",
        "q": "1.0",
        "f": 7,
        "l": 8,
        "T": T0 // MS,
        "m": True,
    }
    assert kinds(rows_of(opened(capture(tmp_path / "a.zst", [aggregate])))) == ["TRADE"]
    both = rows_of(opened(capture(tmp_path / "b.zst", [*session(), aggregate])))
    assert kinds(both).count("TRADE") == 2


def test_closed_klines_become_bars_where_nothing_finer_was_recorded(tmp_path: Path) -> None:
    kline = {
        "t": T0 // MS,
        "T": T0 // MS + 59_999,
        "o": "1.0",
        "h": "1.2",
        "l": "0.9",
        "c": "1.1",
        "v": "7",
        "x": False,
    }
    frames = [
        {"e": "kline", "s": "BTCUSDT", "E": 1, "k": kline},
        {"e": "kline", "s": "BTCUSDT", "E": 1, "k": {**kline, "x": True}},
    ]
    rows = rows_of(opened(capture(tmp_path / "k.zst", frames)))
    assert kinds(rows) == ["BAR"]
    assert (
        int(rows[0]["open_ticks"]),
        int(rows[0]["high_ticks"]),
        int(rows[0]["low_ticks"]),
        int(rows[0]["close_ticks"]),
    ) == (10, 12, 9, 11)
    assert (int(rows[0]["ts_event_ns"]), int(rows[0]["interval_ns"]), int(rows[0]["volume_lots"])) == (
        T0,
        60 * SECOND,
        7,
    )
