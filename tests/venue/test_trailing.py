"""Trailing stops and take-profits: what they follow, when they fire, and what a bar does to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.room import BUY, FOK, MINUTE, PLAIN, SELL, Room, fills, no_money, status_of

from paperdesk.domain.events import FillModel, InputKind, MarketStatus, OutputKind, Side
from paperdesk.domain.instruments import from_exchange_filters
from paperdesk.engine.fold import Fold
from paperdesk.venue.trailing import trail_ticks


def on_tape(last: int = 40_000) -> Room:
    """A room that knows trades alone."""
    room = Room(deposits={"B": 10, "Q": 10_000_000})
    room.trade(last, 1)
    return room


def told(room: Room, kind: OutputKind) -> list[tuple[int, int, int]]:
    """(last, peak, reached) of all outputs of a kind."""
    rows = [row for outputs in room.rows for row in outputs if row["kind"] == kind]
    return [(int(row["last_ticks"]), int(row["peak_ticks"]), int(row["reached_ticks"])) for row in rows]


def fired_at(room: Room, prices: list[int]) -> int:
    """The first of some trades that fires order 1; 0: none."""
    for price in prices:
        if "triggered #1" in room.trade(price, 1):
            return price
    return 0


@pytest.mark.parametrize(
    ("side", "profit", "limit", "activation", "bips", "trades", "fires"),
    [
        (BUY, False, 45_000, 44_000, 500, [37_000, 44_000, 45_000, 46_000, 42_000, 44_099, 44_100], 44_100),
        (SELL, False, 38_000, 39_000, 1000, [41_500, 39_000, 37_000, 41_000, 36_901, 36_900], 36_900),
        (BUY, True, 38_500, 38_000, 850, [42_000, 38_000, 37_000, 39_000, 38_000, 40_144, 40_145], 40_145),
        (SELL, True, 41_000, 42_000, 750, [41_500, 39_000, 42_000, 45_000, 44_000, 46_500, 43_013, 43_012], 43_012),
        (SELL, False, 39_000, None, 700, [42_000, 39_500, 45_500, 42_316, 42_315], 42_315),
    ],
)  # fmt: skip
def test_the_scenarios_of_the_venues_own_document(
    side: Side, profit: bool, limit: int, activation: int | None, bips: int, trades: list[int], fires: int
) -> None:
    """binance-spot-api-docs, faqs/trailing-stop-faq.md, scenarios A to E."""
    room = on_tape()
    room.submit(side, 1, limit, activation, trail_bips=bips, take_profit=profit)
    room.timer()
    assert fired_at(room, trades) == fires


def test_it_tells_where_it_began_and_what_fired_it() -> None:
    room = on_tape(100)
    assert no_money(room.sell(2, trail_bips=500)) == ["submitted #1", "accepted #1", "activated #1"]
    assert told(room, OutputKind.ORDER_ACTIVATED) == [(100, 100, 0)]
    room.trade(110, 1)
    assert room.order(1)["peak_ticks"] == 110
    assert no_money(room.trade(105, 1)) == [], "5 % below 110 is 104.5, so that 104 is the first price that fires"
    assert no_money(room.trade(104, 1)) == ["triggered #1"]
    assert told(room, OutputKind.ORDER_TRIGGERED) == [(104, 110, 104)]
    assert fills(room.trade(103, 5)) == ["#1 2 @ 101 taker tape_take"]


def test_an_activation_price_is_reached_in_the_types_own_direction() -> None:
    room = on_tape(100)
    assert no_money(room.sell(1, trigger=105, trail_bips=500, take_profit=True)) == ["submitted #1", "accepted #1"]
    assert no_money(room.trade(90, 1)) == [], "it does not follow yet"
    assert no_money(room.trade(106, 1)) == ["activated #1"]
    assert told(room, OutputKind.ORDER_ACTIVATED) == [(106, 106, 105)]
    assert no_money(room.sell(1, trigger=107, trail_bips=500))[-1] == "rejected #2 stop_would_trigger"


def test_without_any_price_it_begins_with_the_first() -> None:
    room = Room()
    room.quote(0, 0, 101, 5)
    assert no_money(room.buy(1, 200, trail_bips=100)) == ["submitted #1", "accepted #1", "activated #1"]
    assert no_money(room.sell(1, 50, trail_bips=100)) == ["submitted #2", "accepted #2"], "there is no bid"
    assert no_money(room.quote(99, 5, 101, 5)) == ["activated #2"]
    assert no_money(room.quote(97, 5, 98, 5)) == ["triggered #2", "fill #2 1 @ 97 taker book_walk"]
    assert room.order(1)["peak_ticks"] == 98


def test_they_fire_nearest_first_after_the_stops() -> None:
    room = on_tape(1_000)
    for bips in (300, 100, 200):
        room.sell(1, trail_bips=bips)
    room.sell(1, trigger=950)
    room.trade(1_100, 1)
    fired = [line for line in room.trade(900, 1) if line.startswith("triggered")]
    assert fired == ["triggered #4", "triggered #2", "triggered #3", "triggered #1"]


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"trail_bips": 10_000}, "invalid_trigger"),
        ({"trail_bips": -1}, "invalid_trigger"),
        ({"trail_bips": 100, "trigger": -5}, "invalid_trigger"),
        ({"trail_bips": 9_999}, ""),
    ],
)
def test_its_form(terms: dict[str, Any], why: str) -> None:
    room = on_tape(100)
    assert no_money(room.submit(SELL, 1, **terms))[0] == (f"denied #1 {why}" if why else "submitted #1")


def test_a_trail_needs_a_trigger_type() -> None:
    room = on_tape(100)
    row = room.inputs[0]
    row["kind"], row["side"], row["order_type"], row["time_in_force"] = InputKind.SUBMIT_ORDER, SELL, 1, 2
    row["qty_lots"], row["trail_bips"], row["version"], row["account"] = 1, 50, 1, 0
    assert no_money(room.put(row)) == ["denied #1 unsupported_combination"]


def test_its_filter_knows_above_and_below() -> None:
    bounds = {
        "min_trail_above_bips": 50,
        "max_trail_above_bips": 100,
        "min_trail_below_bips": 10,
        "max_trail_below_bips": 20,
    }
    room = Room((PLAIN._replace(**bounds),))
    room.trade(100, 1)
    last = [
        no_money(room.submit(*what, trail_bips=bips) + room.timer())[2]
        for what, bips in (((SELL, 1), 20), ((BUY, 1), 50))
    ]
    assert last == ["activated #1", "activated #2"]
    assert no_money(room.sell(1, trail_bips=21))[1] == "rejected #3 trailing_delta"
    assert no_money(room.buy(1, trail_bips=49))[1] == "rejected #4 trailing_delta"
    assert no_money(room.sell(1, trail_bips=101, take_profit=True))[1] == "rejected #5 trailing_delta"


def test_the_filter_is_read_from_the_venue() -> None:
    entry = {
        "symbol": "BQ",
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "1"},
            {"filterType": "LOT_SIZE", "stepSize": "1"},
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10, "maxTrailingAboveDelta": 2000, "minTrailingBelowDelta": 11,
             "maxTrailingBelowDelta": 2001},
        ],
    }  # fmt: skip
    found = from_exchange_filters(0, "test", PLAIN.base, PLAIN.quote, entry)
    assert (found.min_trail_above_bips, found.max_trail_above_bips) == (10, 2000)
    assert (found.min_trail_below_bips, found.max_trail_below_bips, found.max_iceberg_parts) == (11, 2001, 10)


def test_a_market_one_is_counted_and_funded_at_the_higher_price() -> None:
    room = on_tape(100)
    room.submit(BUY, 10, trail_bips=500)
    assert room.order(1)["reserved_units"] == 1_050, "the collar about the mark"
    room.submit(BUY, 10, trigger=120, trail_bips=500)
    assert room.order(2)["reserved_units"] == 1_260, "the collar about its activation price"
    empty = Room()
    assert no_money(empty.submit(BUY, 1, trail_bips=500)) == ["denied #1 no_market_data"]
    assert no_money(empty.submit(SELL, 1, trigger=5, trail_bips=500)) == ["submitted #2", "accepted #2"]


def test_a_gap_moves_nothing() -> None:
    room = on_tape(100)
    room.sell(1, trail_bips=500)
    room.status(MarketStatus.GAP)
    assert room.trade(50, 1) == [] and room.order(1)["peak_ticks"] == 100
    room.status(MarketStatus.LIVE)
    assert no_money(room.trade(95, 1)) == ["triggered #1"]


BAR = (100, 110, 98, 104)


@pytest.mark.parametrize(
    ("model", "bips", "bar", "fires", "peak"),
    [
        # h first: its peak is 110, 5 % below is 104.5, and the bar fell to 98: it fires at 104.
        (FillModel.PESSIMISTIC, 500, BAR, 104, 110),
        # l first, then h, then c = 104: from 110 that is more than 5 % as well.
        (FillModel.OPTIMISTIC, 500, BAR, 104, 110),
        (FillModel.OPTIMISTIC, 500, (100, 110, 98, 105), 0, 110),
        (FillModel.PESSIMISTIC, 500, (100, 110, 98, 105), 104, 110),
        # the low is nearer to the open: it comes first.
        (FillModel.EXPECTED, 500, (100, 110, 98, 105), 0, 110),
        (FillModel.EXPECTED, 500, (100, 102, 90, 99), 96, 102),
        (FillModel.EXPECTED, 500, (100, 105, 95, 100), 99, 105),
        # the open fell through it already.
        (FillModel.OPTIMISTIC, 500, (90, 110, 90, 110), 90, 100),
    ],
)  # fmt: skip
def test_a_bar_is_a_path_that_each_model_believes_in(
    model: FillModel, bips: int, bar: tuple[int, int, int, int], fires: int, peak: int
) -> None:
    room = Room(fill_model=model)
    room.bar((100, 100, 100, 100), 100)
    room.sell(1, 50, trail_bips=bips)
    said = no_money(room.bar(bar, 100, after_ns=2 * MINUTE))
    assert said == (["triggered #1"] if fires else [])
    assert room.order(1)["peak_ticks"] == peak
    if fires:
        assert told(room, OutputKind.ORDER_TRIGGERED)[0][:2] == (fires, peak)


def test_a_bar_can_activate_and_fire() -> None:
    room = Room(fill_model=FillModel.OPTIMISTIC)
    room.bar((100, 100, 100, 100), 100)
    room.buy(1, trigger=105, trail_bips=200)
    said = no_money(room.bar((100, 110, 99, 108), 100, after_ns=2 * MINUTE))
    assert said == ["activated #1", "triggered #1", "fill #1 1 @ 108 taker bar_stop"]
    assert told(room, OutputKind.ORDER_ACTIVATED) == [(105, 105, 105)]
    room.sell(1, 90, trail_bips=100)
    assert room.bar((108, 120, 100, 110), 100, after_ns=1) == [], "the bar opened before it was sent"


def test_pessimists_take_the_worst_of_the_bar() -> None:
    room = Room()
    room.bar((100, 100, 100, 100), 1_000)
    room.sell(1, trail_bips=500)
    assert fills(room.bar((100, 110, 98, 104), 1_000, after_ns=2 * MINUTE)) == ["#1 1 @ 98 taker bar_stop"]


def test_a_fill_or_kill_that_fires_without_counterpart_ends() -> None:
    room = Room()
    room.quote(99, 2, 101, 2)
    room.trade(100, 1)
    room.sell(5, trail_bips=100, tif=FOK)
    assert no_money(room.trade(99, 1)) == ["triggered #1", "expired #1 fok_not_filled"]


@given(
    st.sampled_from((BUY, SELL)),
    st.integers(1, 9_999),
    st.lists(st.integers(1, 2_000), min_size=1, max_size=40),
    st.integers(0, 40),
)
@settings(max_examples=60, deadline=None)
def test_it_fires_exactly_where_a_plain_reading_of_the_rule_says(
    side: Side, bips: int, prices: list[int], cut: int
) -> None:
    room = on_tape(prices[0])
    room.submit(side, 1, 1_500, trail_bips=bips)
    room.timer()
    peak, due = prices[0], 0
    for place, price in enumerate(prices[1:]):
        peak = min(peak, price) if side == BUY else max(peak, price)
        turned = Decimal(price - peak) if side == BUY else Decimal(peak - price)
        if place == cut:
            room.fold = Fold.from_parts(room.fold.parts())
        said = no_money(room.trade(price, 1))
        if turned * 10_000 >= peak * bips and turned > 0:
            assert said[0] == "triggered #1"
            due = price
            break
        assert said == []
    assert due or status_of(room, 1) == "accepted"


@given(st.sampled_from((BUY, SELL)), st.integers(1, 2**50), st.integers(1, 9_999))
@settings(max_examples=200, deadline=None)
def test_triggers_are_exact_up_to_the_largest_price(side: Side, peak: int, bips: int) -> None:
    exact = Decimal(peak) * (10_000 + (bips if side == BUY else -bips))
    trigger = Decimal(trail_ticks(int(side), peak, bips) * 10_000)
    off = trigger - exact if side == BUY else exact - trigger
    assert 0 <= off < 10_000
