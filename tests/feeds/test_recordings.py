"""Real recordings, where they lie beside the checkout: what comes out is what is known to be in them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.feeds.build import SECOND, assert_keeps_the_rules, counts, fingerprint, joined, opened, refused
from tests.shared import shared_data

from paperdesk.domain.events import InputKind, Side
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.binance import DECODE
from paperdesk.feeds.bitstamp import PICTURE, BitstampLog, split_line
from paperdesk.feeds.book import ASK, BID
from paperdesk.feeds.instruments import Desk, build
from paperdesk.feeds.orders import OrderMarket
from paperdesk.feeds.port import RecordingRefused, Refusals
from paperdesk.feeds.recording import lines
from paperdesk.feeds.replay import Replay
from paperdesk.feeds.sequenced import Diff, SequencedMarket
from paperdesk.feeds.writer import Writer

CAPTURES = [
    ("binance_BTCUSDT", "BTC/USDT", 19_904, 73_174, 6_495),
    ("binance_ETHUSDT", "ETH/USDT", 14_515, 58_758, 6_470),
    ("binanceusdm_BTCUSDT", "BTC/USDT:USDT", 21_313, 66_089, 6_551),
    ("binanceusdm_ETHUSDT", "ETH/USDT:USDT", 14_076, 53_992, 6_586),
]


def checked(feed: Replay) -> np.ndarray:
    """All rows of a feed, the rules held on the way."""
    return joined(list(assert_keeps_the_rules(feed.blocks(), len(feed.instruments))))


@pytest.mark.parametrize(("name", "symbol", "trades", "quotes", "updates"), CAPTURES)
def test_captures_hold_what_their_table_says(name: str, symbol: str, trades: int, quotes: int, updates: int) -> None:
    feed = opened(shared_data(f"l2/{name}_20240808.jsonl.zst"))
    found = feed.recordings[0].found[symbol]
    assert (found.trades, found.quotes, found.updates, found.snapshots) == (trades, quotes, updates, 1)
    rows = checked(feed)
    tally = counts(rows)
    assert tally["TRADE"] == trades and tally["MARKET_STATUS"] == 0, "no gap, no trade lost"
    assert quotes * 0.98 <= tally["QUOTE"] <= quotes, "best prices older than the book are left"
    assert updates * 0.94 <= tally["BOOK"] <= updates
    assert refused(feed) == {}
    extracted = opened(shared_data(f"trades/{name}_20240808_trades.parquet"))
    ours, theirs = rows[rows["kind"] == InputKind.TRADE], checked(extracted)
    scale = (
        int(extracted.instruments[0].tick / feed.instruments[0].tick),
        int(extracted.instruments[0].lot / feed.instruments[0].lot),
    )
    assert (ours["trade_price_ticks"] == theirs["trade_price_ticks"] * scale[0]).all()
    assert (ours["trade_qty_lots"] == theirs["trade_qty_lots"] * scale[1]).all()
    for column in ("trade_id", "side", "ts_event_ns"):
        assert (ours[column] == theirs[column]).all()


@pytest.mark.parametrize(("name", "symbol"), [(row[0], row[1]) for row in CAPTURES])
def test_the_book_agrees_with_the_best_prices_at_the_same_update(name: str, symbol: str) -> None:
    path = shared_data(f"l2/{name}_20240808.jsonl.zst")
    feed = opened(path)
    market = SequencedMarket(feed.instruments[0], Writer(Refusals()))
    ticks, lots = market.grid.ticks, market.grid.lots
    quotes: list[tuple[int, tuple[int, ...]]] = []
    books: list[tuple[int, tuple[int, ...]]] = []
    for batch in lines(path):
        for line in batch:
            frame = DECODE(line[line.index(b" ") + 1 :])
            body = frame.data or frame
            if body.lastUpdateId >= 0:
                market.snapshot(body.lastUpdateId, body.bids or [], body.asks or [], 1, 1)
            elif isinstance(body.b, list) and isinstance(body.a, list):
                market.diff(Diff(body.U, body.u, body.pu, body.b, body.a), 1, 1)
                if market.last == body.u:
                    assert not market.book.crossed()
                    bid, ask = market.book.side(BID)[0], market.book.side(ASK)[0]
                    books.append((body.u, (*bid[:2].tolist(), *ask[:2].tolist())))
            elif body.u >= 0:
                quotes.append(
                    (
                        body.u,
                        tuple(
                            read[str(text)]
                            for read, text in zip((ticks, lots) * 2, (body.b, body.B, body.a, body.A), strict=True)
                        ),
                    )
                )
    quotes.sort()
    updates = np.array([update for update, _ in quotes])
    agreed = [
        quotes[place - 1][1] == best
        for update, best in books
        if (place := int(np.searchsorted(updates, update, "right")))
    ]
    assert len(agreed) > 6_000
    assert np.mean(agreed) >= 0.999


def test_six_captures_at_once_without_the_inverse_ones() -> None:
    names = [row[0] for row in CAPTURES] + ["binancecoinm_BTCUSD_PERP", "binancecoinm_ETHUSD_PERP"]
    feed = opened(*(shared_data(f"l2/{name}_20240808.jsonl.zst") for name in names))
    rows = checked(feed)
    assert [instrument.symbol for instrument in feed.instruments] == sorted(row[1] for row in CAPTURES)
    by_instrument = Counter(rows[rows["kind"] == InputKind.TRADE]["instrument"].tolist())
    assert by_instrument == {number: row[2] for number, row in enumerate(sorted(CAPTURES, key=lambda row: row[1]))}
    assert any("BTC/USD:BTC, ETH/USD:ETH" in note for note in feed.notes)


@pytest.mark.parametrize(
    "name",
    [
        "l2/binancecoinm_BTCUSD_PERP_20240808.jsonl.zst",
        "trades/binancecoinm_ETHUSD_PERP_20240808_trades.parquet",
        "raw_ws/binance_delivery.jsonl.zst",
    ],
)
def test_inverse_contracts_are_refused(name: str) -> None:
    with pytest.raises(RecordingRefused, match="inverse contract"):
        opened(shared_data(name))


@pytest.mark.parametrize(
    "name",
    [
        "funding/bybit_BTCUSDT_funding_8h.parquet",
        "README.md",
        "raw_ws/upbit.jsonl.zst",
        "dirty/bitstamp_BTCUSD_1h_swapped_volume_columns.csv.zst",
    ],
)
def test_what_is_no_recording_of_a_known_kind_is_refused(name: str) -> None:
    with pytest.raises(RecordingRefused, match=r"expected raw Binance captures|only those of Binance's venues"):
        opened(shared_data(name))


def test_trades_aggregate_to_the_venues_own_bars() -> None:
    feed = opened(
        shared_data("trades/binance_XRPETH_aggtrades_20191011_20191013.parquet"),
        shared_data("ohlcv/binance_XRPETH_1m_20191011_20191013.parquet"),
    )
    rows = checked(feed)
    trades, bars = rows[rows["kind"] == InputKind.TRADE], rows[rows["kind"] == InputKind.BAR]
    assert (len(trades), len(bars), refused(feed)) == (12_477, 2_469, {})
    made = (
        pl.DataFrame(
            {
                "t": trades["ts_event_ns"] // (60 * SECOND),
                "p": trades["trade_price_ticks"],
                "q": trades["trade_qty_lots"],
            }
        )
        .group_by("t", maintain_order=True)
        .agg(
            pl.col("p").first().alias("o"),
            pl.col("p").max().alias("h"),
            pl.col("p").min().alias("l"),
            pl.col("p").last().alias("c"),
            pl.col("q").sum(),
        )
    )
    names = ("open_ticks", "high_ticks", "low_ticks", "close_ticks", "volume_lots")
    for column, name in zip(("o", "h", "l", "c", "q"), names, strict=True):
        assert made[column].to_list() == bars[name].tolist()
    assert (bars["ts_seq_ns"] == bars["ts_event_ns"] + 60 * SECOND).all()


@pytest.mark.parametrize(
    ("name", "symbol", "rows", "tick", "lot"),
    [
        ("binance_SHIBUSDT_5m_202401_202409", "SHIB/USDT", 72_029, "0.00000001", "1"),
        ("binance_PEPEUSDT_5m_202401_202409", "PEPE/USDT", 72_027, "0.00000001", "1"),
        ("binance_DOGEUSDT_5m_202401_202409", "DOGE/USDT", 72_028, "0.00001", "1"),
        ("binanceusdm_BTCUSDT_1h_2023_2026", "BTC/USDT:USDT", 28_309, "0.1", "0.001"),
        ("coinbase_BTCUSD_4h_2016_2025", "BTC/USD", 20_695, "0.01", "0.00000001"),
        ("kraken_BTCUSDT_1m_20251110", "BTC/USDT", 720, "0.1", "0.00000001"),
        ("bitfinex_XRPUSD_1m_2018_2019", "XRP/USD", 933_689, "0.00000001", "0.0001"),
    ],
)
def test_bars_of_many_markets(name: str, symbol: str, rows: int, tick: str, lot: str) -> None:
    feed = opened(shared_data(f"ohlcv/{name}.parquet"))
    (instrument,) = feed.instruments
    assert (instrument.symbol, instrument.tick, instrument.lot) == (symbol, Decimal(tick), Decimal(lot))
    assert sum(len(block) for block in assert_keeps_the_rules(feed.blocks(), 1)) == rows
    assert refused(feed) == {}


def test_the_order_log_rebuilds_the_recorded_pictures() -> None:
    path = shared_data("l3/bitstamp_BTCUSD_20150501.log.zst")
    log = BitstampLog(path, ("BTC", "USD"))
    (instrument,), _, _ = build([log.found["BTC/USD"]], Desk([], None, None))
    market = OrderMarket(instrument, Writer(Refusals()), wait_for_picture=True)
    compared = Counter[str]()
    start = 0
    for batch in lines(path):
        for line in batch:
            now, kind, content = split_line(line)
            start = start or now
            log._take(market, now, kind, content)
            if kind != b"order_book":
                continue
            bids, asks = (dict(market.book.side(side)[:, :2].tolist()) for side in (BID, ASK))
            if bids and asks and not market.book.crossed():
                picture = PICTURE(content)
                ticks, lots = market.grid.ticks, market.grid.lots
                compared["pictures"] += 1
                compared["bids"] += ticks[picture.bids[0][0]] == max(bids)
                compared["asks"] += ticks[picture.asks[0][0]] == min(asks)
                for ours, levels in ((bids, picture.bids), (asks, picture.asks)):
                    compared["levels"] += len(levels)
                    compared["same"] += sum(ours.get(ticks[price]) == lots[size] for price, size in levels)
    assert compared["pictures"] > 4_900, "of 5,011, from the first one on"
    assert compared["bids"] / compared["pictures"] > 0.99 and compared["asks"] / compared["pictures"] > 0.99
    assert compared["same"] / compared["levels"] > 0.9


def test_the_order_log_gives_trades_with_their_takers() -> None:
    feed = opened(shared_data("l3/bitstamp_BTCUSD_20150501.log.zst"))
    rows = checked(feed)
    trades = rows[rows["kind"] == InputKind.TRADE]
    assert len(trades) == 575 and refused(feed) == {}
    assert Counter(trades["side"].tolist())[int(Side.UNKNOWN)] <= 5
    # A taker trades at or through the other side's best price as it stood before.
    books = rows[rows["kind"] == InputKind.BOOK]
    right = 0
    for trade in trades:
        place = int(np.searchsorted(books["ts_seq_ns"], trade["ts_seq_ns"] - 2 * SECOND))
        before = books[max(0, place - 1)]
        middle = (int(before["bids_ticks"][0]) + int(before["asks_ticks"][0])) / 2
        right += (int(trade["trade_price_ticks"]) > middle) == (int(trade["side"]) == int(Side.BUY))
    assert right / len(trades) > 0.9


def test_orders_and_trades_from_two_tables() -> None:
    feed = opened(
        shared_data("l3/bitstamp_BTCUSD_20150501_orders.parquet"),
        shared_data("trades/bitstamp_BTCUSD_trades_20150501.parquet"),
    )
    tally = counts(checked(feed))
    assert tally["TRADE"] == 575 and tally["BOOK"] > 15_000 and refused(feed) == {}


def test_an_hour_of_level_changes_never_crosses_and_ends_at_a_cent() -> None:
    feed = opened(shared_data("l2/coinbase_BTCUSD_20180424_l2update.parquet"))
    assert feed.recordings[0].found["BTC/USD"].updates == 193_848
    rows = checked(feed)
    assert counts(rows)["BOOK"] > 30_000 and refused(feed) == {}
    assert int(rows[-1]["asks_ticks"][0]) - int(rows[-1]["bids_ticks"][0]) == 1
    assert int(rows[-1]["ts_seq_ns"] - rows[0]["ts_seq_ns"]) > 3_590 * SECOND


@pytest.mark.parametrize(
    ("name", "symbols", "trades", "least_books"),
    [
        ("l2/coinbase_BTCUSD_20180417_raw.jsonl.zst", ["BTC/USD"], 256, 5_000),
        ("l2/binanceus_BTCUSDT_20250826_events.parquet", ["BTC/USDT"], 12, 20_000),
        ("l2/bybit_XRPUSDT_ob500_20241201.jsonl.zst", ["XRP/USDT"], 0, 50),
        ("raw_ws/binance.jsonl.zst", ["BLZ/ETH", "LRC/BTC", "NKN/USDT", "RUNE/EUR"], 2, 150),
        ("raw_ws/binance_us.jsonl.zst", ["COMP/USDT", "CRV/USDT", "OMG/BUSD", "ZRX/USDT"], 11, 300),
        (
            "raw_ws/binance_futures.jsonl.zst",
            ["AKRO/USDT:USDT", "CTK/USDT:USDT", "KEEP/USDT:USDT", "SUSHI/USDT:USDT"],
            91,
            600,
        ),
    ],
)
def test_books_of_other_venues_and_sessions(name: str, symbols: list[str], trades: int, least_books: int) -> None:
    feed = opened(shared_data(name))
    tally = counts(checked(feed))
    assert [instrument.symbol for instrument in feed.instruments] == symbols
    assert tally["TRADE"] == trades and tally["BOOK"] >= least_books and tally["MARKET_STATUS"] == 0
    assert {reason for _, reason in refused(feed)} <= {Reason.TIME_BACKWARDS, Reason.OFF_GRID}


def test_quotes_and_trades_of_a_perpetual() -> None:
    feed = opened(
        shared_data("trades/binanceusdm_BTCUSDT_quotes_20200222.parquet"),
        shared_data("trades/binanceusdm_BTCUSDT_trades_20200222.parquet"),
    )
    assert counts(checked(feed)) == {"QUOTE": 9_999, "TRADE": 9_999}


def test_a_capture_with_one_damaged_line_in_a_thousand(tmp_path: Path) -> None:
    clean = [line for batch in lines(shared_data("l2/binance_ETHUSDT_20240808.jsonl.zst")) for line in batch][:20_000]
    bent = [line[: len(line) // 2] if index % 1000 == 500 else line for index, line in enumerate(clean)]
    path = tmp_path / "bent"
    path.write_bytes(b"\n".join(bent) + b"\n")
    feed = opened(path)
    rows = checked(feed)
    assert feed.refusals["", Reason.CORRUPT_LINE] == 20
    lost = sum(b'"depthUpdate"' in line for index, line in enumerate(clean) if index % 1000 == 500)
    assert (counts(rows)["MARKET_STATUS"] > 0) == (lost > 0)


def test_the_same_bytes_twice() -> None:
    path = shared_data("l2/binance_ETHUSDT_20240808.jsonl.zst")
    first, second = opened(path), opened(path)
    assert first.source == second.source
    assert fingerprint(first.blocks()) == fingerprint(second.blocks()) == fingerprint(first.blocks())
