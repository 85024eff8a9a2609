"""What the venue checks on arrival, in its order, and at which numbers each filter begins to bite."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.engine.room import BUY, PLAIN, SELL, C, Q, Room, no_money, status_of

from paperdesk.domain.events import TradingStatus

D = Decimal


def answer(changes: dict[str, Any], side: str, *order: Any, **terms: Any) -> str:
    """The venue's answer to an order under filters, where 99 is bid and 101 asked."""
    room = Room([PLAIN._replace(**changes)])
    room.quote(99, 1000, 101, 1000)
    said = no_money(room.buy(*order, **terms) if side == "buy" else room.sell(*order, **terms))
    return said[1].partition(" #1 ")[2] or said[1].split()[0]


PRICES = {"min_price": D(50), "max_price": D(150)}


@pytest.mark.parametrize(
    ("price", "said"), [(49, "price_filter"), (50, "accepted"), (150, "accepted"), (151, "price_filter")]
)
def test_the_price_filter_holds_for_limits_and_triggers(price: int, said: str) -> None:
    assert answer(PRICES, "buy", 1, price) == said
    side = "sell" if price < 100 else "buy"
    assert answer(PRICES, side, 1, trigger=price) == said
    assert answer(PRICES, side, 1, price, trigger=price) == said
    assert answer(PRICES, side, 1, 100, trigger=price) == said
    assert answer(PRICES, side, 1, price, trigger=98 if side == "sell" else 102) == said


def test_market_orders_have_no_price_to_filter() -> None:
    assert answer(PRICES | {"min_price": D(120)}, "buy", 1) == "accepted"


SIZES = {"min_quantity": D(3), "max_quantity": D(10)}
MARKET_SIZES = {"market_min_quantity": D(4), "market_max_quantity": D(8)}


@pytest.mark.parametrize(("lots", "said"), [(2, "lot_size"), (3, "accepted"), (10, "accepted"), (11, "lot_size")])
def test_the_lot_filter_holds_for_all_types(lots: int, said: str) -> None:
    for terms in ((lots,), (lots, 90)):
        assert answer(SIZES, "buy", *terms) == said
    assert answer(SIZES, "sell", lots, trigger=90) == said
    assert answer(SIZES, "sell", lots, 85, trigger=90) == said


@pytest.mark.parametrize(
    ("lots", "said"),
    [(2, "lot_size"), (3, "market_lot_size"), (4, "accepted"), (8, "accepted"), (9, "market_lot_size")],
)
def test_market_orders_have_a_second_lot_filter(lots: int, said: str) -> None:
    assert answer(SIZES | MARKET_SIZES, "buy", lots) == said
    assert answer(SIZES | MARKET_SIZES, "sell", lots, trigger=90) == said
    assert answer(SIZES | MARKET_SIZES, "buy", max(3, lots), 90) == "accepted"


VALUE = {"min_notional": D(1000)}


def test_the_minimum_value() -> None:
    assert answer(VALUE, "buy", 10, 99) == "min_notional"
    assert answer(VALUE, "buy", 10, 100) == "accepted"
    assert answer(VALUE, "sell", 10, trigger=99 - 9) == "min_notional"
    assert answer(VALUE, "buy", 9, trigger=112) == "accepted"
    assert answer(VALUE, "buy", 9, 120, trigger=105) == "accepted", "a stop-limit is worth its limit price"


def test_market_orders_are_worth_the_mark() -> None:
    assert answer(VALUE, "buy", 9) == "min_notional"  # 9 · 100
    assert answer(VALUE, "buy", 10) == "accepted"
    assert answer(VALUE | {"min_notional_to_market": False}, "buy", 1) == "accepted"


def test_the_minimum_value_is_rounded_down_before_it_is_compared() -> None:
    half = {"tick": D("0.5"), "min_notional": D(5)}
    assert answer(half, "buy", 1, 9) == "min_notional"  # ⌊4.5⌋ = 4
    assert answer(half, "buy", 1, 10) == "accepted"


