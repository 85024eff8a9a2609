"""Bars: when they open and close, what they are made of, and that nothing is invented."""

import random
from decimal import Decimal

import pytest

from paperdesk.domain.assets import Asset
from paperdesk.domain.instruments import Instrument
from paperdesk.features.bars import Bar, BarBuilder, BarError, interval_text, parse_interval

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
T0 = 1_700_000_040 * SECOND
BTC = Instrument(0, 1, "BTC/USDT", "test", Asset(0, "BTC", 8), Asset(1, "USDT", 8), Decimal("0.01"), Decimal("0.001"))


def ohlcv(bar: Bar) -> tuple[int, ...]:
    """The integers of a bar without its times."""
    return bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks, bar.volume_lots


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("1s", SECOND), ("90s", 90 * SECOND), ("5m", 5 * MINUTE), ("4h", 240 * MINUTE), ("1d", 1440 * MINUTE)],
)
def test_intervals_are_read_and_told(text: str, wanted: int) -> None:
    assert parse_interval(text) == wanted
    assert parse_interval(interval_text(wanted)) == wanted


@pytest.mark.parametrize("text", ["", "m", "0m", "-1m", "1.5m", "1w", "1 m", "1M", "99999999s"])
def test_other_intervals_are_refused(text: str) -> None:
    with pytest.raises(BarError, match="no bar interval"):
        parse_interval(text)


def test_an_odd_interval_is_told_in_nanoseconds() -> None:
    assert interval_text(1_500_000_000) == "1500000000 ns"


def test_a_bar_closes_with_the_first_event_at_its_end_and_not_before() -> None:
    builder = BarBuilder(BTC, MINUTE)
    assert builder.advance(T0 + 1) is None
    for ts, price, lots in [(T0 + 1, 100, 3), (T0 + 2, 104, 1), (T0 + 30 * SECOND, 98, 2), (T0 + 59 * SECOND, 101, 4)]:
        assert builder.advance(ts) is None
        builder.add_trade(ts, price, lots)
    assert builder.advance(T0 + MINUTE - 1) is None
    bar = builder.advance(T0 + MINUTE)
    assert bar is not None
    assert (bar.open_ns, bar.close_ns) == (T0, T0 + MINUTE)
    assert ohlcv(bar) == (100, 104, 98, 101, 10)
    assert builder.advance(T0 + 10 * MINUTE) is None, "a bar is handed out once"


def test_the_trade_at_the_end_belongs_to_the_next_bar_and_empty_intervals_have_none() -> None:
    builder = BarBuilder(BTC, MINUTE)
    builder.add_trade(T0, 100, 1)
    first = builder.advance(T0 + 5 * MINUTE)
    assert first is not None and first.close_ns == T0 + MINUTE
    builder.add_trade(T0 + 5 * MINUTE, 200, 1)
    second = builder.advance(T0 + 6 * MINUTE)
    assert second is not None
    assert (second.open_ns, ohlcv(second)) == (T0 + 5 * MINUTE, (200, 200, 200, 200, 1))


def test_decimals_of_a_bar() -> None:
    builder = BarBuilder(BTC, MINUTE)
    builder.add_trade(T0, 10_000, 5)
    builder.add_trade(T0, 10_050, 1)
    builder.add_trade(T0, 9_950, 1)
    bar = builder.advance(T0 + MINUTE)
    assert bar is not None and bar.is_closed and bar.symbol == "BTC/USDT"
    assert (bar.open, bar.high, bar.low, bar.close) == (
        Decimal(100),
        Decimal("100.5"),
        Decimal("99.5"),
        Decimal("99.5"),
    )
    assert bar.volume == Decimal("0.007")


