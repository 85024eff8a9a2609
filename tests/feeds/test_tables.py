"""Parquet bars, trades and quotes: their columns, their times, and rows that cannot be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.feeds.build import SECOND, assert_keeps_the_rules, kinds, opened, quote_of, refused, rows_of

from paperdesk.domain.events import Side
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import RecordingRefused

START = datetime(2024, 1, 1, tzinfo=UTC)
START_NS = int(START.timestamp()) * SECOND
NAN = float("nan")


def bars(count: int = 3, minutes: int = 1, **changes: Any) -> dict[str, list[Any]]:
    """Columns of `count` bars; `changes` replace columns."""
    columns: dict[str, list[Any]] = {
        "ts": [START + timedelta(minutes=minutes * index) for index in range(count)],
        "open": [100.0 + index for index in range(count)],
        "high": [101.5 + index for index in range(count)],
        "low": [99.25 + index for index in range(count)],
        "close": [100.75 + index for index in range(count)],
        "volume": [1.5] * count,
    }
    return columns | changes


def parquet(
    path: Path, columns: dict[str, list[Any]], symbol: str = "BTC/USDT", venue: str = "binance", **metadata: str
) -> Path:
    """Writes a table with its market in the metadata."""
    names = {"venue": venue, "symbol": symbol} if symbol else {}
    pl.DataFrame(columns).write_parquet(path, metadata={**names, **metadata})
    return path


def test_bars_are_known_from_their_close_on(tmp_path: Path) -> None:
    feed = opened(parquet(tmp_path / "b.parquet", bars(), timeframe="1m"))
    rows = rows_of(feed)
    assert kinds(rows) == ["BAR"] * 3
    assert rows["ts_event_ns"].tolist() == [START_NS + index * 60 * SECOND for index in range(3)]
    assert (rows["ts_seq_ns"] - rows["ts_event_ns"]).tolist() == [60 * SECOND] * 3
    assert rows["interval_ns"].tolist() == [60 * SECOND] * 3
    assert [int(rows[0][name]) for name in ("open_ticks", "high_ticks", "low_ticks", "close_ticks", "volume_lots")] == [
        10000,
        10150,
        9925,
        10075,
        15,
    ]
    assert feed.instruments[0].stale_after_ns == 180 * SECOND
    assert feed.instruments[0].tick == Decimal("0.01")


def test_the_interval_is_the_smallest_step_where_the_metadata_is_silent(tmp_path: Path) -> None:
    columns = bars(4, 5)
    columns["ts"][3] += timedelta(hours=3)
    assert rows_of(opened(parquet(tmp_path / "b.parquet", columns)))["interval_ns"].tolist() == [300 * SECOND] * 4
    with pytest.raises(RecordingRefused, match="interval of the bars is not known"):
        opened(parquet(tmp_path / "one.parquet", bars(1)))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"open": [100.0, NAN, 102.0]}, Reason.BAD_EVENT),
        ({"low": [99.25, -1.0, 101.25]}, Reason.BAD_EVENT),
        ({"low": [99.25, 101.5, 101.25]}, Reason.BAD_EVENT),
        ({"high": [101.5, 100.5, 103.5]}, Reason.BAD_EVENT),
        ({"volume": [1.5, -1.5, 1.5]}, Reason.BAD_EVENT),
        ({"volume": [1.5, NAN, 1.5]}, Reason.BAD_EVENT),
        ({"close": [100.75, float("inf"), 102.75]}, Reason.BAD_EVENT),
        ({"ts": [START, START, START + timedelta(minutes=1)]}, Reason.DUPLICATE),
    ],
)
def test_senseless_bars_are_counted_and_left(tmp_path: Path, changes: dict[str, list[Any]], reason: Reason) -> None:
    feed = opened(parquet(tmp_path / "b.parquet", bars(**changes), timeframe="1m"))
    assert len(rows_of(feed)) == 2
    assert refused(feed) == {("BTC/USDT", reason): 1}


def test_bars_that_go_back_in_time_are_lifted_and_counted(tmp_path: Path) -> None:
    columns = bars()
    columns["ts"][1], columns["ts"][2] = columns["ts"][2], columns["ts"][1]
    feed = opened(parquet(tmp_path / "b.parquet", columns, timeframe="1m"))
    assert len(list(assert_keeps_the_rules(feed.blocks(), 1))) == 1
    assert refused(feed) == {("BTC/USDT", Reason.TIME_BACKWARDS): 1}


def test_prices_finer_than_can_be_counted_are_left_and_that_is_said(tmp_path: Path) -> None:
    columns = bars(2, open=[10.0**9, 1e9], high=[2e9, 2e9], low=[1.0, 0.000001], close=[1e9, 1e9])
    feed = opened(parquet(tmp_path / "b.parquet", columns, timeframe="1m"))
    assert len(rows_of(feed)) == 1
    assert refused(feed) == {("BTC/USDT", Reason.OFF_GRID): 1}
    assert any("some prices are finer than tick" in note for note in feed.notes)


def test_cheap_assets_have_coarse_lots(tmp_path: Path) -> None:
    feed = opened(parquet(tmp_path / "b.parquet", bars(volume=[1.8e12, 1.5, 3.0]), "SHIB/USDT", timeframe="1m"))
    rows = rows_of(feed)
    assert feed.instruments[0].lot == Decimal("0.1")
    assert rows["volume_lots"].tolist() == [18_000_000_000_000, 15, 30]


def trades(**changes: Any) -> dict[str, list[Any]]:
    """Columns of three trades."""
    columns: dict[str, list[Any]] = {
        "ts": [START + timedelta(seconds=index) for index in range(3)],
        "trade_id": [7, 8, 9],
        "side": ["buy", "sell", "buy"],
        "price": [100.0, 100.5, 101.0],
        "amount": [0.1, 0.2, 0.3],
    }
    return {name: column for name, column in (columns | changes).items() if column}


def test_trades_say_who_took(tmp_path: Path) -> None:
    rows = rows_of(opened(parquet(tmp_path / "t.parquet", trades())))
    assert kinds(rows) == ["TRADE"] * 3
    assert rows["side"].tolist() == [Side.BUY, Side.SELL, Side.BUY]
    assert rows["trade_price_ticks"].tolist() == [1000, 1005, 1010]
    assert rows["trade_qty_lots"].tolist() == [1, 2, 3]
    assert rows["trade_id"].tolist() == [7, 8, 9]


def test_the_recorders_time_orders_trades_and_the_venues_is_kept(tmp_path: Path) -> None:
    local = [START + timedelta(seconds=index, milliseconds=-200) for index in range(3)]
    rows = rows_of(opened(parquet(tmp_path / "t.parquet", trades(local_ts=local))))
    assert (rows["ts_event_ns"] - rows["ts_seq_ns"]).tolist() == [200_000_000] * 3


def test_without_sides_the_aggressor_is_unknown_and_that_is_said(tmp_path: Path) -> None:
    feed = opened(parquet(tmp_path / "t.parquet", trades(side=[])))
    assert set(rows_of(feed)["side"].tolist()) == {Side.UNKNOWN}
    assert any("do not say who was the aggressor" in note for note in feed.notes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price": [100.0, NAN, 101.0]}, Reason.BAD_EVENT),
        ({"price": [100.0, -5.0, 101.0]}, Reason.BAD_EVENT),
        ({"amount": [0.1, 0.0, 0.3]}, Reason.BAD_EVENT),
        ({"amount": [0.1, -0.2, 0.3]}, Reason.BAD_EVENT),
        ({"trade_id": [7, 7, 8]}, Reason.DUPLICATE),
        ({"ts": [START + timedelta(seconds=9), START, START + timedelta(seconds=10)]}, Reason.TIME_BACKWARDS),
    ],
)
def test_senseless_trades_are_counted(tmp_path: Path, changes: dict[str, list[Any]], reason: Reason) -> None:
    feed = opened(parquet(tmp_path / "t.parquet", trades(**changes)))
    assert sum(len(block) for block in assert_keeps_the_rules(feed.blocks(), 1)) == (
        3 if reason is Reason.TIME_BACKWARDS else 2
    )
    assert refused(feed) == {("BTC/USDT", reason): 1}


def test_quotes(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {
        "ts": [START, START, START, START],
        "bid_price": [100.0, 100.5, NAN, 0.0],
        "bid_amount": [1.0, 1.0, 1.0, 0.0],
        "ask_price": [100.5, 100.5, 100.0, 101.0],
        "ask_amount": [2.0, 1.0, 1.0, 3.0],
    }
    feed = opened(parquet(tmp_path / "q.parquet", columns))
    rows = rows_of(feed)
    assert kinds(rows) == ["QUOTE"] * 2
    assert [quote_of(row) for row in rows] == [(1000, 1, 1005, 2), (0, 0, 1010, 3)]
    assert refused(feed) == {("BTC/USDT", Reason.BAD_EVENT): 2}


def test_one_file_of_several_markets(tmp_path: Path) -> None:
    columns = {name: column + column for name, column in bars().items()}
    columns |= {"symbol": ["BTC/USDT"] * 3 + ["ETH/USDT"] * 3, "venue": ["binance"] * 6}
    path = tmp_path / "b.parquet"
    pl.DataFrame(columns).write_parquet(path)
    feed = opened(path)
    rows = rows_of(feed)
    assert rows["instrument"].tolist() == [0, 1] * 3
    only = opened(path, symbols=["ETH/USDT"])
    assert len(rows_of(only)) == 3
    assert refused(only) == {("BTC/USDT", Reason.UNKNOWN_SYMBOL): 3}


def test_a_market_that_is_not_named_comes_from_the_files_name_or_the_symbol_asked_for(tmp_path: Path) -> None:
    assert opened(parquet(tmp_path / "some_ETHBTC_1m.parquet", bars(), "")).instruments[0].symbol == "ETH/BTC"
    plain = parquet(tmp_path / "data.parquet", bars(), "")
    assert opened(plain, symbols=["SOL/USDT"]).instruments[0].symbol == "SOL/USDT"
    with pytest.raises(RecordingRefused, match="it is not said which market this is"):
        opened(plain)


def test_inverse_contracts_are_refused_and_linear_ones_labelled(tmp_path: Path) -> None:
    with pytest.raises(RecordingRefused, match="BTC/USD:BTC is an inverse contract"):
        opened(parquet(tmp_path / "i.parquet", bars(), "BTC/USD:BTC"))
    feed = opened(parquet(tmp_path / "l.parquet", bars(), "BTC/USD:USD", "ftx"))
    assert feed.instruments[0].symbol == "BTC/USD:USD"
    assert any("perpetual prices, traded here as if spot" in note for note in feed.notes)


def test_whole_numbers_as_times_and_tables_of_no_use(tmp_path: Path) -> None:
    columns = bars(ts=[START_NS // 10**6 + 60_000 * index for index in range(3)])
    assert rows_of(opened(parquet(tmp_path / "b.parquet", columns)))["ts_event_ns"].tolist()[0] == START_NS
    for name, bad, message in (
        ("a", {"x": [1]}, "unknown columns"),
        ("b", bars(ts=["now", "then", "never"]), "of type String"),
        ("c", bars(ts=[START, None, START]), "empty cells"),
        ("d", bars(open=["1", "two", "3"]), "does not hold numbers"),
        ("e", {name: [] for name in bars()}, "has no rows"),
    ):
        with pytest.raises(RecordingRefused, match=message):
            opened(parquet(tmp_path / f"{name}.parquet", bad))


def test_two_years_in_two_files_are_one_instrument_on_one_grid(tmp_path: Path) -> None:
    first = parquet(tmp_path / "2023.parquet", bars(), timeframe="1m")
    later = bars(open=[100.001, 101.0, 102.0])
    later["ts"] = [time + timedelta(days=1) for time in later["ts"]]
    feed = opened(first, parquet(tmp_path / "2024.parquet", later, timeframe="1m"))
    rows = rows_of(feed)
    assert len(feed.instruments) == 1 and feed.instruments[0].tick == Decimal("0.001")
    assert rows["open_ticks"].tolist() == [100000, 101000, 102000, 100001, 101000, 102000]


def test_two_venues_of_one_symbol_are_never_mixed(tmp_path: Path) -> None:
    paths = [
        parquet(tmp_path / "a.parquet", bars(), venue="kraken"),
        parquet(tmp_path / "b.parquet", bars(), venue="binance"),
    ]
    with pytest.raises(RecordingRefused, match=r"several venues \(binance, kraken\)"):
        opened(*paths)
    feed = opened(*paths, venue="kraken")
    assert feed.instruments[0].maker_fee == Decimal("0.0025")
    assert len(rows_of(feed)) == 3