@pytest.mark.parametrize(
    ("side", "trigger", "said"), [("buy", 101, False), ("buy", 102, True), ("sell", 99, False), ("sell", 98, True)]
)
def test_a_stop_that_would_trigger_at_once_is_rejected(side: str, trigger: int, said: bool) -> None:
    # No trade has been seen: buys are measured by the best ask, sales by the best bid.
    assert answer({}, side, 1, trigger=trigger) == ("accepted" if said else "stop_would_trigger")
    assert answer({}, side, 1, 100, trigger=trigger) == ("accepted" if said else "stop_would_trigger")


def test_after_a_trade_its_price_decides_about_stops() -> None:
    room = Room()
    room.quote(99, 9, 101, 9)
    room.trade(105, 1)
    assert no_money(room.buy(1, trigger=104))[-1] == "rejected #1 stop_would_trigger"
    assert no_money(room.sell(1, trigger=104))[-1] == "accepted #2"
    assert no_money(room.buy(1, trigger=106))[-1] == "accepted #3"


def test_without_any_price_a_stop_waits() -> None:
    room = Room()
    assert no_money(room.buy(1, trigger=104))[-1] == "accepted #1"


@pytest.mark.parametrize("status", [TradingStatus.HALTED, TradingStatus.DELISTED])
def test_no_order_is_taken_while_the_instrument_is_not_traded(status: TradingStatus) -> None:
    room = Room()
    room.quote(99, 9, 101, 9)
    room.redefine(trading_status=status)
    assert room.submit(BUY, 1, 90) == ["denied #1 instrument_halted"]


def test_an_order_in_flight_is_rejected_when_trading_stops() -> None:
    room = Room(latency_ns=10)
    room.quote(99, 9, 101, 9)
    room.submit(BUY, 1, 90)
    room.submit(SELL, 1)
    assert room.redefine(trading_status=TradingStatus.HALTED) == ["instrument changed"]
    assert room.timer(10) == [
        "rejected #1 instrument_halted",
        "release 90 Q",
        "rejected #2 instrument_halted",
        "release 1 B",
    ]


def test_filters_are_checked_in_the_venues_order() -> None:
    everything: dict[str, Any] = PRICES | SIZES | MARKET_SIZES | VALUE
    everything |= {"bid_multiplier_up": D("1.3"), "max_notional": D(1200), "max_algo_orders": 1}
    assert answer(everything, "buy", 1, 200) == "price_filter"
    assert answer(everything, "buy", 1, 101, post_only=True) == "lot_size"
    assert answer(everything, "buy", 3) == "market_lot_size"
    assert answer(everything, "buy", 3, 131) == "percent_price_by_side"
    assert answer(everything, "buy", 3, 101, post_only=True) == "min_notional"
    assert answer(everything, "buy", 10, 125, trigger=101) == "max_notional"
    assert answer(everything, "buy", 10, 101, post_only=True) == "post_only_would_take"
    assert answer(everything, "buy", 10, 120, trigger=101) == "stop_would_trigger"


@pytest.mark.parametrize(
    ("side", "price", "said"),
    [
        *(("buy", 89, "percent_price_by_side"), ("buy", 90, "accepted"), ("buy", 104, "accepted")),
        *(("buy", 105, "percent_price_by_side"), ("sell", 94, "percent_price_by_side"), ("sell", 95, "accepted")),
        *(("sell", 120, "accepted"), ("sell", 121, "percent_price_by_side")),
    ],
)
def test_a_limit_price_keeps_near_the_mark_by_side(side: str, price: int, said: str) -> None:
    # Bid 99, ask 101: the mark is 100. 104.9 is rounded down, 89.1 and 94.1 up.
    parts = {"bid_multiplier_up": D("1.049"), "bid_multiplier_down": D("0.891")}
    parts |= {"ask_multiplier_up": D("1.2"), "ask_multiplier_down": D("0.941")}
    assert answer(parts, side, 1, price) == said


def test_the_distance_from_the_mark_is_asked_of_limit_prices_alone() -> None:
    parts = {"bid_multiplier_up": D("1.05"), "bid_multiplier_down": D("0.95")}
    assert answer(parts, "buy", 1) == "accepted"
    assert answer(parts, "buy", 1, trigger=200) == "accepted"
    assert answer(parts, "buy", 1, 200, trigger=102) == "percent_price_by_side"
    assert answer(parts, "sell", 1, 200) == "accepted", "sales have multipliers of their own"
    room = Room([PLAIN._replace(**parts)])
    assert no_money(room.buy(1, 500))[-1] == "accepted #1", "there is no mark yet"