def test_random_trades_give_the_bars_that_a_naive_grouping_gives() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        ts, trades = T0, []
        for _ in range(400):
            ts += chance.randrange(0, 40 * SECOND)
            trades.append((ts, chance.randrange(90, 110), chance.randrange(1, 5)))
        builder, bars = BarBuilder(BTC, MINUTE), []
        for row in [*trades, (ts + MINUTE, 0, 0)]:
            bars += [bar for bar in [builder.advance(row[0])] if bar is not None]
            if row[1]:
                builder.add_trade(*row)
        groups: dict[int, list[tuple[int, int, int]]] = {}
        for row in trades:
            groups.setdefault(row[0] // MINUTE, []).append(row)
        wanted = []
        for minute, rows in sorted(groups.items()):
            prices = [row[1] for row in rows]
            shape = (prices[0], max(prices), min(prices), prices[-1], sum(row[2] for row in rows))
            wanted.append((minute * MINUTE, *shape))
        assert [(bar.open_ns, *ohlcv(bar)) for bar in bars] == wanted, f"seed {seed}"


def test_smaller_bars_make_larger_ones_complete_at_their_end() -> None:
    builder = BarBuilder(BTC, 5 * MINUTE)
    found = []
    start = T0 - T0 % (5 * MINUTE)
    for minute in range(1, 11):
        close = start + minute * MINUTE
        assert builder.advance(close) is None, "the last part of a bar arrives at its very end"
        found += builder.add_bar(close, MINUTE, (minute, minute + 5, minute - 1, minute + 1, 10))
    assert [ohlcv(bar) for bar in found] == [(1, 10, 0, 6, 50), (6, 15, 5, 11, 50)]
    assert [bar.close_ns for bar in found] == [start + 5 * MINUTE, start + 10 * MINUTE]


def test_a_hole_in_the_feeds_bars_closes_the_unfinished_bar_late_but_once() -> None:
    builder = BarBuilder(BTC, 5 * MINUTE)
    start = T0 - T0 % (5 * MINUTE)
    assert builder.add_bar(start + MINUTE, MINUTE, (1, 2, 1, 2, 1)) == ()
    left = builder.add_bar(start + 7 * MINUTE, MINUTE, (5, 6, 5, 6, 1))
    assert [(bar.close_ns, bar.close_ticks) for bar in left] == [(start + 5 * MINUTE, 2)]
    assert builder.advance(start + 10 * MINUTE) is None
    late = builder.advance(start + 10 * MINUTE + 1)
    assert late is not None and late.close_ns == start + 10 * MINUTE


def test_bars_of_the_wanted_interval_pass_unchanged_even_after_a_hole() -> None:
    builder = BarBuilder(BTC, MINUTE)
    for minute in (1, 2, 7):
        (bar,) = builder.add_bar(T0 + minute * MINUTE, MINUTE, (3, 9, 2, 4, minute))
        assert (bar.open_ns, ohlcv(bar)) == (T0 + (minute - 1) * MINUTE, (3, 9, 2, 4, minute))


@pytest.mark.parametrize(("wanted", "given"), [(MINUTE, 5 * MINUTE), (5 * MINUTE, 2 * MINUTE)])
def test_bars_that_do_not_divide_the_interval_are_an_error(wanted: int, given: int) -> None:
    with pytest.raises(
        BarError, match=r"BTC/USDT: bars of .m cannot be made of the feed's bars of .m; ask for a multiple"
    ):
        BarBuilder(BTC, wanted).add_bar(T0, given, (1, 1, 1, 1, 1))


def test_sources_are_never_mixed() -> None:
    trades = BarBuilder(BTC, MINUTE)
    trades.add_trade(T0, 100, 1)
    assert trades.add_bar(T0 + MINUTE, MINUTE, (1, 1, 1, 1, 1)) == ()
    trades.add_mid(T0, 1, 3)
    bar = trades.advance(T0 + MINUTE)
    assert bar is not None and ohlcv(bar) == (100, 100, 100, 100, 1)

    bars = BarBuilder(BTC, MINUTE)
    assert len(bars.add_bar(T0 + MINUTE, MINUTE, (1, 1, 1, 1, 1))) == 1
    bars.add_trade(T0 + MINUTE, 100, 1)
    assert bars.advance(T0 + 9 * MINUTE) is None


def test_quotes_give_the_mid_rounded_down_and_no_volume() -> None:
    builder = BarBuilder(BTC, MINUTE, "quotes")
    builder.add_trade(T0, 500, 1)
    builder.add_mid(T0, 100, 103)
    builder.add_mid(T0 + 1, 104, 106)
    bar = builder.advance(T0 + MINUTE)
    assert bar is not None and ohlcv(bar) == (101, 105, 101, 105, 0)


def test_nonsense_builders_are_refused() -> None:
    with pytest.raises(BarError, match="above zero"):
        BarBuilder(BTC, 0)
    with pytest.raises(BarError, match="not of 'ticks'"):
        BarBuilder(BTC, MINUTE, "ticks")


def test_time_that_was_not_advanced_is_a_bug() -> None:
    builder = BarBuilder(BTC, MINUTE)
    builder.add_trade(T0, 100, 1)
    with pytest.raises(AssertionError, match="advance"):
        builder.add_trade(T0 + MINUTE, 100, 1)


def test_a_snapshot_continues_the_bar() -> None:
    one, two = BarBuilder(BTC, MINUTE), BarBuilder(BTC, MINUTE)
    one.add_trade(T0, 100, 1)
    two.restore(one.snapshot())
    for builder in (one, two):
        builder.add_trade(T0 + 1, 90, 2)
    assert one.advance(T0 + MINUTE) == two.advance(T0 + MINUTE)


def test_a_new_grid_drops_the_unfinished_bar_and_new_filters_do_not() -> None:
    builder = BarBuilder(BTC, MINUTE)
    builder.add_trade(T0, 100, 1)
    builder.rebase(BTC._replace(version=2))
    assert builder.advance(T0 + MINUTE) is not None
    builder.add_trade(T0 + MINUTE, 100, 1)
    builder.rebase(BTC._replace(version=3, tick=Decimal("0.1")))
    assert builder.advance(T0 + 2 * MINUTE) is None


def test_longer_bars_of_the_feed_are_taken_as_they_are_where_that_is_allowed() -> None:
    """A builder that adapts takes a feed's five-minute bars where one-minute bars were wanted; others refuse them."""
    minute = 60_000_000_000
    builder = BarBuilder(BTC, minute, adapts=True)
    (bar,) = builder.add_bar(10 * minute, 5 * minute, (100, 110, 90, 105, 7))
    assert (bar.open_ns, bar.close_ns, bar.close_ticks, bar.volume_lots) == (5 * minute, 10 * minute, 105, 7)
    with pytest.raises(BarError, match="cannot be made of"):
        BarBuilder(BTC, minute).add_bar(10 * minute, 5 * minute, (100, 110, 90, 105, 7))