def test_a_multiplier_that_cannot_be_counted_is_no_bound() -> None:
    huge = D(2**62) / 10**8
    assert answer({"bid_multiplier_down": huge, "bid_multiplier_up": huge}, "buy", 1, 100) == "percent_price_by_side"
    assert answer({"bid_multiplier_down": huge + 1}, "buy", 1, 100) == "percent_price_by_side", "cut to what fits"
    room = Room([PLAIN._replace(bid_multiplier_down=huge)], {"Q": 2**50})
    room.trade(10**9, 1)
    assert no_money(room.buy(1, 100))[-1] == "accepted #1"


def test_the_largest_value_is_exact() -> None:
    half = {"tick": D("0.5"), "max_notional": D(5)}
    assert answer(half, "buy", 1, 10) == "accepted"
    assert answer(half, "buy", 1, 11) == "max_notional"  # 5.5
    assert answer({"max_notional": D(990)}, "buy", 10, 99) == "accepted"
    assert answer({"max_notional": D(989)}, "buy", 10, 99) == "max_notional"
    assert answer({"max_notional": D(989)}, "sell", 11, trigger=90) == "max_notional"


def test_the_largest_value_holds_at_the_market_where_the_venue_says_so() -> None:
    most = {"max_notional": D(1000)}
    assert answer(most, "buy", 11) == "accepted"
    most["max_notional_to_market"] = True
    assert answer(most, "buy", 11) == "max_notional"  # 11 · 100
    assert answer(most, "buy", 10) == "accepted"
    assert answer(most, "buy", 0, quote_quantity=1001) == "max_notional"
    assert answer(most, "buy", 0, quote_quantity=1000) == "accepted"


def test_orders_at_the_venue_are_counted_by_account_and_instrument() -> None:
    cq = PLAIN._replace(number=1, symbol="C/Q", base=C, quote=Q, max_orders=2)
    room = Room([PLAIN._replace(max_orders=2), cq])
    room.open(3)
    room.quote(99, 9, 101, 9)
    room.buy(1, 90)
    room.sell(1, 110, bot=1)
    assert no_money(room.buy(1, 91, bot=2))[-1] == "rejected #3 max_num_orders"
    assert no_money(room.buy(1, trigger=105))[-1] == "rejected #4 max_num_orders"
    assert no_money(room.buy(1, 91, account=3))[-1] == "accepted #1", "another account"
    assert no_money(room.buy(1, 91, number=1))[-1] == "accepted #5", "another instrument"
    room.cancel(1)
    assert no_money(room.buy(1, 91))[-1] == "accepted #6"


def test_an_order_on_its_way_is_not_counted_yet() -> None:
    room = Room([PLAIN._replace(max_orders=1)], latency_ns=10)
    room.quote(99, 9, 101, 9)
    room.submit(BUY, 1, 90)
    room.submit(BUY, 1, 91)
    assert no_money(room.timer(10)) == ["accepted #1", "rejected #2 max_num_orders"]


def test_orders_that_wait_for_triggers_are_counted_apart() -> None:
    room = Room([PLAIN._replace(max_algo_orders=1)])
    room.quote(99, 9, 101, 9)
    room.buy(1, 80)
    assert no_money(room.buy(1, 90, trigger=105))[-1] == "accepted #2"
    assert no_money(room.sell(1, trigger=95))[-1] == "rejected #3 max_num_algo_orders"
    assert no_money(room.buy(1, 81))[-1] == "accepted #4"
    room.trade(105, 1)
    assert status_of(room, 2) == "accepted"
    assert no_money(room.sell(1, trigger=95))[-1] == "accepted #5", "a stop that fired waits no longer"


def test_values_too_large_to_count_pass_the_minimum() -> None:
    # 2^50 ticks of 2^10 lots are within an order's bounds; a trigger is judged by its limit price.
    assert answer({"min_notional": D(10)}, "sell", 1, 1, trigger=98) == "min_notional"
    room = Room([PLAIN._replace(min_notional=D(10))], {"B": 2**20, "Q": 5})
    room.trade(2**45, 1)
    assert no_money(room.sell(2**15))[1] == "accepted #1"
